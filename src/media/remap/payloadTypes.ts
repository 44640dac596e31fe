import type { MediaKind, Router, RouterRtpCodecCapability, RtpParameters } from 'mediasoup/types';
import { SfuError } from '../../SfuError.js';

/** The payload types of one codec in an SDP. */
export interface PayloadTypes {
	payloadType: number;
	rtxPayloadType: number | undefined;
}

// The order in which mediasoup assigns payload types that nobody asked for (its ortc.ts).
const dynamicPayloadTypes = [...Array.from({ length: 28 }, (_, index) => 100 + index), 96, 97, 98, 99];

/** Whether {@link routerCodecs} can give RTX this payload type. mediasoup only assigns some of them. */
export function isReachable(rtxPayloadType: number): boolean {
	return dynamicPayloadTypes.includes(rtxPayloadType);
}

/** The same payload types, without RTX if mediasoup cannot assign its payload type. */
export function reachable({ payloadType, rtxPayloadType }: PayloadTypes): PayloadTypes {
	const hasRtx = rtxPayloadType !== undefined && isReachable(rtxPayloadType);
	return { payloadType, rtxPayloadType: hasRtx ? rtxPayloadType : undefined };
}

/** Whether a consumer of a producer with the payload types `own` sends the payload types `wanted`. */
export function fits(own: PayloadTypes, wanted: PayloadTypes): boolean {
	return (
		own.payloadType === wanted.payloadType &&
		(wanted.rtxPayloadType === undefined || wanted.rtxPayloadType === own.rtxPayloadType)
	);
}

/**
 * Sets the router's codecs so that the next producer gets the wanted payload types. mediasoup reads them at the beginning of
 * `produce()`, so nothing may be awaited in between.
 */
export function setPayloadTypes(
	router: Router,
	{ kind, rtpParameters }: { kind: MediaKind; rtpParameters: RtpParameters },
	payloadTypes: PayloadTypes,
): void {
	const [codec] = rtpParameters.codecs;
	if (!codec) throw new SfuError('internal', 'no codec to produce with');
	const { mimeType, clockRate, channels, parameters = {} } = codec;
	router.updateMediaCodecs(
		routerCodecs({ kind, mimeType, clockRate, parameters, ...(channels !== undefined && { channels }) }, payloadTypes),
	);
}

/**
 * The codecs for `updateMediaCodecs()`, so that the next producer gets the wanted payload types. The payload type of RTX
 * cannot be asked for: it is the first free one. Filler codecs, which no client is ever offered, take those before it.
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
