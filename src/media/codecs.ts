import * as ortc from 'mediasoup/ortc';
import type { MediaKind, RouterRtpCodecCapability, RtpCapabilities } from 'mediasoup/types';
import { SfuError } from '../SfuError.js';
import type { OfferedCodec } from '../sdp/Offer.js';

/** A codec that a room takes. */
export interface CodecOption {
	kind: MediaKind;
	/** Media type and subtype, as in `video/VP8`. */
	mimeType: string;
	/** In Hz. */
	clockRate: number;
	/** Audio only. Default 1. */
	channels?: number;
	/** What tells variants of a codec apart: `profile-level-id`, `packetization-mode`, `profile-id`. */
	parameters?: Record<string, string | number>;
}

/**
 * What a room takes by default: what every browser sends or receives. H264 is Constrained Baseline with packetization
 * mode 1, the one that RFC 7742 makes all of them speak.
 */
export const defaultCodecs: readonly CodecOption[] = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
	{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000, parameters: { 'profile-id': 0 } },
	{
		kind: 'video',
		mimeType: 'video/H264',
		clockRate: 90000,
		parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
	},
	{ kind: 'video', mimeType: 'video/AV1', clockRate: 90000 },
];

/** The payload types of one codec, as somebody's SDP has them. */
export interface PayloadTypes {
	payloadType: number;
	rtxPayloadType: number | undefined;
}

// The order in which mediasoup gives out payload types that nobody asked for (its ortc.ts).
const dynamicPayloadTypes = [...Array.from({ length: 28 }, (_, index) => 100 + index), 96, 97, 98, 99];

/** Which codecs a room takes, with mediasoup's own rules for what is the same codec. */
export class CodecPolicy {
	readonly #capabilities: RtpCapabilities;

	/** @throws {@link SfuError} `invalid_argument` when mediasoup does not know a codec */
	constructor(codecs: readonly CodecOption[]) {
		try {
			this.#capabilities = ortc.generateRouterRtpCapabilities([...codecs] as RouterRtpCodecCapability[]);
		} catch (error) {
			throw new SfuError('invalid_argument', 'codecs has one that mediasoup does not support', { cause: error });
		}
	}

	accepts(codec: OfferedCodec, kind: MediaKind): boolean {
		return isSameCodec(codec, kind, this.#capabilities);
	}
}

/** The offered codec that is the same as one of `capabilities`, in the offer's order of preference. */
export function findCodec(
	offered: readonly OfferedCodec[],
	kind: MediaKind,
	capabilities: RtpCapabilities,
): OfferedCodec | undefined {
	return offered.find((codec) => isSameCodec(codec, kind, capabilities));
}

function isSameCodec(codec: OfferedCodec, kind: MediaKind, capabilities: RtpCapabilities): boolean {
	const { mimeType, payloadType, clockRate, channels, parameters } = codec;
	try {
		return ortc.canConsume(
			{
				codecs: [
					{ mimeType, payloadType, clockRate, ...(kind === 'audio' && { channels }), parameters: { ...parameters } },
				],
			},
			capabilities,
		);
	} catch {
		// A parameter of the offer that makes no sense to mediasoup, such as a profile-level-id that is none.
		return false;
	}
}

/** Whether {@link routerCodecs} can give RTX this payload type: only those that mediasoup itself gives out. */
export function isReachable(rtxPayloadType: number): boolean {
	return dynamicPayloadTypes.includes(rtxPayloadType);
}

/**
 * The codecs for `updateMediaCodecs()`, so that what is produced next has the wanted payload types. That of RTX cannot
 * be asked for: it is the first free one. Filler codecs, which nobody is ever offered, take those before it.
 */
export function routerCodecs(
	codec: { kind: MediaKind; mimeType: string; clockRate: number; channels?: number; parameters: object },
	{ payloadType, rtxPayloadType }: PayloadTypes,
): RouterRtpCodecCapability[] {
	const rtxIndex = rtxPayloadType === undefined ? -1 : dynamicPayloadTypes.indexOf(rtxPayloadType);
	const fillers = dynamicPayloadTypes
		.slice(0, Math.max(rtxIndex, 0))
		.filter((filler) => filler !== payloadType)
		.map((filler) => ({
			kind: 'audio' as const,
			mimeType: 'audio/telephone-event',
			clockRate: 8000,
			preferredPayloadType: filler,
		}));
	const { kind, mimeType, clockRate, channels, parameters } = codec;
	return [
		...fillers,
		{
			kind,
			mimeType,
			clockRate,
			...(kind === 'audio' && { channels: channels ?? 1 }),
			parameters: { ...parameters },
			preferredPayloadType: payloadType,
		},
	];
}
