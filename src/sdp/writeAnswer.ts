import type { RtpCodecParameters, RtpParameters } from 'mediasoup/types';
import type { MediaDescription } from 'sdp-transform';
import {
	codecLines,
	dataLines,
	sessionLines,
	trackLines,
	transportLines,
	type LocalTransport,
	type SentTrack,
} from './lines.js';
import type { Direction, Offer, OfferedCodec, OfferedMediaSection } from './Offer.js';
import { isPayloadType } from './offeredCodecs.js';
import { formatParameters, headerExtensionUris } from './rtpParameters.js';
import { writeDescription } from './writeDescription.js';

/** Our answer to one m-line. Without `receive` and `send` nothing flows on it, and it can be used later. */
export interface MediaSectionToAnswer {
	/** The direction from our point of view. */
	direction: Direction;
	/** The media that we receive, paused or not. */
	receive?: RtpParameters;
	/** The most that we want to receive, in bit/s. */
	maxBitrate?: number;
	/** The bitrate at which the client begins to send video, in bit/s. */
	startBitrate?: number;
	/** The track that we send, paused or not. */
	send?: SentTrack;
}

/** An answer to a client's offer, to be written as SDP. */
export interface AnswerToWrite {
	offer: Offer;
	/** One entry for each m-line of the offer. The entries of m-lines without RTP are ignored. */
	media: readonly MediaSectionToAnswer[];
	transport: LocalTransport;
	sessionId: number;
	/** It rises with each answer of a session that differs from the one before. */
	sessionVersion: number;
}

type WrittenMedia = MediaDescription;

/** Writes the answer to an offer (RFC 8829, section 5.3): the same m-lines, with the same numbers. */
export function writeAnswer({ offer, media, transport, sessionId, sessionVersion }: AnswerToWrite): string {
	return writeDescription({
		...sessionLines(transport, { sessionId, sessionVersion, mids: offer.bundle }),
		...(offer.extmapAllowMixed && { extmapAllowMixed: 'extmap-allow-mixed' }),
		media: offer.media.map((offered, index) => {
			const answered = media[index] ?? { direction: 'inactive' as const };
			if (offered.data) return acceptData(offered, offer, transport);
			return offered.kind ? accept(offered, answered, offer, transport) : reject(offered);
		}),
	});
}

function mediaSection(offered: OfferedMediaSection, port: number, formats: string): WrittenMedia {
	return {
		type: offered.type,
		port,
		protocol: offered.protocol,
		payloads: formats,
		connection: { version: 4, ip: '127.0.0.1' },
		...(offered.mid !== undefined && { mid: offered.mid }),
		rtp: [],
		fmtp: [],
	};
}

function reject(offered: OfferedMediaSection): WrittenMedia {
	return { ...mediaSection(offered, 0, offered.formats), direction: 'inactive' };
}

// A client that offers active or actpass becomes the DTLS client, and so we wait for it.
const setup = ({ dtls }: Offer): string => (dtls.role === 'client' ? 'passive' : 'active');

/** Accepts data channels (RFC 8841, section 10.3). */
function acceptData(offered: OfferedMediaSection, offer: Offer, transport: LocalTransport): WrittenMedia {
	return {
		...mediaSection(offered, 9, offered.formats),
		setup: setup(offer),
		...transportLines(transport),
		...dataLines(transport),
	};
}

function accept(
	offered: OfferedMediaSection,
	answered: MediaSectionToAnswer,
	offer: Offer,
	transport: LocalTransport,
): WrittenMedia {
	return {
		...mediaSection(offered, 9, offered.formats.split(' ').find(isPayloadType) ?? ''),
		setup: setup(offer),
		...transportLines(transport),
		rtcpMux: 'rtcp-mux',
		...(offered.rtcpRsize && { rtcpRsize: 'rtcp-rsize' }),
		...(offered.extmapAllowMixed && { extmapAllowMixed: 'extmap-allow-mixed' }),
		direction: answered.direction,
		...((answered.receive ?? answered.send) ? activeRtp(offered, answered) : inactiveRtp(offered)),
		...(answered.send && trackLines(answered.send)),
		...(answered.receive && answered.maxBitrate !== undefined && bandwidthLines(answered.maxBitrate)),
	};
}

/** The first codec of an m-line on which nothing flows: an m-line needs a format. */
function inactiveRtp({ codecs: [codec] }: OfferedMediaSection): Partial<WrittenMedia> {
	if (!codec) return {};
	const { payloadType: payload, name, clockRate, channels } = codec;
	const config = formatParameters(writtenParameters(codec));
	return {
		payloads: String(payload),
		rtp: [{ payload, codec: name, rate: clockRate, ...(channels > 1 && { encoding: channels }) }],
		fmtp: config ? [{ payload, config }] : [],
	};
}

/** The most that we want to receive. Clients that know both modifiers use `TIAS` (RFC 3890), or the last one. */
function bandwidthLines(bitrate: number): Partial<WrittenMedia> {
	return {
		bandwidth: [
			{ type: 'AS', limit: Math.ceil(bitrate / 1000) },
			{ type: 'TIAS', limit: bitrate },
		],
	};
}

/** The codecs that we receive come first, because the offerer sends with the first codec of the answer. */
function activeRtp(
	offered: OfferedMediaSection,
	{ receive, send, startBitrate }: MediaSectionToAnswer,
): Partial<WrittenMedia> {
	const hinted = receive && startBitrate !== undefined ? withStartBitrate(receive, startBitrate) : receive;
	const parameters = [hinted ?? [], send?.parameters ?? []].flat();
	const negotiated = uniqueBy(
		parameters.flatMap((side) => side.codecs),
		({ payloadType }) => payloadType,
	);
	const media = negotiated.filter((codec) => isOffered(offered, codec));
	const codecs = negotiated
		.filter((codec) => media.includes(codec) || isOfferedRtx(offered, codec, media))
		.map((codec) => withWrittenProfile(codec, offered));
	if (codecs.length === 0) return inactiveRtp(offered);
	const headerExtensions = uniqueBy(
		parameters.flatMap((side) => side.headerExtensions ?? []),
		({ id }) => id,
	).flatMap((extension) => {
		const offer = offered.headerExtensions.find(({ id, uri }) => id === extension.id && uri === extension.uri);
		return offer ? [{ ...extension, direction: reversed[offer.direction] }] : [];
	});
	const hasRids = headerExtensions.some(({ uri }) => uri === headerExtensionUris.rid);
	return { ...codecLines(codecs, headerExtensions), ...(receive && hasRids && simulcastLines(offered, receive)) };
}

// The direction of a header extension from the other side (RFC 8285, section 6). An offer need not say `sendrecv`.
const reversed: Record<Direction, Direction | undefined> = {
	sendrecv: undefined,
	sendonly: 'recvonly',
	recvonly: 'sendonly',
	inactive: 'inactive',
};

/**
 * The simulcast streams that we receive (RFC 8853, section 5.3.2). Those that the client has paused stay paused: an answer
 * without the pause would make Chromium send what its app has stopped. A later offer may have fewer streams than the one
 * that was negotiated.
 */
function simulcastLines({ rids }: OfferedMediaSection, { encodings = [] }: RtpParameters): Partial<WrittenMedia> {
	const received = encodings.flatMap(({ rid }) => rids.find((offered) => offered.rid === rid) ?? []);
	return received.length === 0
		? {}
		: {
				rids: received.map(({ rid: id }) => ({ id, direction: 'recv' })),
				simulcast: { dir1: 'recv', list1: received.map(({ rid, paused }) => (paused ? `~${rid}` : rid)).join(';') },
			};
}

/** The parameters of a codec as the offer has them. */
const writtenParameters = ({ parameters, writtenProfile }: OfferedCodec): Readonly<Record<string, unknown>> => ({
	...parameters,
	...(writtenProfile !== undefined && { 'profile-level-id': writtenProfile }),
});

/** Gives a codec the profile that the offer has: an answer must not have another one (RFC 6184, section 8.2.2). */
function withWrittenProfile(codec: RtpCodecParameters, { codecs }: OfferedMediaSection): RtpCodecParameters {
	const offered = codecs.find(({ payloadType }) => payloadType === codec.payloadType);
	if (offered?.writtenProfile === undefined) return codec;
	return { ...codec, parameters: { ...(codec.parameters as object), 'profile-level-id': offered.writtenProfile } };
}

/** libwebrtc reads the start bitrate, in kbit/s, from the parameters of the codec that it sends. */
function withStartBitrate(receive: RtpParameters, bitrate: number): RtpParameters {
	const codecs = receive.codecs.map((codec, index) =>
		index === 0 && codec.mimeType.startsWith('video/')
			? {
					...codec,
					parameters: { ...(codec.parameters as object), 'x-google-start-bitrate': Math.ceil(bitrate / 1000) },
				}
			: codec,
	);
	return { ...receive, codecs };
}

/**
 * Whether the offer has a negotiated codec. A later offer may have fewer codecs than the one that was negotiated, and other
 * codecs with the same payload types.
 */
function isOffered({ codecs }: OfferedMediaSection, { mimeType, payloadType, clockRate }: RtpCodecParameters): boolean {
	return codecs.some(
		(offered) =>
			offered.payloadType === payloadType &&
			offered.mimeType.toLowerCase() === mimeType.toLowerCase() &&
			offered.clockRate === clockRate,
	);
}

/** Whether the offer has a codec as the RTX of one of `media`. */
function isOfferedRtx(
	{ codecs }: OfferedMediaSection,
	{ mimeType, payloadType, parameters }: RtpCodecParameters,
	media: readonly RtpCodecParameters[],
): boolean {
	if (!/\/rtx$/i.test(mimeType)) return false;
	const { apt } = parameters as { apt?: number };
	return (
		media.some((repaired) => repaired.payloadType === apt) &&
		codecs.some((offered) => offered.rtxPayloadType === payloadType && offered.payloadType === apt)
	);
}

function uniqueBy<Item>(items: readonly Item[], key: (item: Item) => unknown): Item[] {
	return items.filter((item, index) => items.findIndex((other) => key(other) === key(item)) === index);
}
