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

/** A codec without payload types. */
interface CodecToAssign {
	kind: MediaKind;
	mimeType: string;
	clockRate: number;
	channels?: number;
	parameters: object;
}

/** A codec with the payload types that its producer gets. */
interface Assigned {
	readonly codec: CodecToAssign;
	readonly payloadTypes: PayloadTypes;
	/** The same for the same codec with the same payload types. */
	readonly key: string;
}

/** What the codecs of a router were last set for. The clients of one browser all have the same ones. */
const assigned = new WeakMap<Router, Partial<Record<MediaKind, Assigned>>>();

/**
 * Sets the router's codecs so that the next producer gets the wanted payload types. mediasoup reads them at the beginning of
 * `produce()`, so nothing may be awaited in between. A push has audio and video, so the router has the codec of either, if
 * it can: setting them takes longer than all else of a `produce()` in this process.
 */
export function setPayloadTypes(
	router: Router,
	{ kind, rtpParameters }: { kind: MediaKind; rtpParameters: RtpParameters },
	payloadTypes: PayloadTypes,
): void {
	const [codec] = rtpParameters.codecs;
	if (!codec) throw new SfuError('internal', 'no codec to produce with');
	const { mimeType, clockRate, channels, parameters = {} } = codec;
	const key = JSON.stringify([mimeType, clockRate, channels, parameters, payloadTypes]);
	const before = assigned.get(router);
	if (before?.[kind]?.key === key) return;
	const wanted = {
		codec: { kind, mimeType, clockRate, parameters, ...(channels !== undefined && { channels }) },
		payloadTypes,
		key,
	};
	// With other audio there will be other video, too.
	const audio = kind === 'video' && before?.audio && isBeside(before.audio, payloadTypes) ? before.audio : undefined;
	router.updateMediaCodecs(routerCodecs(wanted.codec, payloadTypes, audio));
	assigned.set(router, { ...(audio && { audio }), [kind]: wanted });
}

/** Whether a router can have audio beside video with these payload types. */
const isBeside = ({ payloadTypes: audio }: Assigned, { payloadType, rtxPayloadType }: PayloadTypes): boolean =>
	audio.payloadType !== payloadType && audio.payloadType !== rtxPayloadType;
/**
 * The codecs for `updateMediaCodecs()`, so that the next producer gets the wanted payload types. The payload type of RTX
 * cannot be asked for: it is the first free one. Filler codecs, which no client is ever offered, take those before it.
 *
 * @param audio - beside video, if there shall be both
 */
export function routerCodecs(
	{ kind, mimeType, clockRate, channels, parameters }: CodecToAssign,
	{ payloadType, rtxPayloadType }: PayloadTypes,
	audio?: Pick<Assigned, 'codec' | 'payloadTypes'>,
): RouterRtpCodecCapability[] {
	const rtxIndex = rtxPayloadType === undefined ? -1 : dynamicPayloadTypes.indexOf(rtxPayloadType);
	const fillers = dynamicPayloadTypes
		.slice(0, Math.max(rtxIndex, 0))
		.filter((filler) => filler !== payloadType && filler !== audio?.payloadTypes.payloadType)
		.map((filler) => ({
			kind: 'audio' as const,
			mimeType: 'audio/telephone-event',
			clockRate: 8000,
			preferredPayloadType: filler,
		}));
	return [
		...fillers,
		...(audio ? routerCodecs(audio.codec, audio.payloadTypes) : []),
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
