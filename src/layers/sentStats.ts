import type { Consumer, RtpStreamSendStats } from 'mediasoup/types';

/** What a consumer has sent; `undefined` when it was closed meanwhile, or has sent nothing. */
export async function sentStats(consumer: Consumer): Promise<RtpStreamSendStats | undefined> {
	try {
		return (await consumer.getStats()).find((stats): stats is RtpStreamSendStats => stats.type === 'outbound-rtp');
	} catch {
		return undefined;
	}
}
