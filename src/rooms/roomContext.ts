import { StreamIds } from '../connections/StreamIds.js';
import { withFields } from '../Logger.js';
import { LayerController } from '../layers/LayerController.js';
import type { AudioListener } from '../media/AudioObservers.js';
import type { CodecPolicy } from '../media/codecs.js';
import { RoomMedia } from '../media/RoomMedia.js';
import type { WorkerPool } from '../media/WorkerPool.js';
import type { ResolvedOptions } from '../options.js';
import type { Observers } from '../Observers.js';
import { AppPauses } from './AppPauses.js';
import { connectionMonitors } from './connectionMonitors.js';
import type { JoinOptions } from './JoinOptions.js';
import type { UserContext } from './UserContext.js';

/** What all users of a room share. */
export type RoomContext = Omit<UserContext, 'sharedQuota'>;

/** @param room - what the users ask of the room itself */
export function roomContext(
	roomId: string,
	{
		pool,
		codecs,
		listener,
		options,
		observers,
		mutesChanged,
	}: {
		pool: WorkerPool;
		codecs: CodecPolicy;
		listener: AudioListener;
		options: ResolvedOptions;
		observers: Observers;
		/** Called when the app has muted something, or has taken it back, for the other servers. */
		mutesChanged: (key: string, value: unknown) => void;
	},
	room: Pick<RoomContext, 'ban' | 'findUser' | 'follows' | 'othersThan'>,
): RoomContext {
	const { audioObservers: settings, logger, limits, webRtc } = options;
	const audio = settings && { settings, listener };
	return {
		pauses: new AppPauses(mutesChanged),
		media: new RoomMedia(pool, logger, { roomId, audio, limits }),
		codecs,
		layerController: new LayerController(webRtc.initialOutgoingBitrate, logger),
		streamIds: new StreamIds(),
		monitors: connectionMonitors(options),
		options,
		observers: observers.of({ roomId }),
		...room,
		logger: withFields(logger, { roomId }),
	};
}

/** What a user of the room gets, as its join says. */
export function userContext(room: RoomContext, { userId, sharedQuota, codecs, ...bitrates }: JoinOptions): UserContext {
	const { webRtc } = room.options;
	const { maxIncomingBitrate = webRtc.maxIncomingBitrate, maxOutgoingBitrate = webRtc.maxOutgoingBitrate } = bitrates;
	const isLimited = bitrates.maxIncomingBitrate !== undefined || bitrates.maxOutgoingBitrate !== undefined;
	return {
		...room,
		sharedQuota,
		...(codecs && { codecs: room.codecs.narrow(codecs) }),
		...(isLimited && { options: { ...room.options, webRtc: { ...webRtc, maxIncomingBitrate, maxOutgoingBitrate } } }),
		observers: room.observers.of({ userId }),
		logger: withFields(room.logger, { userId }),
	};
}
