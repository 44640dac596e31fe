import type { DataConsumer, DataConsumerOptions, DataProducer, WebRtcTransport } from 'mediasoup/types';
import { SfuError } from '../SfuError.js';

/** How messages are delivered, as RTCDataChannel has it. */
export interface Delivery {
	readonly ordered: boolean;
	readonly maxPacketLifeTime: number | undefined;
	readonly maxRetransmits: number | undefined;
}

export const reliableDelivery: Delivery = { ordered: true, maxPacketLifeTime: undefined, maxRetransmits: undefined };

// The longest that it can be told.
const longestLifeTime = 0xffff;

/**
 * What mediasoup can do of it. It knows limits of unordered messages only, and takes a limit that is absent for 0. So with
 * a lifetime they are sent once and may wait for as long; with a number of retransmissions they would be gone when they
 * have to wait at all. What has no limit is ordered, as nothing else is reliable.
 */
function possibleDelivery({ ordered, maxPacketLifeTime, maxRetransmits }: Delivery) {
	if (ordered || (maxPacketLifeTime === undefined && maxRetransmits === undefined)) return { ordered: true };
	return { ordered: false, maxPacketLifeTime: maxPacketLifeTime ?? longestLifeTime };
}

/**
 * Sends what a data producer receives on a stream of SCTP. mediasoup does not take the id of the stream, and counts up
 * from 0; but the answer to a data channel belongs on the channel's own stream, and what we open ourselves on one of our
 * half (RFC 8832, section 6). So the method that chooses is replaced for the length of the call, which it is asked in
 * before the first await.
 */
export async function consumeDataOn(
	transport: WebRtcTransport,
	streamId: number,
	dataProducer: DataProducer,
	delivery: Delivery,
	options: Pick<DataConsumerOptions, 'paused'> = {},
): Promise<DataConsumer> {
	const choosing = transport as unknown as { allocateSctpStreamId?: () => number };
	choosing.allocateSctpStreamId = () => streamId;
	let consuming: Promise<DataConsumer>;
	try {
		consuming = transport.consumeData({
			...options,
			dataProducerId: dataProducer.id,
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
