import type { Logger } from '../Logger.js';
import type { CodecPolicy } from '../media/codecs.js';
import type { RoomMedia } from '../media/RoomMedia.js';
import type { LayerController } from '../layers/LayerController.js';
import type { ResolvedOptions } from '../options.js';
import type { Quota } from '../rooms/Quota.js';

/** What a connection needs of the room and the user that it belongs to. */
export interface ConnectionContext {
	readonly userId: string;
	readonly fabric: RoomMedia;
	readonly codecs: CodecPolicy;
	readonly pusherQuota: Quota;
	readonly dataPusherQuota: Quota;
	readonly pullerQuota: Quota;
	readonly layerController: LayerController;
	readonly options: ResolvedOptions;
	readonly logger: Logger;
}
