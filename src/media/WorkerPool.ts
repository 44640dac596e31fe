import { createWorker } from 'mediasoup';
import type { TransportListenInfo, WebRtcServer, Worker, WorkerDump, WorkerLogLevel } from 'mediasoup/types';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import type { ListenAddress } from '../listenAddress.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { endProcess, watchWorker } from './workerProcess.js';
import type { PlaceOnWorker, WorkerLoad } from './placement.js';
import { withoutSignalHandlers } from './withoutSignalHandlers.js';
import { usageOf, type WorkerUsage } from './workerUsage.js';

/** How to start the workers. */
export interface WorkerPoolOptions {
	/** How many worker processes there are. */
	count: number;
	listen: readonly ListenAddress[];
	/** The path of the worker's binary. Undefined for `MEDIASOUP_WORKER_BIN`, or mediasoup's own place. */
	binary: string | undefined;
	/** How long a worker may take to answer, in ms. 0 stands for ever. */
	healthTimeout: number;
	logLevel: WorkerLogLevel;
	/** The share of a core from which on a worker is full, 0 to 1. */
	fullCpu: number;
	/** The number of tracks from which on a worker is full. */
	fullTracks: number;
	/** The app's own choice. */
	place?: PlaceOnWorker | undefined;
}

/** A running worker, with a WebRtcServer that has all ports for its clients. */
export interface MediaWorker {
	readonly index: number;
	readonly worker: Worker;
	readonly webRtcServer: WebRtcServer;
	/** How many routers of rooms it has. */
	rooms: number;
	/** How many tracks it receives and sends. */
	tracks: number;
	/** How many tracks and data channels it sends to other routers, or under other payload types to its own. */
	pipes: number;
	/** The share of a core that it has used lately, 0 to 1. */
	cpu: number;
}

/** Whom to find a worker for. */
export interface PlacementRequest {
	roomId: string;
	/** Undefined for the room itself, when it opens. */
	userId?: string;
	/** The workers that carry the room already, in the order in which they began to. */
	carrying: readonly MediaWorker[];
}

export type WorkerPoolEvents = {
	/** A worker process has died. Its replacement is being started. */
	workerDied: (event: { pid: number; error: Error }) => void;
	/** A replacement is running. */
	workerReplaced: (event: { pid: number }) => void;
};

// The delay between attempts to replace a dead worker, in ms. The first comes at once, then the delay doubles.
const firstRetryDelay = 250;
const longestRetryDelay = 30_000;

/** The worker processes. A worker that dies is replaced. */
export class WorkerPool extends Emitter<WorkerPoolEvents> {
	readonly #options: WorkerPoolOptions;
	readonly #logger: Logger;
	readonly #workers = new Map<number, MediaWorker>();
	readonly #retries = new Set<NodeJS.Timeout>();
	#closed = false;

	/** @throws {@link SfuError} (rejects) `unavailable` if a worker cannot be started */
	static async create(options: WorkerPoolOptions, logger: Logger): Promise<WorkerPool> {
		const pool = new WorkerPool(options, logger);
		const started = await Promise.allSettled(Array.from({ length: options.count }, (_, index) => pool.#start(index)));
		const failed = started.find((result) => result.status === 'rejected');
		if (failed) {
			pool.close();
			throw failed.reason;
		}
		return pool;
	}

	private constructor(options: WorkerPoolOptions, logger: Logger) {
		super(logger);
		this.#options = options;
		this.#logger = logger;
	}

	/** Ends all worker processes. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const retry of this.#retries) clearTimeout(retry);
		for (const { worker } of this.#workers.values()) endProcess(worker);
		this.#workers.clear();
	}

	/**
	 * Finds a worker for a room, or for a new connection of a user: the first one of those that carry the room already and are
	 * not full; without any, the one with the least load.
	 *
	 * @throws {@link SfuError} `unavailable` if no worker is running
	 */
	place(request: PlacementRequest): MediaWorker {
		return this.#askApp(request) ?? request.carrying.find((one) => !this.#isFull(one)) ?? this.leastLoaded();
	}

	/**
	 * The worker with the least load: by what it uses of its core, and the tracks and rooms that it carries.
	 *
	 * @throws {@link SfuError} `unavailable` if no worker is running
	 */
	leastLoaded(): MediaWorker {
		const { fullCpu, fullTracks } = this.#options;
		// The processor time is measured after the fact, so what was placed lately counts by its tracks.
		const tenths = ({ cpu, tracks }: MediaWorker) => Math.round(Math.max(cpu / fullCpu, tracks / fullTracks) * 10);
		const [least] = this.#running.sort((a, b) => tenths(a) - tenths(b) || a.rooms - b.rooms);
		if (!least) throw new SfuError('unavailable', 'no media worker at the moment');
		return least;
	}

	/** How busy each running worker is. */
	get loads(): WorkerLoad[] {
		return this.#running.map((worker) => this.#loadOf(worker, []));
	}

	/** By their indexes. */
	get #running(): MediaWorker[] {
		return [...this.#workers.values()].sort((a, b) => a.index - b.index);
	}

	#isFull({ cpu, tracks }: MediaWorker): boolean {
		return cpu >= this.#options.fullCpu || tracks >= this.#options.fullTracks;
	}

	#loadOf(media: MediaWorker, carrying: readonly MediaWorker[]): WorkerLoad {
		const { index, worker, cpu, tracks, pipes, rooms } = media;
		const state = { isFull: this.#isFull(media), carriesRoom: carrying.includes(media) };
		return { index, pid: worker.pid, cpu, tracks, pipes, rooms, ...state };
	}

	#askApp({ roomId, userId, carrying }: PlacementRequest): MediaWorker | undefined {
		const { place } = this.#options;
		if (!place) return undefined;
		try {
			const workers = this.#running.map((worker) => this.#loadOf(worker, carrying));
			const index = place({ roomId, ...(userId !== undefined && { userId }), workers });
			const chosen = index === undefined ? undefined : this.#workers.get(index);
			if (index !== undefined && !chosen)
				this.#logger.warn('workers.place chose a worker that is not there', { index });
			return chosen;
		} catch (error) {
			this.#logger.error('workers.place failed', { roomId, userId, error });
			return undefined;
		}
	}

	/** What each running worker has used so far. One that does not answer, because it dies, is missing. */
	async measure(): Promise<WorkerUsage[]> {
		const measured = await Promise.allSettled(this.#running.map(({ index, worker }) => usageOf(index, worker)));
		return measured.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
	}

	/** The objects in each worker, for diagnosis. */
	async dump(): Promise<WorkerDump[]> {
		return Promise.all(this.#running.map(({ worker }) => worker.dump()));
	}

	async #start(index: number): Promise<void> {
		const { listen } = this.#options;
		const worker = await this.#spawn();
		try {
			const webRtcServer = await this.#listen(
				worker,
				listen.flatMap((address) => listenInfos(address, index)),
			);
			if (this.#closed) throw new SfuError('closed', 'closed while a worker was starting');
			const media: MediaWorker = { index, worker, webRtcServer, rooms: 0, tracks: 0, pipes: 0, cpu: 0 };
			const hung = watchWorker(worker, {
				timeout: this.#options.healthTimeout,
				measured: (cpu) => {
					media.cpu = cpu;
				},
			});
			worker.once('died', (error) => {
				this.#replace(index, worker, hung() ?? error);
			});
			this.#workers.set(index, media);
		} catch (error) {
			endProcess(worker);
			throw error;
		}
	}

	async #spawn(): Promise<Worker> {
		const { binary, logLevel } = this.#options;
		try {
			return await withoutSignalHandlers(() =>
				createWorker({ logLevel, ...(binary !== undefined && { workerBin: binary }) }),
			);
		} catch (error) {
			const name = binary === undefined ? 'the media worker' : `the media worker ${quoted(binary)} (workers.binary)`;
			throw new SfuError(
				'unavailable',
				`${name} could not be started; \`npx sfu-rooms-worker\` provides one, and says what is missing`,
				{ cause: error },
			);
		}
	}

	async #listen(worker: Worker, infos: TransportListenInfo[]): Promise<WebRtcServer> {
		try {
			return await worker.createWebRtcServer({ listenInfos: infos });
		} catch (error) {
			const addresses = infos.map(({ protocol, ip, port }) => [protocol, ip, port ?? 'any port'].join(' '));
			const reason = error instanceof Error ? error.message : String(error);
			throw new SfuError('unavailable', `the media worker cannot listen on ${addresses.join(', ')}: ${reason}`, {
				cause: error,
			});
		}
	}

	#replace(index: number, { pid }: Worker, error: Error): void {
		this.#workers.delete(index);
		this.#logger.error('a media worker died', { pid, error });
		this.emit('workerDied', { pid, error });
		this.#startAgain(index, 0);
	}

	#startAgain(index: number, delay: number): void {
		if (this.#closed) return;
		const retry = setTimeout(() => {
			this.#retries.delete(retry);
			this.#start(index).then(
				() => {
					const pid = this.#workers.get(index)?.worker.pid;
					if (pid !== undefined) this.emit('workerReplaced', { pid });
				},
				(error: unknown) => {
					if (this.#closed) return;
					this.#logger.error('a media worker could not be replaced yet', { error });
					this.#startAgain(index, Math.min(Math.max(delay * 2, firstRetryDelay), longestRetryDelay));
				},
			);
		}, delay);
		this.#retries.add(retry);
	}
}

function listenInfos(
	{ ip, announcedAddress, port, protocols = ['udp', 'tcp'] }: ListenAddress,
	index: number,
): TransportListenInfo[] {
	// Candidates are listed in this order, and some clients use the first one only. So UDP comes first.
	return (['udp', 'tcp'] as const)
		.filter((protocol) => protocols.includes(protocol))
		.map((protocol) => ({
			protocol,
			ip,
			...(announcedAddress !== undefined && { announcedAddress }),
			...(port !== undefined && { port: port + index }),
		}));
}
