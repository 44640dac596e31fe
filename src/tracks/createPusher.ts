import type { WebRtcTransport } from 'mediasoup/types';
import { producerParameters } from '../sdp/rtpParameters.js';
import type { ConnectionContext } from '../connections/ConnectionContext.js';
import type { PlannedPush } from '../connections/negotiate.js';
import { Pusher } from './Pusher.js';
import { Rollback } from '../Rollback.js';

/**
 * Receives an m-line.
 *
 * @param extensionIds - the ids of header extensions on this transport, by URI; those of the m-line are added
 */
export async function createPusher(
	{ media, codec, options: { scalabilityMode, ...details } }: PlannedPush,
	transport: WebRtcTransport,
	connectionId: string,
	extensionIds: Map<string, number>,
	{ userId, fabric, pusherQuota, options, logger }: ConnectionContext,
): Promise<Pusher> {
	const undo = new Rollback();
	try {
		undo.add(pusherQuota.take());
		const rtpParameters = producerParameters(media, codec, extensionIds, scalabilityMode);
		const producer = await fabric.produce(transport, {
			kind: media.kind,
			rtpParameters,
			keyFrameRequestDelay: options.webRtc.keyframeRequestDelay,
		});
		for (const { uri, id } of rtpParameters.headerExtensions ?? []) extensionIds.set(uri, id);
		const pusher = new Pusher({
			userId,
			connectionId,
			mid: media.mid,
			streamId: media.streamId ?? connectionId,
			details,
			producer,
			requestKeyframe: fabric.requestKeyframe.bind(fabric),
			limits: options.limits,
			logger,
		});
		pusher.once('closed', undo.run);
		return pusher;
	} catch (error) {
		undo.run();
		throw error;
	}
}
