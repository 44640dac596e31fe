import type { DtlsFingerprint, DtlsParameters, FingerprintAlgorithm, MediaKind } from 'mediasoup/types';
import sdpTransform from 'sdp-transform';
import { SfuError } from '../SfuError.js';
import { isPayloadType, offeredCodecs } from './offeredCodecs.js';
import type { ParsedMedia, ParsedSession } from './parsed.js';
import type { Direction, IceCredentials, Offer, OfferedHeaderExtension, OfferedMedia, OfferedSource } from './Offer.js';

export interface OfferLimits {
	/** The longest SDP, in bytes. */
	sdpBytes: number;
	/** The most m-lines. */
	mediaSections: number;
}

const fingerprintBytes: Record<FingerprintAlgorithm, number> = {
	'sha-1': 20,
	'sha-224': 28,
	'sha-256': 32,
	'sha-384': 48,
	'sha-512': 64,
};

// JSEP (RFC 8829, section 5.1.2) lists what must be accepted.
const rtpProtocol = /^(UDP\/TLS\/|TCP\/DTLS\/)?RTP\/SAVPF?$/;

// RFC 8839, section 5.4: ice-char, and the least and greatest lengths.
const iceUsernameFragment = /^[A-Za-z0-9+/]{4,256}$/;
const icePassword = /^[A-Za-z0-9+/]{22,256}$/;

const isDirection = (value: unknown): value is Direction =>
	value === 'sendrecv' || value === 'sendonly' || value === 'recvonly' || value === 'inactive';

const text = (value: string | number | undefined): string | undefined =>
	value === undefined || value === '' ? undefined : String(value);

const unsigned = (value: string | number | undefined, bound: number): number | undefined =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= bound ? value : undefined;

const invalid = (reason: string) => new SfuError('invalid_argument', `invalid offer: ${reason}`);

/**
 * Reads an SDP offer (RFC 8866, RFC 8829) into the terms of negotiation. Whatever it does not know it leaves out.
 *
 * @throws {@link SfuError} `too_large` beyond the limits, `invalid_argument` with the reason when no answer to it could work
 */
export function parseOffer(sdp: string, limits: OfferLimits): Offer {
	if (typeof sdp !== 'string') throw invalid('the SDP is not a string');
	const bytes = Buffer.byteLength(sdp);
	if (bytes > limits.sdpBytes) {
		throw new SfuError('too_large', `the SDP has ${bytes} bytes, more than the ${limits.sdpBytes} that are allowed`);
	}
	if (!sdp.startsWith('v=0')) throw invalid(sdp.trim() === '' ? 'the SDP is empty' : 'the SDP does not begin with v=0');

	// RFC 8866, section 9: the one byte beside the line ends that no value may have.
	if (sdp.includes('\0')) throw invalid('it has a NUL character');

	const session = sdpTransform.parse(sdp) as ParsedSession;
	const media = session.media ?? [];
	if (media.length === 0) throw invalid('it has no m-line');
	if (media.length > limits.mediaSections) {
		throw new SfuError(
			'too_large',
			`the offer has ${media.length} m-lines, more than the ${limits.mediaSections} that are allowed`,
		);
	}
	const sessionId = text(session.origin?.sessionId);
	if (sessionId === undefined) throw invalid('it has no valid o= line');

	const sections = media.map((parsed, index) => ({ parsed, index, stopped: isStopped(parsed) }));
	const live = sections.find(({ stopped }) => !stopped);
	if (!live) throw invalid('all of its m-lines have stopped');
	const offered = unbundledRejected(
		session,
		sections.map(({ parsed, index, stopped }) => offeredMedia(session, parsed, index, stopped)),
	);
	// The m-line that carries the transport (RFC 9143, section 7.2).
	const first = media[offered.find(({ kind }) => kind)?.index ?? live.index] ?? {};
	const offer: Offer = {
		sessionId,
		ice: iceCredentials(session, first),
		dtls: dtlsParameters(session, first),
		extmapAllowMixed: session.extmapAllowMixed !== undefined,
		media: offered,
	};
	checkUnique(
		offer.media.flatMap(({ mid }) => mid ?? []),
		(mid) => `two m-lines have the mid "${mid}"`,
	);
	checkUnique(
		offer.media.flatMap(({ source }) => (source ? [source.ssrc, source.rtxSsrc ?? []].flat() : [])),
		(ssrc) => `the SSRC ${ssrc} is announced twice`,
	);
	return offer;
}

/** Port 0 is no rejection where `a=bundle-only` is (RFC 9143, section 6). */
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
	const fingerprint = media.fingerprint ?? session.fingerprint;
	if (!fingerprint) throw invalid('it has no a=fingerprint');
	const setup = media.setup ?? session.setup;
	// Whoever offers both roles is left the one of the DTLS client (RFC 8842, section 5.3), as a server without a
	// known address of its peer can only wait.
	if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive') {
		throw invalid(setup === undefined ? 'it has no a=setup' : `a=setup:${setup} is not supported`);
	}
	return { role: setup === 'passive' ? 'server' : 'client', fingerprints: [dtlsFingerprint(fingerprint)] };
}

function dtlsFingerprint({ type, hash }: { type?: string | number; hash?: string | number }): DtlsFingerprint {
	const algorithm = String(type).toLowerCase();
	// The worker compares the value as a string, in upper case.
	const value = String(hash).toUpperCase();
	const bytes = Object.hasOwn(fingerprintBytes, algorithm)
		? fingerprintBytes[algorithm as FingerprintAlgorithm]
		: undefined;
	if (bytes === undefined) throw invalid(`the fingerprint algorithm "${algorithm}" is not supported`);
	const octets = value.split(':');
	if (octets.length !== bytes || !octets.every((octet) => /^[0-9A-F]{2}$/.test(octet))) {
		throw invalid(`its a=fingerprint is no ${algorithm} value`);
	}
	return { algorithm: algorithm as FingerprintAlgorithm, value };
}

function offeredMedia(session: ParsedSession, media: ParsedMedia, index: number, stopped: boolean): OfferedMedia {
	const type = text(media.type);
	const protocol = text(media.protocol);
	const formats = text(media.payloads);
	if (type === undefined || protocol === undefined || formats === undefined) {
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
		codecs: kind ? offeredCodecs(kind, media) : [],
		headerExtensions: kind ? headerExtensions(media) : [],
		source: kind ? source(media) : undefined,
		cname: text(media.ssrcs?.find(({ attribute }) => attribute === 'cname')?.value),
		streamId: streamId(media),
		rtcpRsize: media.rtcpRsize !== undefined,
		extmapAllowMixed: media.extmapAllowMixed !== undefined,
	};
}

/**
 * One transport carries everything (RFC 9143): what shares none with the first m-line that we can take is rejected.
 * The group may name mids that are not there; FFmpeg's always does.
 */
function unbundledRejected(session: ParsedSession, media: OfferedMedia[]): OfferedMedia[] {
	const first = media.find(({ kind }) => kind);
	const bundles = (session.groups ?? [])
		.filter(({ type }) => type === 'BUNDLE')
		.map(({ mids }) => new Set(String(mids).split(' ')));
	const bundle = bundles.find((mids) => first?.mid !== undefined && mids.has(first.mid));
	return media.map((section) =>
		section === first || (section.mid !== undefined && bundle?.has(section.mid))
			? section
			: { ...section, kind: undefined },
	);
}

/** Ids of one byte each in the two-byte form (RFC 8285); encrypted ones (RFC 6904) are beyond mediasoup. */
function headerExtensions({ ext = [] }: ParsedMedia): OfferedHeaderExtension[] {
	return ext.flatMap(({ value, uri, direction, 'encrypt-uri': encrypted }) => {
		const id = unsigned(value, 255);
		return id && text(uri) !== undefined && encrypted === undefined
			? [{ id, uri: String(uri), direction: isDirection(direction) ? direction : 'sendrecv' }]
			: [];
	});
}

function source({ ssrcs = [], ssrcGroups = [] }: ParsedMedia): OfferedSource | undefined {
	const ssrc = unsigned(ssrcs[0]?.id, 0xffffffff);
	if (!ssrc) return undefined;
	const [rtxSsrc] = ssrcGroups
		.filter(({ semantics }) => semantics === 'FID')
		.map((group) => String(group.ssrcs).split(' ').map(Number))
		.filter(([primary]) => primary === ssrc)
		.map(([, repair]) => unsigned(repair, 0xffffffff));
	return { ssrc, rtxSsrc: rtxSsrc === 0 ? undefined : rtxSsrc };
}

/** sdp-transform's pattern misses the braces of Firefox's ids. */
function streamId({ msid, invalid: unknown = [] }: ParsedMedia): string | undefined {
	const written =
		text(msid?.[0]?.id) ?? unknown.map(({ value }) => /^msid:(\S+)/.exec(String(value))?.[1]).find(Boolean);
	return written === '-' ? undefined : written;
}

function checkUnique<Value>(values: Value[], reason: (value: Value) => string): void {
	const seen = new Set<Value>();
	for (const value of values) {
		if (seen.has(value)) throw invalid(reason(value));
		seen.add(value);
	}
}
