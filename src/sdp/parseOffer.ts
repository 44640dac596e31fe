import type { DtlsParameters, MediaKind } from 'mediasoup/types';
import { readRids, readSources } from './encodings.js';
import { isUsable, type IceCredentials, type Offer, type OfferedMediaSection } from './Offer.js';
import { offeredData } from './offeredData.js';
import { isPayloadType, offeredCodecs } from './offeredCodecs.js';
import { copied } from './ownLines.js';
import type { ParsedMedia, ParsedSession } from './parsed.js';
import {
	checkUnique,
	invalidBecause,
	isDirection,
	readBandwidth,
	readBundles,
	readDescription,
	readFingerprint,
	readHeaderExtensions,
	refuseIceLite,
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

// Everybody who pulls is told it. Browsers have 16 characters (RFC 7022 asks for as many).
const longestCname = 256;

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

	refuseIceLite(session, 'offer');

	const sections = media.map((parsed, index) => offeredMedia(session, parsed, index));
	if (media.every(isStopped)) throw invalid('all of its m-lines have stopped');
	const { bundle, tag, bundled } = bundleOf(session, sections);
	const tagged = media[tag] ?? {};
	const offer: Offer = {
		sessionId,
		sessionVersion: BigInt(/^\d{1,20}$/.exec(text(session.origin?.sessionVersion) ?? '')?.[0] ?? 0),
		ice: iceCredentials(session, tagged),
		dtls: dtlsParameters(session, tagged),
		extmapAllowMixed: session.extmapAllowMixed !== undefined,
		bandwidth: readBandwidth(session),
		bundle,
		tag,
		media: bundled,
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

function offeredMedia(session: ParsedSession, media: ParsedMedia, index: number): OfferedMediaSection {
	const type = text(media.type);
	const protocol = text(media.protocol);
	const formats = text(text(media.payloads)?.trim());
	if (type === undefined || protocol === undefined || !token.test(protocol) || formats === undefined) {
		throw invalid(`m-line ${index} is malformed`);
	}
	const stopped = isStopped(media);
	const isMedia = type === 'audio' || type === 'video';
	const hasFormat = formats.split(' ').some(isPayloadType);
	if (isMedia && rtpProtocol.test(protocol) && !hasFormat) throw invalid(`m-line ${index} has no payload type`);
	const data = stopped ? undefined : offeredData(media);
	const unusable = stopped || data ? undefined : whyUnusable(type, protocol, formats);
	const kind: MediaKind | undefined = !stopped && isMedia && unusable === undefined ? type : undefined;
	const direction = media.direction ?? session.direction;
	return {
		index,
		type,
		protocol,
		formats,
		mid: text(media.mid),
		direction: isDirection(direction) ? direction : 'sendrecv',
		kind,
		unusable,
		data,
		codecs: kind ? offeredCodecs(kind, media) : [],
		headerExtensions: kind ? readHeaderExtensions(session, media) : [],
		rids: kind === 'video' ? readRids(media, invalid) : [],
		...(kind ? readSources(media, invalid) : { sources: [], tracks: 0 }),
		cname: cnameOf(media),
		streamId: streamId(media),
		rtcpMux: media.rtcpMux !== undefined,
		rtcpRsize: media.rtcpRsize !== undefined,
		extmapAllowMixed: media.extmapAllowMixed !== undefined,
		bandwidth: readBandwidth(media),
	};
}

/** Why nothing can flow on an m-line, as far as its first line tells. */
function whyUnusable(type: string, protocol: string, formats: string): string | undefined {
	if (type === 'application') return `the data channels of ${protocol} ${formats} are not those of RFC 8841`;
	if (type !== 'audio' && type !== 'video') return `media of the type ${type} cannot be taken`;
	if (!rtpProtocol.test(protocol)) {
		return `the protocol ${protocol} cannot be taken; it must be encrypted by DTLS, such as UDP/TLS/RTP/SAVPF`;
	}
	return undefined;
}

/**
 * Finds the m-line that carries the transport, and rejects the m-lines that are not bundled with it, because one transport
 * carries everything (RFC 9143). The group may name mids that do not exist; that of FFmpeg always does.
 */
function bundleOf(
	session: ParsedSession,
	sections: readonly OfferedMediaSection[],
): { bundle: string[]; tag: number; bundled: OfferedMediaSection[] } {
	const byMid = new Map(sections.flatMap((section) => (section.mid === undefined ? [] : [[section.mid, section]])));
	const groups = readBundles(session).map((mids) => [...new Set(mids)].flatMap((mid) => byMid.get(mid) ?? []));
	const grouped = new Set(groups.flat());
	// Without a group each m-line has a transport of its own.
	const single = sections.filter((section) => !grouped.has(section)).map((section) => [section]);
	const transports = [...groups, ...single].map(muxed);
	const first = (members: readonly OfferedMediaSection[]) =>
		Math.min(...members.filter(isUsable).map(({ index }) => index));
	const carried = transports.reduce((one, other) => (first(other) < first(one) ? other : one), []);
	const usable = carried.filter(isUsable);
	const tag = usable[0]?.index ?? sections.find(({ unusable }) => unusable !== undefined)?.index ?? 0;
	// The transport has one SCTP association.
	const data = usable.find((section) => section.data);
	const bundled = [...sections];
	for (const section of transports.flat()) {
		bundled[section.index] = isUsable(section) ? refuse(section, `it is not bundled with m-line ${tag}`) : section;
	}
	for (const section of carried) {
		const isSecond = section.data && section !== data;
		bundled[section.index] = isSecond ? refuse(section, `m-line ${data?.index ?? 0} has the data channels`) : section;
	}
	const isGroup = transports.indexOf(carried) < groups.length && usable.length > 0;
	return {
		bundle: isGroup ? usable.flatMap((section) => (section.data && section !== data ? [] : (section.mid ?? []))) : [],
		tag,
		bundled,
	};
}

const refuse = (section: OfferedMediaSection, unusable: string): OfferedMediaSection => ({
	...section,
	kind: undefined,
	data: undefined,
	unusable,
});

/**
 * Rejects the m-lines for RTP on a transport without `a=rtcp-mux`. Of bundled m-lines the tag says it for all (RFC 9143,
 * section 9.3), and a tag for data channels cannot.
 */
function muxed(members: OfferedMediaSection[]): OfferedMediaSection[] {
	if (members.some(({ kind, rtcpMux }) => kind && rtcpMux)) return members;
	return members.map((section) => (section.kind ? refuse(section, 'it has no a=rtcp-mux') : section));
}

function cnameOf({ ssrcs }: ParsedMedia): string | undefined {
	const cname = ssrcs?.find(({ attribute }) => attribute === 'cname')?.value;
	return cname === undefined || cname === '' ? undefined : copied(cname.slice(0, longestCname));
}

/** Reads the id of the MediaStream (RFC 8830). A minus stands for none. */
function streamId({ whole: { msid: [msid = ''] = [] } = {} }: ParsedMedia): string | undefined {
	const [written = ''] = msid.split(/\s+/);
	return written === '-' || written === '' ? undefined : written;
}
