import type { WebRtcTransport } from 'mediasoup/types';
import { consumerCapabilities } from '../sdp/rtpParameters.js';
import { SfuError } from '../SfuError.js';
import type { ConnectionContext } from './ConnectionContext.js';
import type { PlannedPull } from './plan.js';
import { Puller } from './Puller.js';
import type { PusherCloseReason } from './Pusher.js';
import { Undo } from './Undo.js';

// mediasoup's worker has room for this many bytes of MID in what it sends.
const longestMid = 8;

/**
 * Sends on an m-line, paused as yet.
 *
 * @returns `undefined` when the pusher has gone meanwhile
 */
export async function createPuller(
	{ media, pusher, codec }: PlannedPull,
	transport: WebRtcTransport,
	connectionId: string,
	{ userId, fabric, pullerQuota, logger }: ConnectionContext,
): Promise<Puller | undefined> {
	const undo = new Undo();
	try {
		undo.add(pullerQuota.take());
		const lease = await fabric.lease(pusher.producer, codec);
		undo.add(() => {
			lease.release();
		});
		const consumer = await transport.consume({
			producerId: lease.producerId,
			rtpCapabilities: consumerCapabilities(media, codec, lease.rtx ? codec.rtxPayloadType : undefined),
			// The MID is only read by clients that have mediasoup's own id for its header extension.
			mid: media.mid !== undefined && Buffer.byteLength(media.mid) <= longestMid ? media.mid : `~${media.index}`,
			paused: true,
		});
		undo.add(() => {
			consumer.close();
		});
		if (transport.closed) throw new SfuError('closed', 'the connection has been closed');
		if (pusher.closed) throw new SfuError('not_found', 'the pusher has gone');
		const puller = new Puller({
			userId,
			targetUserId: pusher.userId,
			pusherId: pusher.pusherId,
			streamId: pusher.streamId,
			connectionId,
			mid: media.mid,
			consumer,
			logger,
		});
		// The worker tells of it too, but later.
		const follow = ({ reason }: { reason: PusherCloseReason }) => {
			puller.close(reason === 'workerDied' ? reason : 'pusherClosed');
		};
		pusher.once('closed', follow);
		undo.add(() => {
			pusher.off('closed', follow);
		});
		puller.once('closed', undo.run);
		return puller;
	} catch (error) {
		undo.run();
		if (pusher.closed && !transport.closed) return undefined;
		throw error;
	}
}
