import type { MediaKind, RtcpFeedback } from 'mediasoup/types';
import sdpTransform from 'sdp-transform';
import type { OfferedCodec } from './Offer.js';
import type { ParsedMedia } from './parsed.js';

// Not media of their own: repair, redundancy, comfort noise and tones.
const auxiliary = /^(rtx|red|ulpfec|flexfec.*|cn|telephone-event)$/i;

const registeredNames = new Map(['opus', 'VP8', 'VP9', 'H264', 'AV1'].map((name) => [name.toLowerCase(), name]));

/** The media codecs that an m-line offers, in its order of preference, each with its RTX payload type if it has one. */
export function offeredCodecs(kind: MediaKind, media: ParsedMedia): OfferedCodec[] {
	const preference = String(media.payloads).split(' ').map(Number);
	const byPayloadType = new Map((media.rtp ?? []).map((rtp) => [rtp.payload, rtp]));
	const parametersOf = (payloadType: number) => fmtpParameters(media, payloadType);
	return preference.flatMap((payloadType) => {
		const { codec, rate, encoding } = byPayloadType.get(payloadType) ?? {};
		if (codec === undefined || typeof rate !== 'number' || rate <= 0 || auxiliary.test(String(codec))) return [];
		if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) return [];
		const name = registeredNames.get(String(codec).toLowerCase()) ?? String(codec);
		return [
			{
				name,
				mimeType: `${kind}/${name}`,
				payloadType,
				clockRate: rate,
				channels: typeof encoding === 'number' ? encoding : 1,
				parameters: parametersOf(payloadType),
				rtcpFeedback: rtcpFeedback(media, payloadType),
				rtxPayloadType: preference.find(
					(other) =>
						/^rtx$/i.test(String(byPayloadType.get(other)?.codec)) && Number(parametersOf(other).apt) === payloadType,
				),
			},
		];
	});
}

/** The parameters of an `a=fmtp` line; numbers where mediasoup wants numbers. */
function fmtpParameters({ fmtp = [] }: ParsedMedia, payloadType: number): Record<string, string | number> {
	const config = fmtp.find(({ payload }) => payload === payloadType)?.config;
	const parameters = Object.entries(sdpTransform.parseParams(String(config ?? '')));
	return Object.fromEntries(
		parameters.flatMap(([key, value]) =>
			value === undefined ? [] : [[key.trim(), key.trim() === 'profile-level-id' ? String(value) : value]],
		),
	);
}

function rtcpFeedback({ rtcpFb = [] }: ParsedMedia, payloadType: number): RtcpFeedback[] {
	return rtcpFb
		.filter(({ payload }) => payload === payloadType || payload === '*')
		.map(({ type, subtype }) => ({ type: String(type), parameter: subtype === undefined ? '' : String(subtype) }));
}
