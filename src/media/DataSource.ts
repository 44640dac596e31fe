import type { DataProducer, Router } from 'mediasoup/types';

/** A data channel on a router of this process, until it is released. */
export interface DataLanding {
	readonly producer: DataProducer;
	readonly router: Router;
	/** Gives it back. Calling it again does nothing. */
	release: () => void;
}

/** A data channel that can be pulled. Whoever sends it on attaches it to a router by `RoomRouter.attachData()`. */
export interface DataSource {
	/** What receives it in this process. Undefined for one of another server that nobody pulls here. */
	readonly producer: DataProducer | undefined;
	/**
	 * Finds it on a router of this process, or brings it to one.
	 *
	 * @param router - where it is needed; it may be on another one already
	 * @throws {@link SfuError} (rejects) `not_found` if it has gone, `unavailable` if it is not reached
	 */
	land(router: Router): Promise<DataLanding>;
}

/** A data channel that is received on a router of this process. */
export class LocalDataSource implements DataSource {
	/** Receives the data channel. */
	readonly producer: DataProducer;
	/** The router of the producer. */
	readonly router: Router;

	constructor(producer: DataProducer, router: Router) {
		this.producer = producer;
		this.router = router;
	}

	land(): Promise<DataLanding> {
		const { producer, router } = this;
		return Promise.resolve({ producer, router, release: () => undefined });
	}
}
