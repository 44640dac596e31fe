import type { RtpCodecParameters } from 'mediasoup/types';
import { findCodec, type CodecPolicy } from '../media/codecs.js';
import type { SentTrack } from '../sdp/lines.js';
import type { Offer, OfferedCodec } from '../sdp/Offer.js';
import { codecCapabilities, formatFeedback, supportedFeedback } from '../sdp/rtpParameters.js';
import { SfuError } from '../SfuError.js';
import type { Pusher } from '../tracks/Pusher.js';
import { keep, receives, removed, type MediaSection, type Negotiation } from './negotiate.js';
import { describeUnusable, whyNoCodec } from './rejections.js';

/** The MediaStream of all m-lines. One RTCPeerConnection has no other. */
const streamId = 'watch';

/**
 * Negotiates an offer of a client that is sent one audio and one video, which may be other ones later without another offer.
 * The answer has all codecs that both sides have, and no sources: the client takes whatever comes with a payload type of the
 * m-line. So each kind has one m-line, the first that receives. Header extensions are left out, because those of
 * a later pusher could not be told.
 *
 * @param targets - the pushers to send; of each kind the first counts. One without a codec in common is left out
 * @throws {@link SfuError} `unsupported` if the offer receives nothing, or if an m-line has no codec of the room
 */
export function negotiateWatch(
	offer: Offer,
	sections: readonly MediaSection[],
	targets: readonly Pusher[],
	codecs: CodecPolicy,
): Negotiation {
	const negotiated = keep(offer, sections, codecs);
	for (const kind of ['audio', 'video'] as const) {
		const section = negotiated.find(({ media }) => media.kind === kind && receives(media));
		if (!section) continue;
		const { media } = section;
		const common = codecs.select(media.codecs, kind).map(withoutEstimates);
		if (common.length === 0) throw new SfuError('unsupported', `m-line ${media.index}: ${whyNoCodec(media, codecs)}`);
		section.standby = sentTrack(common, kind);
		const target = targets.find((pusher) => pusher.kind === kind && !pusher.closed);
		if (section.puller && section.puller.pusherId === target?.pusherId) continue;
		section.puller = undefined;
		const codec = target && findCodec(common, kind, codecCapabilities(target.pullSource));
		if (target && codec) section.pull = { media: { ...media, kind, headerExtensions: [] }, pusher: target, codec };
	}
	if (!negotiated.some(({ standby }) => standby)) {
		throw new SfuError('unsupported', `the offer receives neither audio nor video${describeUnusable(offer)}`);
	}
	return { sections: negotiated, removed: removed(negotiated, sections) };
}

/** Without the header extension of transport-wide congestion control its feedback tells nothing. */
const withoutEstimates = (codec: OfferedCodec): OfferedCodec => ({
	...codec,
	rtcpFeedback: codec.rtcpFeedback.filter(({ type }) => type !== 'goog-remb' && type !== 'transport-cc'),
});

function sentTrack(common: readonly OfferedCodec[], kind: 'audio' | 'video'): SentTrack {
	const codecs = common.flatMap((codec): RtpCodecParameters[] => {
		const { mimeType, payloadType, clockRate, channels, rtxPayloadType, parameters, rtcpFeedback } = codec;
		const feedback = rtcpFeedback.filter((each) => supportedFeedback[kind].includes(formatFeedback(each)));
		return [
			{
				...{ mimeType, payloadType, clockRate, rtcpFeedback: feedback },
				...(kind === 'audio' && { channels }),
				parameters: { ...parameters },
			},
			...(rtxPayloadType === undefined
				? []
				: [
						{
							...{ mimeType: `${kind}/rtx`, payloadType: rtxPayloadType, clockRate, rtcpFeedback: [] },
							parameters: { apt: payloadType },
						},
					]),
		];
	});
	return { parameters: { codecs, headerExtensions: [], encodings: [] }, streamId, trackId: kind };
}
