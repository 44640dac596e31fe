import { getSupportedRtpCapabilities } from 'mediasoup';
import type { MediaKind, RtpCapabilities, RtpCodecParameters } from 'mediasoup/types';
import type { PayloadTypes } from './remap/payloadTypes.js';

const { codecs: supportedCodecs = [], headerExtensions: supportedExtensions = [] } = getSupportedRtpCapabilities();

/**
 * The capabilities to `consume()` with before an offer of the server: one codec, with all feedback and header extensions of
 * the worker.
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
