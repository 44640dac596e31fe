import type { MediaKind, RtcpFeedback } from 'mediasoup/types';
import sdpTransform from 'sdp-transform';
import type { OfferedCodec } from './Offer.js';
import type { ParsedMedia } from './parsed.js';

type Parameters = Record<string, string | number>;

// These are not media codecs: repair, redundancy, comfort noise and tones.
const auxiliary = /^(rtx|red|ulpfec|flexfec.*|cn|telephone-event)$/i;

const registeredNames = new Map(['opus', 'VP8', 'VP9', 'H264', 'AV1'].map((name) => [name.toLowerCase(), name]));

/** Reads the media codecs of an m-line in its order of preference. A codec with RTX has the payload type of that, too. */
export function offeredCodecs(kind: MediaKind, media: ParsedMedia): OfferedCodec[] {
	// There are at most 128, however often the m-line repeats them.
	const preference = new Set(String(media.payloads).split(' ').filter(isPayloadType).map(Number));
	const rtpmaps = new Map((media.rtp ?? []).map((rtp) => [rtp.payload, rtp]));
	const parameters = fmtpParameters(media);
	const rtxPayloadTypes = new Map<unknown, number>();
	for (const payloadType of preference) {
		const repaired = parameters.get(payloadType)?.apt;
		if (/^rtx$/i.test(String(rtpmaps.get(payloadType)?.codec)) && !rtxPayloadTypes.has(repaired)) {
			rtxPayloadTypes.set(repaired, payloadType);
		}
	}
	const codecs: OfferedCodec[] = [];
	for (const payloadType of preference) {
		const { codec, rate, encoding: channels = 1 } = rtpmaps.get(payloadType) ?? {};
		if (codec === undefined || auxiliary.test(String(codec)) || !isCount(rate) || !isCount(channels)) continue;
		const rtxPayloadType = rtxPayloadTypes.get(payloadType);
		const hasRtx = rtxPayloadType !== undefined && rtpmaps.get(rtxPayloadType)?.rate === rate;
		const name = registeredNames.get(String(codec).toLowerCase()) ?? String(codec);
		codecs.push({
			name,
			mimeType: `${kind}/${name}`,
			payloadType,
			clockRate: rate,
			channels,
			parameters: parameters.get(payloadType) ?? {},
			rtcpFeedback: rtcpFeedback(media, payloadType),
			rtxPayloadType: hasRtx ? rtxPayloadType : undefined,
		});
	}
	return codecs;
}

const isCount = (value: unknown): value is number =>
	typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 0xffffffff;

/** Whether a format of an m= line is an RTP payload type: 0 to 127 (RFC 3551, section 6), without leading zeros. */
export const isPayloadType = (format: string): boolean => /^(0|[1-9]\d{0,2})$/.test(format) && Number(format) <= 127;

/** The parameters of the first `a=fmtp` line of each payload type. They are numbers where mediasoup needs numbers. */
function fmtpParameters({ fmtp = [] }: ParsedMedia): ReadonlyMap<unknown, Parameters> {
	const parameters = new Map<unknown, Parameters>();
	for (const { payload, config = '' } of fmtp) {
		if (!parameters.has(payload)) parameters.set(payload, readParameters(String(config)));
	}
	return parameters;
}

function readParameters(config: string): Parameters {
	const pairs = config.split(';').map((pair) => pair.trim());
	const written = sdpTransform.parseParams(pairs.join(';'));
	return Object.fromEntries(
		Object.entries(written).flatMap(([key, value]) =>
			value === undefined ? [] : [[key, key === 'profile-level-id' ? String(value) : value]],
		),
	);
}

function rtcpFeedback({ rtcpFb = [] }: ParsedMedia, payloadType: number): RtcpFeedback[] {
	const feedback = rtcpFb
		.filter(({ payload, type }) => type !== undefined && type !== '' && (payload === payloadType || payload === '*'))
		.map(({ type, subtype = '' }) => ({ type: String(type), parameter: String(subtype) }));
	return [...new Map(feedback.map((each) => [`${each.type} ${each.parameter}`, each])).values()];
}
