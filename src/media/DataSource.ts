import type { DataProducer, Router } from 'mediasoup/types';

/** A data channel that can be pulled. Whoever sends it on attaches it to a router by `RoomRouter.attachData()`. */
export interface DataSource {
	/** Receives the data channel. */
	readonly producer: DataProducer;
	/** The router of the producer. */
	readonly router: Router;
}
