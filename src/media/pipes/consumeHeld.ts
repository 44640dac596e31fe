import type { Consumer, ConsumerOptions, PipeTransport, Producer, RtpCapabilities } from 'mediasoup/types';
import { hasDescriptor } from '../dependencyDescriptor.js';

/** These do not cross a pipe, as in `PipeTransport.consume()`. */
const withheldExtensions = new Set([
	'urn:ietf:params:rtp-hdrext:sdes:mid',
	'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
	'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
]);

/** A transport of any kind. */
interface Consuming {
	consume?: (this: PipeTransport, options: ConsumerOptions) => Promise<Consumer>;
}

/**
 * Takes a video in, on an end of a pair of pipe transports, so that nothing flows before `consumer.resume()`. A keyframe that
 * comes before the client can receive it is lost, and the worker asks for the next one only after `keyframeRequestDelay`.
 *
 * `PipeTransport.consume()` has no option `paused`, and asks for a keyframe at once if the pair is connected. The method that
 * it overrides has both `paused` and `pipe`. But that one does not add the dependency descriptor, so a video that has it is
 * taken in the usual way, and paused a moment later.
 *
 * @param rtx - whether lost packets are sent again over the pair
 */
export async function consumeHeld(end: PipeTransport, producer: Producer, rtx: boolean): Promise<Consumer> {
	const { consume: overridden } = Object.getPrototypeOf(Object.getPrototypeOf(end)) as Consuming;
	if (overridden && !hasDescriptor(producer.rtpParameters)) {
		return overridden.call(end, {
			producerId: producer.id,
			rtpCapabilities: pipeCapabilities(producer, rtx),
			enableRtx: rtx,
			pipe: true,
			paused: true,
		});
	}
	const consumer = await end.consume({ producerId: producer.id });
	await consumer.pause();
	return consumer;
}

function pipeCapabilities({ consumableRtpParameters }: Producer, rtx: boolean): RtpCapabilities {
	const { codecs, headerExtensions = [] } = consumableRtpParameters;
	return {
		codecs: codecs.map(({ payloadType, rtcpFeedback = [], ...codec }) => ({
			...codec,
			kind: 'video',
			preferredPayloadType: payloadType,
			rtcpFeedback: rtcpFeedback.filter(
				({ type, parameter }) =>
					(type === 'nack' && (parameter === 'pli' || (rtx && !parameter))) || (type === 'ccm' && parameter === 'fir'),
			),
		})),
		headerExtensions: headerExtensions
			.filter(({ uri }) => !withheldExtensions.has(uri))
			.map(({ uri, id }) => ({ kind: 'video', uri, preferredId: id })),
	};
}
