import { Lazy } from '../Lazy.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import type { AudioObservation } from './AudioObservers.js';
import type { LocalSource } from './LocalSource.js';
import { dataSizes, type DataLimits } from './pipes/PipePair.js';
import { RoomRouter } from './RoomRouter.js';
import type { MediaWorker, WorkerPool } from './WorkerPool.js';

/** The parts of a room that its media need. */
export interface RoomMediaOptions {
	roomId: string;
	/** How to observe audio, and who is told. `undefined` not to observe it. */
	audio?: AudioObservation | undefined;
	/** How much data channels carry, from one worker to another, too. */
	limits: DataLimits;
}

/**
 * Decides on which workers a room is. It has one router on each of them: the first one when it opens, and another one when
 * the workers that it is on are full. After a worker's death the next call makes a router on another worker.
 */
export class RoomMedia {
	readonly #pool: WorkerPool;
	readonly #logger: Logger;
	readonly #options: RoomMediaOptions;
	/** In the order in which they were made. */
	readonly #routers = new Map<MediaWorker, Lazy<RoomRouter>>();
	/** The tracks whose audio is observed, all on one router: only there somebody can be louder than another. */
	readonly #observed = new Set<LocalSource>();
	#closed = false;

	constructor(pool: WorkerPool, logger: Logger, options: RoomMediaOptions) {
		this.#pool = pool;
		this.#logger = logger;
		this.#options = options;
	}

	/** Closes the routers, and with them every transport, producer and consumer. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const router of this.#routers.values()) {
			router.current?.then(
				(made) => {
					made.close();
				},
				() => undefined,
			);
		}
	}

	/**
	 * Makes sure that a worker carries the room.
	 *
	 * @throws {@link SfuError} (rejects) `unavailable` without a worker, `closed`
	 */
	async open(): Promise<void> {
		await this.#home();
	}

	/**
	 * The router for a new connection of a user.
	 *
	 * @throws {@link SfuError} (rejects) `unavailable` without a worker, `closed`
	 */
	async routerFor({ userId }: { readonly userId: string }): Promise<RoomRouter> {
		this.#assertOpen();
		const { roomId } = this.#options;
		return this.#routerOn(this.#pool.place({ roomId, userId, carrying: [...this.#routers.keys()] }));
	}

	/** The first router of those that there are. */
	async #home(): Promise<RoomRouter> {
		this.#assertOpen();
		const [first] = this.#routers.keys();
		return this.#routerOn(first ?? this.#pool.place({ roomId: this.#options.roomId, carrying: [] }));
	}

	#routerOn(worker: MediaWorker): Promise<RoomRouter> {
		let router = this.#routers.get(worker);
		if (!router) {
			router = new Lazy(() => this.#createRouter(worker));
			this.#routers.set(worker, router);
		}
		return router.get();
	}

	async #createRouter(worker: MediaWorker): Promise<RoomRouter> {
		const { audio, limits } = this.#options;
		try {
			const router = await RoomRouter.create(worker, {
				audio,
				data: dataSizes(limits),
				received: (source) => {
					this.#receive(source);
				},
				logger: this.#logger,
			});
			if (this.#closed) router.close();
			this.#assertOpen();
			router.onceClosed(() => {
				this.#forget(worker);
			});
			return router;
		} catch (error) {
			this.#routers.delete(worker);
			throw error;
		}
	}

	#forget(worker: MediaWorker): void {
		const [home] = this.#routers.keys();
		this.#routers.delete(worker);
		if (this.#closed || home !== worker) return;
		// Those on other workers were observed on the router that has gone.
		for (const source of this.#observed) if (!source.closed) this.#observe(source);
	}

	#receive(source: LocalSource): void {
		if (!this.#options.audio || !isAudible(source)) return;
		this.#observed.add(source);
		source.on('closed', () => this.#observed.delete(source));
		this.#observe(source);
	}

	/** Nobody waits for this: a pusher that is not observed is a pusher all the same. */
	#observe(source: LocalSource): void {
		this.#home()
			.then((router) => router.observe(source))
			.catch((error: unknown) => {
				if (this.#closed || source.closed) return;
				this.#logger.warn('the audio of a pusher is not observed', { pusherId: source.pusherId, error });
			});
	}

	#assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the room has been closed');
	}
}

/** The worker does not decode audio: it knows the level from a header extension alone (RFC 6464). */
const isAudible = ({ kind, rtpParameters: { headerExtensions = [] } }: LocalSource): boolean =>
	kind === 'audio' && headerExtensions.some(({ uri }) => uri === 'urn:ietf:params:rtp-hdrext:ssrc-audio-level');
