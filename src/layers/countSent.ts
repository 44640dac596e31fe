import type { Consumer, RtpStreamSendStats } from 'mediasoup/types';

/** Counters of a consumer, since it was created. */
export interface SentCounters {
	/** The time of the count in ms, by `performance.now()`. */
	at: number;
	packets: number;
	bytes: number;
	/** The packets that the receiver reported as lost. */
	lost: number;
	/** The packets that the receiver requested again by NACK (RFC 4585, section 6.2.1). */
	nacked: number;
	/** The round trip time by the last report of the receiver, in ms. Undefined before the first one. */
	roundTripTime: number | undefined;
}

/** Reads the counters of a consumer; `undefined` if it has sent nothing yet, or has closed. */
export async function countSent(consumer: Consumer): Promise<SentCounters | undefined> {
	const all = await consumer.getStats().catch(() => []);
	const stats = all.find((one): one is RtpStreamSendStats => one.type === 'outbound-rtp');
	if (!stats) return undefined;
	const { packetCount, byteCount, packetsLost, nackPacketCount, roundTripTime } = stats;
	const at = performance.now();
	return { at, packets: packetCount, bytes: byteCount, lost: packetsLost, nacked: nackPacketCount, roundTripTime };
}
