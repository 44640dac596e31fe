import { Lazy } from '../Lazy.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import type { AudioObservation } from './AudioObservers.js';
import { RoomRouter } from './RoomRouter.js';
import type { WorkerPool } from './WorkerPool.js';

/**
 * Decides on which workers a room is. Today a room has one router, on the worker with the fewest rooms. After a worker's
 * death the next call makes a router on another worker.
 */
export class RoomMedia {
	readonly #pool: WorkerPool;
	readonly #logger: Logger;
	readonly #audio: AudioObservation | undefined;
	readonly #router = new Lazy(() => this.#createRouter());
	#closed = false;

	/** @param audio - how to observe audio, and who is told; `undefined` not to observe it */
	constructor(pool: WorkerPool, logger: Logger, audio?: AudioObservation) {
		this.#pool = pool;
		this.#logger = logger;
		this.#audio = audio;
	}

	/** Closes the routers, and with them every transport, producer and consumer. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#router.current?.then(
			(router) => {
				router.close();
			},
			() => undefined,
		);
	}

	/**
	 * Makes sure that a worker carries the room.
	 *
	 * @throws {@link SfuError} (rejects) `unavailable` without a worker, `closed`
	 */
	async open(): Promise<void> {
		await this.#open();
	}

	/**
	 * The router for the connections of a user.
	 *
	 * @throws {@link SfuError} (rejects) `unavailable` without a worker, `closed`
	 */
	routerFor(_user: { readonly userId: string }): Promise<RoomRouter> {
		return this.#open();
	}

	async #open(): Promise<RoomRouter> {
		this.#assertOpen();
		return this.#router.get();
	}

	async #createRouter(): Promise<RoomRouter> {
		const router = await RoomRouter.create(this.#pool.leastLoaded(), this.#audio, this.#logger);
		if (this.#closed) router.close();
		this.#assertOpen();
		router.onceClosed(() => {
			this.#router.forget();
		});
		return router;
	}

	#assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the room has been closed');
	}
}
