import type {
	DataProducer,
	MediaKind,
	Router,
	RtpParameters,
	WebRtcServer,
	WebRtcTransport,
	WebRtcTransportOptions,
} from 'mediasoup/types';
import { Lazy } from '../Lazy.js';
import type { Logger } from '../Logger.js';
import type { LocalTransport } from '../sdp/lines.js';
import { SfuError } from '../SfuError.js';
import { AudioObservers, type AudioObservation } from './AudioObservers.js';
import { LocalDataSource, type DataSource } from './DataSource.js';
import { DirectDataTransport } from './DirectDataTransport.js';
import { KeyframeRequester } from './KeyframeRequester.js';
import { LocalSource } from './LocalSource.js';
import { PipePair, type DataSizes, type PipeLease } from './pipes/PipePair.js';
import { fits, setPayloadTypes, reachable, type PayloadTypes } from './remap/payloadTypes.js';
import type { Source } from './Source.js';
import type { MediaWorker } from './WorkerPool.js';

export type TransportOptions = Omit<WebRtcTransportOptions, 'webRtcServer' | 'listenInfos' | 'listenIps' | 'port'>;

/** Why a router has closed: the room closed it, or its worker died. */
export type RouterCloseReason = 'closed' | 'workerDied';

/** A source on a router, under certain payload types, until it is released. */
export interface Lease extends PipeLease {
	/** Whether RTX is sent under the wanted payload type. */
	readonly rtx: boolean;
}

/** The parts of a room that all of its routers share. */
export interface RouterOptions {
	/** How to observe audio, and who is told. `undefined` not to observe it. */
	audio: AudioObservation | undefined;
	/** What data channels carry from one worker to another. */
	data: DataSizes;
	/** Called with each new track that is received. */
	received: (source: LocalSource) => void;
	logger: Logger;
}

/**
 * What all transports of a WebRtcServer have in common: its candidates, the certificate of its worker, and our limits of SCTP. A
 * transport would clone all of it each time that it is read.
 */
const sharedByTransports = new WeakMap<WebRtcServer, Omit<LocalTransport, 'iceParameters'>>();

/** One mediasoup router of a room: its transports, what is received on it, and what sources are attached to it. */
export class RoomRouter {
	readonly #worker: MediaWorker;
	readonly #router: Router;
	readonly #options: RouterOptions;
	readonly #keyframes: KeyframeRequester;
	/** From each router whose sources are attached here under other payload types, or from another worker. */
	readonly #pipes = new Map<Router, PipePair>();
	readonly #data = new Lazy(() => DirectDataTransport.create(this.#router));
	readonly #observers = new Lazy((): Promise<AudioObservers> => {
		const { audio } = this.#options;
		if (!audio) throw new SfuError('internal', 'no audio is observed');
		return AudioObservers.create(this.#router, audio);
	});
	#closeReason: RouterCloseReason = 'workerDied';

	/** @throws {@link SfuError} (rejects) `unavailable` when the worker died meanwhile */
	static async create(worker: MediaWorker, options: RouterOptions): Promise<RoomRouter> {
		worker.rooms++;
		try {
			const router = await worker.worker.createRouter();
			// When the worker has died meanwhile, this router would never close by itself.
			if (worker.worker.closed) {
				router.close();
				throw new SfuError('unavailable', 'the media worker is gone');
			}
			router.observer.once('close', () => worker.rooms--);
			return new RoomRouter(worker, router, options);
		} catch (error) {
			worker.rooms--;
			throw error;
		}
	}

	private constructor(worker: MediaWorker, router: Router, options: RouterOptions) {
		this.#worker = worker;
		this.#router = router;
		this.#options = options;
		this.#keyframes = new KeyframeRequester(router);
		countTracks(router, worker);
	}

	/** The worker that it is on. */
	get workerIndex(): number {
		return this.#worker.index;
	}

	get closed(): boolean {
		return this.#router.closed;
	}

	/** Why it has closed, once it has. */
	get closeReason(): RouterCloseReason {
		return this.#closeReason;
	}

	/** Closes the router, and with it every transport, producer and consumer on it. */
	close(): void {
		if (this.closed) return;
		this.#closeReason = 'closed';
		this.#router.close();
	}

	/** Calls `listener` once, when the router closes for whatever reason. */
	onceClosed(listener: () => void): void {
		if (this.closed) listener();
		else this.#router.observer.once('close', listener);
	}

	/**
	 * Creates a transport on the worker's WebRtcServer.
	 *
	 * @throws {@link SfuError} (rejects) `closed`, or `unavailable` when the worker died
	 */
	async createTransport(options: TransportOptions): Promise<WebRtcTransport> {
		this.#assertOpen();
		const transport = await this.#router.createWebRtcTransport({
			...options,
			webRtcServer: this.#worker.webRtcServer,
		});
		// When the router has closed meanwhile, this transport would never close by itself.
		if (this.closed) {
			transport.close();
			this.#assertOpen();
		}
		return transport;
	}

	/** Describes one of its transports to its client. */
	describe(transport: WebRtcTransport): LocalTransport {
		const { webRtcServer } = this.#worker;
		let shared = sharedByTransports.get(webRtcServer);
		if (!shared) {
			const { iceCandidates, dtlsParameters, sctpParameters } = transport;
			shared = { iceCandidates, dtlsParameters, sctpParameters };
			sharedByTransports.set(webRtcServer, shared);
		}
		return { ...shared, iceParameters: transport.iceParameters };
	}

	/**
	 * Receives a track. Consumers send it under the payload types that its own parameters have.
	 *
	 * @throws {@link SfuError} (rejects) `closed`, or `unavailable` when the worker died
	 */
	async produce(
		transport: WebRtcTransport,
		options: { kind: MediaKind; rtpParameters: RtpParameters; keyFrameRequestDelay?: number },
	): Promise<LocalSource> {
		this.#assertOpen();
		const [codec, rtx] = options.rtpParameters.codecs;
		if (!codec) throw new SfuError('internal', 'no codec to produce with');
		const payloadTypes = reachable({ payloadType: codec.payloadType, rtxPayloadType: rtx?.payloadType });
		setPayloadTypes(this.#router, options, payloadTypes);
		const producer = await transport.produce(options);
		if (transport.closed) {
			producer.close();
			throw this.closed ? this.#gone() : new SfuError('closed', 'the transport has been closed');
		}
		const keyframes = this.#keyframes;
		const source = new LocalSource({
			producer,
			rtpParameters: options.rtpParameters,
			payloadTypes,
			router: this.#router,
			keyframes,
			logger: this.#options.logger,
		});
		this.#options.received(source);
		return source;
	}

	/**
	 * Makes a source available on this router under certain payload types: its own producer when it is here and has them
	 * already, a pipe otherwise.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` when the source has gone, `closed`, or `unavailable` when a worker died
	 */
	async attach(source: Source, wanted: PayloadTypes): Promise<Lease> {
		this.#assertOpen();
		const payloadTypes = reachable(wanted);
		const rtx = payloadTypes.rtxPayloadType !== undefined;
		const { router, producer, payloadTypes: landed, ...below } = await source.land(this.#router, payloadTypes);
		if (router === this.#router && fits(landed, payloadTypes)) return { producerId: producer.id, rtx, ...below };
		try {
			this.#assertOpen();
			return { rtx, ...both(await this.#pipeFrom(router).lease(producer, payloadTypes), below) };
		} catch (error) {
			below.release();
			throw error;
		}
	}

	/** Names this router as that of a data channel. */
	dataSource(producer: DataProducer): LocalDataSource {
		return new LocalDataSource(producer, this.#router);
	}

	/**
	 * Makes a data channel available on this router.
	 *
	 * @throws {@link SfuError} (rejects) as {@link RoomRouter.attach} does
	 */
	async attachData(source: DataSource): Promise<PipeLease> {
		this.#assertOpen();
		const { router, producer, release } = await source.land(this.#router);
		if (router === this.#router) return { producerId: producer.id, release };
		try {
			this.#assertOpen();
			return both(await this.#pipeFrom(router).leaseData(producer), { release });
		} catch (error) {
			release();
			throw error;
		}
	}

	/**
	 * Observes a track of audio until it closes. Whoever listens knows it by the id of its pusher.
	 *
	 * @throws {@link SfuError} (rejects) as {@link RoomRouter.attach} does
	 */
	async observe(source: LocalSource): Promise<void> {
		const [observers, lease] = await Promise.all([this.#observers.get(), this.attach(source, source.payloadTypes)]);
		source.on('closed', () => {
			lease.release();
			observers.delete(lease.producerId);
		});
		if (source.closed) lease.release();
		else await observers.add(lease.producerId, source.pusherId);
	}

	/** Where the data channels of the room meet this process. */
	directDataTransport(): Promise<DirectDataTransport> {
		this.#assertOpen();
		return this.#data.get();
	}

	#pipeFrom(router: Router): PipePair {
		const known = this.#pipes.get(router);
		if (known) return known;
		const { data, logger } = this.#options;
		const pair = new PipePair({ from: router, to: this.#router, data }, logger);
		this.#pipes.set(router, pair);
		router.observer.once('close', () => this.#pipes.delete(router));
		return pair;
	}

	#assertOpen(): void {
		if (this.closed) throw this.#gone();
	}

	#gone(): SfuError {
		return this.#closeReason === 'closed'
			? new SfuError('closed', 'the room has been closed')
			: new SfuError('unavailable', 'the media worker is gone');
	}
}

/** Counts what the transports of a router receive and send, and what of it leaves for another router. */
function countTracks(router: Router, worker: MediaWorker): void {
	const counter =
		(what: 'tracks' | 'pipes') =>
		({ observer }: { observer: { once(event: 'close', listener: () => void): unknown } }) => {
			worker[what]++;
			observer.once('close', () => worker[what]--);
		};
	router.observer.on('newtransport', ({ type, observer }) => {
		observer.on('newproducer', counter('tracks'));
		observer.on('newconsumer', counter('tracks'));
		if (type !== 'pipe') return;
		observer.on('newconsumer', counter('pipes'));
		observer.on('newdataconsumer', counter('pipes'));
	});
}

/** A lease that starts and releases what it stands on, too. */
const both = ({ producerId, start, release }: PipeLease, below: Pick<PipeLease, 'start' | 'release'>): PipeLease => ({
	producerId,
	start: () => {
		// From its end on, so that nothing flows before all of it is open.
		start?.();
		below.start?.();
	},
	release: () => {
		release();
		below.release();
	},
});
