import { getSupportedRtpCapabilities } from 'mediasoup';
import type { MediaKind, RtpCapabilities, RtpCodecParameters } from 'mediasoup/types';
import type { PayloadTypes } from './remap/payloadTypes.js';

const { codecs: supportedCodecs = [], headerExtensions: supportedExtensions = [] } = getSupportedRtpCapabilities();

/**
 * Capabilities to `consume()` with for a client that is going to be offered what comes of it: one codec, with all
 * feedback and header extensions that the worker can do.
 */
export function offeredCapabilities(
	kind: MediaKind,
	{ mimeType, clockRate, channels, parameters }: RtpCodecParameters,
	{ payloadType, rtxPayloadType }: PayloadTypes,
): RtpCapabilities {
	const isSame = (codec: { mimeType: string }) => codec.mimeType.toLowerCase() === mimeType.toLowerCase();
	const shared = { kind, clockRate };
	return {
		codecs: [
			{
				...shared,
				mimeType,
				preferredPayloadType: payloadType,
				...(kind === 'audio' && { channels: channels ?? 1 }),
				parameters: { ...(parameters as object) },
				rtcpFeedback: [...(supportedCodecs.find(isSame)?.rtcpFeedback ?? [])],
			},
			...(rtxPayloadType === undefined
				? []
				: [
						{
							...shared,
							mimeType: `${kind}/rtx`,
							preferredPayloadType: rtxPayloadType,
							parameters: { apt: payloadType },
							rtcpFeedback: [],
						},
					]),
		],
		headerExtensions: supportedExtensions.filter((extension) => extension.kind === kind),
	};
}
