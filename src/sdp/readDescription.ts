import type { DtlsFingerprint, FingerprintAlgorithm } from 'mediasoup/types';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import type { Direction, OfferedHeaderExtension } from './Offer.js';
import { readOwnLine, type OwnLines } from './ownLines.js';
import type { ParsedMedia, ParsedSession } from './parsed.js';
import { isShared, parseSharedLines } from './sharedLines.js';

/** The limits of a session description. */
export interface DescriptionLimits {
	/** The longest SDP, in bytes. */
	sdpBytes: number;
	/** The greatest number of m-lines. */
	mediaSections: number;
}

/** The lines before the first m-line, or those of an m-line. */
interface SectionLines {
	own: OwnLines;
	shared: string[];
}

/** Sorts the lines by how they are read. The sections are that of the session, then those of the m-lines. */
function readSections(lines: readonly string[]): SectionLines[] {
	let section: SectionLines = { own: { whole: {} }, shared: [] };
	const sections = [section];
	for (const line of lines) {
		if (isShared(line)) {
			section.shared.push(line);
		} else if (line.startsWith('m=')) {
			section = { own: { whole: {} }, shared: [line] };
			sections.push(section);
		} else {
			readOwnLine(section.own, line);
		}
	}
	return sections;
}

/** Makes the error for an invalid description. `reason` says why it is invalid. */
export type Invalid = (reason: string) => SfuError;

/** Makes the errors for invalid offers, or for invalid answers. */
export const invalidBecause =
	(what: 'offer' | 'answer'): Invalid =>
	(reason) =>
		new SfuError('invalid_argument', `invalid ${what}: ${reason}`);

// RFC 8122, section 5 asks for SHA-256 at least, and no client of WebRTC has less.
const fingerprintBytes = new Map<string, number>([
	['sha-256', 32],
	['sha-384', 48],
	['sha-512', 64],
]);

/** Whether a value is a direction of an m-line. */
export const isDirection = (value: unknown): value is Direction =>
	value === 'sendrecv' || value === 'sendonly' || value === 'recvonly' || value === 'inactive';

/** A value as text. Undefined if there is none, or if it is empty. */
export const text = (value: string | number | undefined): string | undefined =>
	value === undefined || value === '' ? undefined : String(value);

/** A value if it is an integer from 0 to `bound`, otherwise undefined. */
export const unsigned = (value: string | number | undefined, bound: number): number | undefined =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= bound ? value : undefined;

/**
 * Reads SDP (RFC 8866), without looking into the m-lines.
 *
 * @throws {@link SfuError} `too_large` beyond the limits, `invalid_argument` if it is not SDP
 */
export function readDescription(sdp: string, what: 'offer' | 'answer', limits: DescriptionLimits): ParsedSession {
	const invalid = invalidBecause(what);
	if (typeof sdp !== 'string') throw invalid('the SDP is not a string');
	const bytes = Buffer.byteLength(sdp);
	if (bytes > limits.sdpBytes) {
		throw new SfuError('too_large', `the SDP has ${bytes} bytes, more than the ${limits.sdpBytes} that are allowed`);
	}
	if (!sdp.startsWith('v=0')) throw invalid(sdp.trim() === '' ? 'the SDP is empty' : 'the SDP does not begin with v=0');
	// RFC 8866, section 9: no value may have this byte.
	if (sdp.includes('\0')) throw invalid('it has a NUL character');
	// Some readers end a line here, and others do not.
	if (/[\u2028\u2029]/.test(sdp)) throw invalid('it has a line or paragraph separator (U+2028, U+2029)');

	const [ofSession, ...ofMedia] = readSections(sdp.split(/\r\n|\r|\n/));
	if (ofMedia.length === 0) throw invalid('it has no m-line');
	if (ofMedia.length > limits.mediaSections) {
		throw new SfuError(
			'too_large',
			`the ${what} has ${ofMedia.length} m-lines, more than the ${limits.mediaSections} that are allowed`,
		);
	}
	const parse = ({ own, shared }: SectionLines): ParsedMedia => ({ ...own, ...parseSharedLines(shared) });
	return { ...(ofSession && parse(ofSession)), media: ofMedia.map(parse) };
}

/**
 * The fingerprint of an m-line, or that of the session if the m-line has none. The first one of several that can be checked
 * counts: each of them must be that of the certificate (RFC 8122, section 5).
 */
export function readFingerprint(session: ParsedSession, media: ParsedMedia, invalid: Invalid): DtlsFingerprint {
	const lines = media.whole?.fingerprint ?? session.whole?.fingerprint ?? [];
	const written = lines.map((line) => {
		const [algorithm = '', value = ''] = line.split(/\s+/);
		// The worker compares the value as a string, in upper case.
		return { algorithm: algorithm.toLowerCase(), value: value.toUpperCase() };
	});
	const fingerprint = written.find(({ algorithm }) => fingerprintBytes.has(algorithm));
	if (!fingerprint) {
		if (written.length === 0) throw invalid('it has no a=fingerprint');
		throw invalid(`the fingerprint algorithm ${quoted(written[0]?.algorithm ?? '')} is not supported`);
	}
	const { algorithm, value } = fingerprint;
	const octets = /^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(value) ? (value.length + 1) / 3 : 0;
	if (octets !== fingerprintBytes.get(algorithm)) {
		throw invalid(`its a=fingerprint is no ${algorithm} value`);
	}
	return { algorithm: algorithm as FingerprintAlgorithm, value };
}

/**
 * The limit of the `b=` lines, in bit/s: that of `TIAS`, which leaves out the overhead of the lower layers (RFC 3890), or
 * that of `AS`. 0 counts as no limit, because some clients mean nothing by it, and some mean no limit.
 */
export function readBandwidth({ bandwidth = [] }: ParsedSession | ParsedMedia): number | undefined {
	const limit = (modifier: string) => unsigned(bandwidth.find(({ type }) => type === modifier)?.limit, 0xffffffff) ?? 0;
	const bound = limit('TIAS') > 0 ? limit('TIAS') : limit('AS') * 1000;
	return bound > 0 ? bound : undefined;
}

/** The header extensions of shared lines. */
const knownExtensions = new WeakMap<object, readonly OfferedHeaderExtension[]>();

/**
 * Reads the header extensions with ids of one byte (RFC 8285). mediasoup does not know encrypted ones (RFC 6904). The result for
 * the same lines is mostly the same list.
 */
export function readHeaderExtensions(session: ParsedSession, media: ParsedMedia): readonly OfferedHeaderExtension[] {
	const { ext: own = [] } = media;
	const known = session.ext ? undefined : knownExtensions.get(own);
	if (known) return known;
	// Those of the session hold for each m-line (RFC 8285, section 5), unless an m-line uses their ids or URIs otherwise.
	const taken = new Set(own.flatMap(({ value, uri }) => [value, uri]));
	const shared = (session.ext ?? []).filter(({ value, uri }) => !taken.has(value) && !taken.has(uri));
	const read = [...own, ...shared].flatMap(({ value, uri, direction, 'encrypt-uri': encrypted }) => {
		const id = unsigned(value, 255);
		const direct = direction ?? 'sendrecv';
		return id && text(uri) !== undefined && encrypted === undefined && isDirection(direct)
			? [Object.freeze({ id, uri: String(uri), direction: direct })]
			: [];
	});
	if (!session.ext) knownExtensions.set(own, Object.freeze(read));
	return read;
}

// No group has more mids than an offer may have m-lines, but for a few that are not there.
const mostMids = 1000;

/** The mids of each `a=group:BUNDLE`, in its order. The first one that is used is the BUNDLE tag (RFC 9143, section 7.2). */
export const readBundles = ({ groups = [] }: ParsedSession): string[][] =>
	groups
		.filter(({ type }) => type.toUpperCase() === 'BUNDLE')
		.map(({ mids }) => mids.trim().split(/\s+/).slice(0, mostMids));

/** An ICE-lite agent waits for checks, and so do we (RFC 8445, section 6.1.1). */
export function refuseIceLite({ icelite }: ParsedSession, what: 'offer' | 'answer'): void {
	if (icelite === undefined) return;
	throw new SfuError('unsupported', `the ${what} has a=ice-lite, and two ICE-lite agents cannot connect`);
}

/** Checks that no value occurs twice. `reason` says why a value that does makes the description invalid. */
export function checkUnique<Value>(values: Value[], invalid: Invalid, reason: (value: Value) => string): void {
	const seen = new Set<Value>();
	for (const value of values) {
		if (seen.has(value)) throw invalid(reason(value));
		seen.add(value);
	}
}
