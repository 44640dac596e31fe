import type { LayerController } from '../layers/LayerController.js';
import type { Logger } from '../Logger.js';
import type { Observers } from '../Observers.js';
import type { CodecPolicy } from '../media/codecs.js';
import type { RoomMedia } from '../media/RoomMedia.js';
import type { ResolvedOptions } from '../options.js';
import type { PullerQuota, Quota } from '../Quota.js';
import type { MediaGate } from '../tracks/MediaGate.js';
import type { StreamIds } from './StreamIds.js';

/** The parts of a room and a user that the user's connections need. */
export interface ConnectionContext {
	readonly userId: string;
	readonly media: RoomMedia;
	readonly codecs: CodecPolicy;
	readonly connectionQuota: Quota;
	readonly pusherQuota: Quota;
	readonly dataPusherQuota: Quota;
	readonly pullerQuota: PullerQuota;
	/** The permissions of the user. */
	readonly gate: MediaGate;
	readonly layerController: LayerController;
	readonly streamIds: StreamIds;
	readonly options: ResolvedOptions;
	/** Those who follow the operations of the user. */
	readonly observers: Observers;
	readonly logger: Logger;
}
