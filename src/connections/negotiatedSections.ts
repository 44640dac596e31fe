import { consumerCapabilities } from '../sdp/rtpParameters.js';
import type { MediaSectionToAnswer } from '../sdp/writeAnswer.js';
import type { PullerOptions } from './createPuller.js';
import { receives, sends, type NegotiatedSection, type NewPuller } from './negotiate.js';

// mediasoup's worker has room for this many bytes of MID in the packets that it sends.
const longestMid = 8;

/** How to send a puller on an m-line. */
export function pullerOptions({ media, pusher, codec }: NewPuller): Omit<PullerOptions, 'flows'> {
	const { mid, index } = media;
	return {
		pusher,
		mid,
		// Only clients that have mediasoup's own id for this header extension read it.
		packetMid: mid !== undefined && Buffer.byteLength(mid) <= longestMid ? mid : `~${index}`,
		payloadTypes: codec,
		capabilities: (rtxPayloadType) => consumerCapabilities(media, codec, rtxPayloadType),
	};
}

/** A client pauses and resumes by the direction of its m-line. */
export async function followDirection({ media, pusher, puller }: NegotiatedSection): Promise<void> {
	await Promise.all([
		pusher && !pusher.closed && pusher.setPaused('direction', !sends(media)),
		puller && !puller.closed && puller.setPaused('direction', !receives(media)),
	]);
}

/** The bitrate limits of the m-lines on which video is sent. */
export const videoLimits = (sections: readonly NegotiatedSection[]): (number | undefined)[] =>
	sections
		.filter(({ media, puller }) => media.kind === 'video' && receives(media) && puller)
		.map(({ media }) => media.bandwidth);

/** Our answer to an m-line. */
export function toAnswer(
	{ media, pusher, puller, standby }: NegotiatedSection,
	startBitrate: number | undefined,
): MediaSectionToAnswer {
	if (standby) return { direction: 'sendonly', send: standby };
	const receive = pusher && !pusher.closed ? pusher.pullSource.rtpParameters : undefined;
	const send = puller && !puller.closed ? puller : undefined;
	const receiving = receive !== undefined && sends(media);
	const sending = send !== undefined && receives(media);
	return {
		direction: receiving ? (sending ? 'sendrecv' : 'recvonly') : sending ? 'sendonly' : 'inactive',
		...(receive && { receive, ...(startBitrate !== undefined && { startBitrate }) }),
		...(pusher && pusher.maxBitrate > 0 && { maxBitrate: pusher.maxBitrate }),
		...(send && { send: { parameters: send.rtpParameters, streamId: send.streamId, trackId: send.pusherId } }),
	};
}
