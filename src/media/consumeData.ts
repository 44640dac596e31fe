import type { DataConsumer, DataConsumerOptions, WebRtcTransport } from 'mediasoup/types';
import { SfuError } from '../SfuError.js';

/** The delivery of messages, in the terms of RTCDataChannel. */
export interface Delivery {
	readonly ordered: boolean;
	readonly maxPacketLifeTime: number | undefined;
	readonly maxRetransmits: number | undefined;
}

export const reliableDelivery: Delivery = { ordered: true, maxPacketLifeTime: undefined, maxRetransmits: undefined };

// The longest lifetime that SCTP can be told, in ms.
const longestLifeTime = 0xffff;

/**
 * The delivery that mediasoup can do. It knows limits of unordered messages only, and takes a missing limit for 0. So a
 * message with a lifetime is sent once and may wait that long. A number of retransmissions would drop every message that has
 * to wait, so the longest lifetime stands for it. Messages without a limit are ordered, because nothing else is reliable.
 */
function possibleDelivery({ ordered, maxPacketLifeTime, maxRetransmits }: Delivery) {
	if (ordered || (maxPacketLifeTime === undefined && maxRetransmits === undefined)) return { ordered: true };
	return { ordered: false, maxPacketLifeTime: maxPacketLifeTime ?? longestLifeTime };
}

/**
 * Consumes a data producer on a given SCTP stream. mediasoup takes no stream id and counts up from 0. But a reply belongs on
 * the data channel's own stream, and data channels that the server opens belong on its half of the ids (RFC 8832, section
 * 6). So the method that chooses the id is replaced during the call. mediasoup calls it before its first await.
 */
export async function consumeDataOn(
	transport: WebRtcTransport,
	streamId: number,
	dataProducerId: string,
	delivery: Delivery,
	options: Pick<DataConsumerOptions, 'paused'> = {},
): Promise<DataConsumer> {
	const choosing = transport as unknown as { allocateSctpStreamId?: () => number };
	choosing.allocateSctpStreamId = () => streamId;
	let consuming: Promise<DataConsumer>;
	try {
		consuming = transport.consumeData({
			...options,
			dataProducerId,
			...possibleDelivery(delivery),
		});
	} finally {
		delete choosing.allocateSctpStreamId;
	}
	const consumer = await consuming;
	const chosen = consumer.sctpStreamParameters?.streamId;
	if (chosen === streamId) return consumer;
	consumer.close();
	throw new SfuError('internal', `mediasoup chose the stream ${chosen}, not ${streamId}`);
}
