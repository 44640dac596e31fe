import type { DtlsParameters, MediaKind } from 'mediasoup/types';
import { readRids, readSources } from './encodings.js';
import { isUsable, type IceCredentials, type Offer, type OfferedMediaSection } from './Offer.js';
import { offeredData } from './offeredData.js';
import { isPayloadType, offeredCodecs } from './offeredCodecs.js';
import type { ParsedMedia, ParsedSession } from './parsed.js';
import {
	checkUnique,
	invalidBecause,
	isDirection,
	readBandwidth,
	readDescription,
	readFingerprint,
	readHeaderExtensions,
	text,
	type DescriptionLimits,
} from './readDescription.js';

// JSEP (RFC 8829, section 5.1.2) lists the protocols that must be accepted.
const rtpProtocol = /^(UDP\/TLS\/|TCP\/DTLS\/)?RTP\/SAVPF?$/;

// Visible ASCII has the characters of a `token` (RFC 8866, section 9), and the slash between two tokens.
const token = /^[\x21-\x7e]+$/;

// RFC 8839, section 5.4: the characters (`ice-char`), and the smallest and greatest lengths.
const iceUsernameFragment = /^[A-Za-z0-9+/]{4,256}$/;
const icePassword = /^[A-Za-z0-9+/]{22,256}$/;

const invalid = invalidBecause('offer');

/**
 * Reads a client's SDP offer (RFC 8866, RFC 8829). It leaves out unknown parts.
 *
 * @throws {@link SfuError} `too_large` beyond the limits, `invalid_argument` with the reason if no answer could work
 */
export function parseOffer(sdp: string, limits: DescriptionLimits): Offer {
	const session = readDescription(sdp, 'offer', limits);
	const { media } = session;
	const sessionId = text(session.origin?.sessionId);
	if (sessionId === undefined) throw invalid('it has no valid o= line');

	const sections = media.map((parsed, index) => ({ parsed, index, stopped: isStopped(parsed) }));
	const live = sections.find(({ stopped }) => !stopped);
	if (!live) throw invalid('all of its m-lines have stopped');
	const offered = unbundledRejected(
		session,
		sections.map(({ parsed, index, stopped }) => offeredMedia(session, parsed, index, stopped)),
	);
	// The m-line of the BUNDLE tag has the parameters of the transport (RFC 9143, section 7.2).
	const bundleTag = media[offered.find(isUsable)?.index ?? live.index] ?? {};
	const offer: Offer = {
		sessionId,
		ice: iceCredentials(session, bundleTag),
		dtls: dtlsParameters(session, bundleTag),
		extmapAllowMixed: session.extmapAllowMixed !== undefined,
		bandwidth: readBandwidth(session),
		media: offered,
	};
	checkUnique(
		offer.media.flatMap(({ mid }) => mid ?? []),
		invalid,
		(mid) => `two m-lines have the mid "${mid}"`,
	);
	checkUnique(
		offer.media.flatMap(({ sources }) => sources.flatMap(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc ?? []].flat())),
		invalid,
		(ssrc) => `the SSRC ${ssrc} is announced twice`,
	);
	return offer;
}

/** Whether an m-line has stopped. With `a=bundle-only` port 0 does not mean that (RFC 9143, section 6). */
function isStopped({ port, bundleOnly }: ParsedMedia): boolean {
	return port === 0 && bundleOnly === undefined;
}

function iceCredentials(session: ParsedSession, media: ParsedMedia): IceCredentials {
	const usernameFragment = text(media.iceUfrag ?? session.iceUfrag);
	const password = text(media.icePwd ?? session.icePwd);
	if (usernameFragment === undefined || !iceUsernameFragment.test(usernameFragment)) {
		throw invalid('it has no valid a=ice-ufrag');
	}
	if (password === undefined || !icePassword.test(password)) throw invalid('it has no valid a=ice-pwd');
	return { usernameFragment, password };
}

function dtlsParameters(session: ParsedSession, media: ParsedMedia): Required<DtlsParameters> {
	const fingerprint = readFingerprint(session, media, invalid);
	const setup = media.setup ?? session.setup;
	// To an offer of both roles we leave that of the DTLS client (RFC 8842, section 5.3): we do not know the address of the
	// client yet, and so we can only wait.
	if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive') {
		throw invalid(setup === undefined ? 'it has no a=setup' : `a=setup:${setup} is not supported`);
	}
	return { role: setup === 'passive' ? 'server' : 'client', fingerprints: [fingerprint] };
}

function offeredMedia(
	session: ParsedSession,
	media: ParsedMedia,
	index: number,
	stopped: boolean,
): OfferedMediaSection {
	const type = text(media.type);
	const protocol = text(media.protocol);
	const formats = text(media.payloads);
	if (type === undefined || protocol === undefined || !token.test(protocol) || formats === undefined) {
		throw invalid(`m-line ${index} is malformed`);
	}
	const direction = media.direction ?? session.direction;
	const isRtp = (type === 'audio' || type === 'video') && rtpProtocol.test(protocol) && media.rtcpMux !== undefined;
	if (isRtp && !formats.split(' ').some(isPayloadType)) {
		throw invalid(`m-line ${index} has no payload type`);
	}
	const kind: MediaKind | undefined = isRtp && !stopped ? type : undefined;
	return {
		index,
		type,
		protocol,
		formats,
		mid: text(media.mid),
		direction: isDirection(direction) ? direction : 'sendrecv',
		kind,
		data: stopped ? undefined : offeredData(media),
		codecs: kind ? offeredCodecs(kind, media) : [],
		headerExtensions: kind ? readHeaderExtensions(media) : [],
		rids: kind === 'video' ? readRids(media, invalid) : [],
		sources: kind ? readSources(media, invalid) : [],
		cname: text(media.ssrcs?.find(({ attribute }) => attribute === 'cname')?.value),
		streamId: streamId(media),
		rtcpRsize: media.rtcpRsize !== undefined,
		extmapAllowMixed: media.extmapAllowMixed !== undefined,
		bandwidth: readBandwidth(media),
	};
}

/**
 * Rejects the m-lines that are not bundled with the first usable one, because one transport carries everything (RFC 9143).
 * The group may name mids that do not exist; that of FFmpeg always does.
 */
function unbundledRejected(session: ParsedSession, media: OfferedMediaSection[]): OfferedMediaSection[] {
	const first = media.find(isUsable);
	const bundles = (session.groups ?? [])
		.filter(({ type }) => type === 'BUNDLE')
		.map(({ mids }) => new Set(String(mids).split(' ')));
	const bundle = bundles.find((mids) => first?.mid !== undefined && mids.has(first.mid));
	const isBundled = (section: OfferedMediaSection) =>
		section === first || (section.mid !== undefined && bundle?.has(section.mid) === true);
	// The transport has one SCTP association.
	const data = media.find((section) => section.data && isBundled(section));
	return media.map((section) => ({
		...section,
		kind: isBundled(section) ? section.kind : undefined,
		data: section === data ? section.data : undefined,
	}));
}

/** Reads the id of the MediaStream. The pattern of sdp-transform does not match the braces in Firefox's ids. */
function streamId({ msid, invalid: unknown = [] }: ParsedMedia): string | undefined {
	const written =
		text(msid?.[0]?.id) ?? unknown.map(({ value }) => /^msid:(\S+)/.exec(String(value))?.[1]).find(Boolean);
	return written === '-' ? undefined : written;
}
