import type { DtlsFingerprint, FingerprintAlgorithm } from 'mediasoup/types';
import sdpTransform from 'sdp-transform';
import { SfuError } from '../SfuError.js';
import type { Direction, OfferedHeaderExtension } from './Offer.js';
import type { ParsedMedia, ParsedSession } from './parsed.js';

/** How large a session description may be. */
export interface DescriptionLimits {
	/** The longest SDP, in bytes. */
	sdpBytes: number;
	/** The most m-lines. */
	mediaSections: number;
}

/** Makes the error that says why a description is refused. */
export type Invalid = (reason: string) => SfuError;

export const invalidBecause =
	(what: 'offer' | 'answer'): Invalid =>
	(reason) =>
		new SfuError('invalid_argument', `invalid ${what}: ${reason}`);

const fingerprintBytes: Record<FingerprintAlgorithm, number> = {
	'sha-1': 20,
	'sha-224': 28,
	'sha-256': 32,
	'sha-384': 48,
	'sha-512': 64,
};

export const isDirection = (value: unknown): value is Direction =>
	value === 'sendrecv' || value === 'sendonly' || value === 'recvonly' || value === 'inactive';

export const text = (value: string | number | undefined): string | undefined =>
	value === undefined || value === '' ? undefined : String(value);

export const unsigned = (value: string | number | undefined, bound: number): number | undefined =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= bound ? value : undefined;

/**
 * Reads SDP (RFC 8866) as such. What it makes of the m-lines is left to others.
 *
 * @throws {@link SfuError} `too_large` beyond the limits, `invalid_argument` when it is no SDP
 */
export function readDescription(
	sdp: string,
	what: 'offer' | 'answer',
	limits: DescriptionLimits,
): ParsedSession & { media: ParsedMedia[] } {
	const invalid = invalidBecause(what);
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
			`the ${what} has ${media.length} m-lines, more than the ${limits.mediaSections} that are allowed`,
		);
	}
	return { ...session, media };
}

/** The fingerprint at an m-line or, without one there, of the session. */
export function readFingerprint(session: ParsedSession, media: ParsedMedia, invalid: Invalid): DtlsFingerprint {
	const fingerprint = media.fingerprint ?? session.fingerprint;
	if (!fingerprint) throw invalid('it has no a=fingerprint');
	const algorithm = String(fingerprint.type).toLowerCase();
	// The worker compares the value as a string, in upper case.
	const value = String(fingerprint.hash).toUpperCase();
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

/**
 * The bound of a `b=` line, in bit/s: `TIAS`, without the overhead of the lower layers (RFC 3890), or else `AS`. 0, by
 * which some mean nothing and some anything, is none.
 */
export function readBandwidth({ bandwidth = [] }: ParsedSession | ParsedMedia): number | undefined {
	const limit = (modifier: string) => unsigned(bandwidth.find(({ type }) => type === modifier)?.limit, 0xffffffff) ?? 0;
	const bound = limit('TIAS') > 0 ? limit('TIAS') : limit('AS') * 1000;
	return bound > 0 ? bound : undefined;
}

/** Ids of one byte each in the two-byte form (RFC 8285); encrypted ones (RFC 6904) are beyond mediasoup. */
export function readHeaderExtensions({ ext = [] }: ParsedMedia): OfferedHeaderExtension[] {
	return ext.flatMap(({ value, uri, direction, 'encrypt-uri': encrypted }) => {
		const id = unsigned(value, 255);
		const known = direction ?? 'sendrecv';
		return id && text(uri) !== undefined && encrypted === undefined && isDirection(known)
			? [{ id, uri: String(uri), direction: known }]
			: [];
	});
}

export function checkUnique<Value>(values: Value[], invalid: Invalid, reason: (value: Value) => string): void {
	const seen = new Set<Value>();
	for (const value of values) {
		if (seen.has(value)) throw invalid(reason(value));
		seen.add(value);
	}
}
