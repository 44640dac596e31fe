import { createWorker } from 'mediasoup';
import type { TransportListenInfo, WebRtcServer, Worker, WorkerDump, WorkerLogLevel } from 'mediasoup/types';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import type { ListenAddress } from '../listenAddress.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { endProcess, watchHealth } from './workerProcess.js';
import { withoutSignalHandlers } from './withoutSignalHandlers.js';

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
}

/** A running worker, with a WebRtcServer that has all ports for its clients. */
export interface MediaWorker {
	readonly index: number;
	readonly worker: Worker;
	readonly webRtcServer: WebRtcServer;
	/** How many routers of rooms it has. */
	rooms: number;
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
	 * The worker with the fewest rooms.
	 *
	 * @throws {@link SfuError} `unavailable` if no worker is running
	 */
	leastLoaded(): MediaWorker {
		const [least] = [...this.#workers.values()].sort((a, b) => a.rooms - b.rooms);
		if (!least) throw new SfuError('unavailable', 'no media worker at the moment');
		return least;
	}

	/** The objects in each worker, for diagnosis. */
	async dump(): Promise<WorkerDump[]> {
		return Promise.all([...this.#workers.values()].map(({ worker }) => worker.dump()));
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
			const hung = watchHealth(worker, this.#options.healthTimeout);
			worker.once('died', (error) => {
				this.#replace(index, worker, hung() ?? error);
			});
			this.#workers.set(index, { index, worker, webRtcServer, rooms: 0 });
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
