import type { Consumer, RtpCapabilities, WebRtcTransport } from 'mediasoup/types';
import type { PayloadTypes } from '../media/codecs.js';
import { hasDescriptor, toldDescriptor } from '../media/dependencyDescriptor.js';
import { watchTrace } from '../media/watchTrace.js';
import type { LayeredPuller } from '../layers/LayerPolicy.js';
import { SfuError } from '../SfuError.js';
import type { ConnectionContext } from '../connections/ConnectionContext.js';
import { Puller } from './Puller.js';
import type { Pusher, PusherCloseReason } from './Pusher.js';
import { Rollback } from '../Rollback.js';

/** What to send on an m-line, and how. */
export interface PullerOptions {
	pusher: Pusher;
	/** The mid of the m-line. */
	mid: string | undefined;
	/** The MID that the packets have, of at most eight bytes: the worker has room for no more. */
	packetMid: string;
	/** The payload types that the SDP has for the pusher's codec. */
	payloadTypes: PayloadTypes;
	/** What the client can take, with RTX under the given payload type, or without. */
	capabilities: (rtxPayloadType: number | undefined) => RtpCapabilities;
}

/**
 * Sends on an m-line, paused as yet.
 *
 * @returns `undefined` when the pusher has gone meanwhile
 */
export async function createPuller(
	{ pusher, mid, packetMid, payloadTypes, capabilities }: PullerOptions,
	transport: WebRtcTransport,
	connectionId: string,
	{ userId, fabric, pullerQuota, layerController, logger }: ConnectionContext,
): Promise<Puller | undefined> {
	const undo = new Rollback();
	try {
		undo.add(pullerQuota.take());
		const lease = await fabric.lease(pusher.producer, payloadTypes);
		undo.add(() => {
			lease.release();
		});
		const rtpCapabilities = capabilities(lease.rtx ? payloadTypes.rtxPayloadType : undefined);
		const isDescribed = hasDescriptor(pusher.rtpParameters);
		const descriptor = isDescribed ? toldDescriptor(rtpCapabilities) : undefined;
		const lowestOnly = isDescribed && !descriptor && pusher.producer.type === 'svc';
		const consumer = await transport.consume({
			producerId: lease.producerId,
			rtpCapabilities,
			mid: packetMid,
			paused: true,
			...(lowestOnly && { preferredLayers: { spatialLayer: 0 } }),
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
			mid,
			consumer,
			descriptor,
			lowestOnly,
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
		const { layerSelection: selection } = puller;
		if (selection) {
			const { pusherId, rtpParameters, producer } = pusher;
			const source: LayeredPuller['source'] = {
				pusherId,
				rtpParameters,
				getStats: () => producer.getStats(),
				watchKeyframeRequests: (listener) => {
					const ends = (['pli', 'fir'] as const).map((type) => watchTrace(producer, type, listener));
					return () => {
						for (const end of ends) end();
					};
				},
			};
			const hold = (held: boolean) => puller.hold(held);
			const layered = { connectionId, consumer, source, selection, hold };
			undo.add(layerController.add(layered, hasEstimate(consumer) ? () => estimateOf(transport) : undefined));
		}
		puller.once('closed', undo.run);
		return puller;
	} catch (error) {
		undo.run();
		if (pusher.closed && !transport.closed) return undefined;
		throw error;
	}
}

/** Whether mediasoup learns of the client what bandwidth there is, and chooses the layers itself. */
function hasEstimate({ rtpParameters: { codecs } }: Consumer): boolean {
	return codecs.some(({ rtcpFeedback = [] }) =>
		rtcpFeedback.some(({ type }) => type === 'transport-cc' || type === 'goog-remb'),
	);
}

/** What it takes the client to be able to receive, in bit/s. */
async function estimateOf(transport: WebRtcTransport): Promise<number | undefined> {
	const [stats] = await transport.getStats();
	return stats?.availableOutgoingBitrate;
}
