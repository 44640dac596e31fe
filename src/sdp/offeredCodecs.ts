import type { MediaKind, RtcpFeedback } from 'mediasoup/types';
import sdpTransform from 'sdp-transform';
import type { OfferedCodec } from './Offer.js';
import type { ParsedMedia } from './parsed.js';
import { formatFeedback, supportedFeedback } from './rtpParameters.js';

type Parameters = Record<string, string | number>;

// These are not media codecs: repair, redundancy, comfort noise and tones.
const auxiliary = /^(rtx|red|ulpfec|flexfec.*|cn|telephone-event)$/i;

const registeredNames = new Map(['opus', 'VP8', 'VP9', 'H264', 'AV1'].map((name) => [name.toLowerCase(), name]));

/** The codecs of the shared lines of m-lines. */
const known = new WeakMap<object, readonly OfferedCodec[]>();

/**
 * Reads the media codecs of an m-line in its order of preference. A codec with RTX has the payload type of that, too. The
 * result for the same lines is mostly the same list.
 */
export function offeredCodecs(kind: MediaKind, media: ParsedMedia): readonly OfferedCodec[] {
	const { rtp = [] } = media;
	const before = known.get(rtp);
	if (before) return before;
	const codecs = readCodecs(kind, media).map(frozen);
	known.set(rtp, codecs);
	return codecs;
}

/** Several offers have the codec. */
function frozen(codec: OfferedCodec): OfferedCodec {
	Object.freeze(codec.parameters);
	for (const feedback of codec.rtcpFeedback) Object.freeze(feedback);
	Object.freeze(codec.rtcpFeedback);
	return Object.freeze(codec);
}

function readCodecs(kind: MediaKind, media: ParsedMedia): OfferedCodec[] {
	// There are at most 128, however often the m-line repeats them.
	const preference = new Set(String(media.payloads).split(' ').filter(isPayloadType).map(Number));
	const rtpmaps = new Map((media.rtp ?? []).map((rtp) => [rtp.payload, rtp]));
	const parameters = fmtpParameters(media);
	const feedback = feedbackByFormat(media, preference);
	const rtxPayloadTypes = new Map<unknown, number>();
	for (const payloadType of preference) {
		const repaired = parameters.get(payloadType)?.apt;
		// Of audio, mediasoup has no RTX.
		if (kind === 'video' && /^rtx$/i.test(String(rtpmaps.get(payloadType)?.codec)) && !rtxPayloadTypes.has(repaired)) {
			rtxPayloadTypes.set(repaired, payloadType);
		}
	}
	const codecs: OfferedCodec[] = [];
	for (const payloadType of preference) {
		const { codec, rate, encoding: channels = 1 } = rtpmaps.get(payloadType) ?? {};
		// A codec whose parameters are too long is left out.
		if (parameters.has(payloadType) && parameters.get(payloadType) === undefined) continue;
		if (codec === undefined || auxiliary.test(String(codec)) || !isCount(rate) || !isCount(channels)) continue;
		const rtxPayloadType = rtxPayloadTypes.get(payloadType);
		const hasRtx = rtxPayloadType !== undefined && rtpmaps.get(rtxPayloadType)?.rate === rate;
		const name = registeredNames.get(String(codec).toLowerCase()) ?? String(codec);
		const { apt: _, ...written } = parameters.get(payloadType) ?? {};
		const profile = name === 'H264' ? constrainedBaseline(written['profile-level-id']) : undefined;
		codecs.push({
			name,
			mimeType: `${kind}/${name}`,
			payloadType,
			clockRate: rate,
			channels,
			parameters: profile === undefined ? written : { ...written, 'profile-level-id': profile },
			...(profile !== undefined && { writtenProfile: String(written['profile-level-id']) }),
			rtcpFeedback: [...(feedback.get(payloadType)?.values() ?? [])],
			rtxPayloadType: hasRtx ? rtxPayloadType : undefined,
		});
	}
	return codecs;
}

/**
 * The `profile-level-id` of Constrained Baseline for one of Baseline (RFC 6184, section 8.1). Encoders write Baseline that use
 * nothing beyond Constrained Baseline, such as x264; no browser decodes more.
 *
 * @returns `undefined` if it is not one of Baseline
 */
function constrainedBaseline(written: string | number | undefined): string | undefined {
	const [, constraints, level] = /^42([0-9a-f])0([0-9a-f]{2})$/i.exec(String(written)) ?? [];
	if (constraints === undefined || level === undefined) return undefined;
	const flags = Number.parseInt(constraints, 16);
	return (flags & 4) === 0 ? `42${(flags | 4).toString(16)}0${level}` : undefined;
}

const isCount = (value: unknown): value is number =>
	typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 0xffffffff;

/** Whether a format of an m= line is an RTP payload type: 0 to 127 (RFC 3551, section 6), without leading zeros. */
export const isPayloadType = (format: string): boolean => /^(0|[1-9]\d{0,2})$/.test(format) && Number(format) <= 127;

// Everybody who pulls is told the parameters. Those of browsers have less than 100 characters, sprop-parameter-sets some 200.
const longestParameters = 1024;

/**
 * The parameters of the first `a=fmtp` line of each payload type, `undefined` if they are too long.
 *
 * They are numbers where mediasoup needs numbers.
 */
function fmtpParameters({ fmtp = [] }: ParsedMedia): ReadonlyMap<unknown, Parameters | undefined> {
	const parameters = new Map<unknown, Parameters | undefined>();
	for (const { payload, config = '' } of fmtp) {
		const text = String(config);
		if (!parameters.has(payload))
			parameters.set(payload, text.length > longestParameters ? undefined : readParameters(text));
	}
	return parameters;
}

function readParameters(config: string): Parameters {
	const pairs = config.split(';').map((pair) => pair.trim());
	const written = sdpTransform.parseParams(pairs.join(';'));
	return Object.fromEntries(
		Object.entries(written).flatMap(([key, value]) =>
			value === undefined ? [] : [[key, key !== 'profile-level-id' && isInt32(value) ? value : String(value)]],
		),
	);
}

// mediasoup writes a number into 32 bits.
const isInt32 = (value: unknown): boolean => typeof value === 'number' && value === (value | 0);

// The feedback that the worker may send and understands. The rest is not read, however much there is.
const knownFeedback = new Set(Object.values(supportedFeedback).flat());

/**
 * The known feedback (`a=rtcp-fb`) of each payload type, in the order of the lines. That of `*` is for all.
 *
 * @param payloadTypes - those that the m-line lists
 */
function feedbackByFormat({ rtcpFb = [] }: ParsedMedia, payloadTypes: ReadonlySet<number>) {
	const feedback = new Map<number, Map<string, RtcpFeedback>>([...payloadTypes].map((each) => [each, new Map()]));
	const ofAll = new Set<string>();
	for (const { payload, type, subtype = '' } of rtcpFb) {
		const each = { type: String(type), parameter: String(subtype) };
		const written = formatFeedback(each);
		// A line for all is read once.
		if (!knownFeedback.has(written) || (payload === '*' && ofAll.has(written))) continue;
		if (payload === '*') ofAll.add(written);
		const receivers = payload === '*' ? [...feedback.values()] : [feedback.get(Number(payload)) ?? []].flat();
		for (const receiver of receivers) if (!receiver.has(written)) receiver.set(written, each);
	}
	return feedback;
}
