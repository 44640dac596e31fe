import type { DataProducer } from 'mediasoup/types';
import type { RoomRouter } from './RoomRouter.js';

/** A data channel that can be pulled. Whoever sends it on attaches it to a router by `RoomRouter.attachData()`. */
export interface DataSource {
	/** Receives the data channel. */
	readonly producer: DataProducer;
	/** The router that receives it. */
	readonly router: RoomRouter;
}
