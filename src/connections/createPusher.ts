import type { WebRtcTransport } from 'mediasoup/types';
import type { RoomRouter } from '../media/RoomRouter.js';
import { Rollback } from '../Rollback.js';
import { producerParameters } from '../sdp/rtpParameters.js';
import { Pusher } from '../tracks/Pusher.js';
import type { ConnectionContext } from './ConnectionContext.js';
import type { NewPusher } from './negotiate.js';

/** The transport to receive on. */
export interface PusherTransport {
	connectionId: string;
	router: RoomRouter;
	transport: WebRtcTransport;
	/** The ids of the transport's header extensions by URI. Those of the pusher are added. */
	extensionIds: Map<string, number>;
}

/**
 * Creates a pusher. It is paused if the app has muted it before.
 *
 * @throws {@link SfuError} (rejects) `forbidden`, `limit_exceeded`, `closed`, and errors of mediasoup
 */
export async function createPusher(
	{ media, codec, options: { scalabilityMode, ...details } }: NewPusher,
	{ connectionId, router, transport, extensionIds }: PusherTransport,
	{ userId, gate, pusherQuota, streamIds, options, logger }: ConnectionContext,
): Promise<Pusher> {
	const rollback = new Rollback();
	try {
		const grant = gate.beginPush(media.kind, details.source);
		rollback.add(grant.giveBack);
		rollback.add(pusherQuota.take());
		const rtpParameters = producerParameters(media, codec, extensionIds, scalabilityMode);
		// Another pusher of the same offer may be created meanwhile.
		for (const { uri, id } of rtpParameters.headerExtensions ?? []) extensionIds.set(uri, id);
		const source = await router.produce(transport, {
			kind: media.kind,
			rtpParameters,
			keyFrameRequestDelay: options.webRtc.keyframeRequestDelay,
		});
		const { mid, streamId = connectionId } = media;
		const { limits, webRtc } = options;
		const { layersSettleTime } = webRtc;
		const { id: toldStreamId, release } = streamIds.take(connectionId, streamId);
		rollback.add(release);
		const pusher = new Pusher({
			userId,
			connectionId,
			mid,
			streamId,
			toldStreamId,
			details,
			source,
			limits,
			layersSettleTime,
			logger,
		});
		pusher.once('closed', rollback.run);
		rollback.add(() => {
			pusher.close('notPermitted');
		});
		grant.admit(pusher);
		return pusher;
	} catch (error) {
		rollback.run();
		throw error;
	}
}
