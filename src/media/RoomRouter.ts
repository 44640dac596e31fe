import type { MediaKind, Router, RtpParameters, WebRtcTransport, WebRtcTransportOptions } from 'mediasoup/types';
import { Lazy } from '../Lazy.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { AudioObservers, type AudioObservation } from './AudioObservers.js';
import { DirectDataTransport } from './DirectDataTransport.js';
import { KeyframeRequester } from './KeyframeRequester.js';
import { LocalSource } from './LocalSource.js';
import { Loopback } from './remap/Loopback.js';
import { fits, setPayloadTypes, reachable, type PayloadTypes } from './remap/payloadTypes.js';
import type { Source } from './Source.js';
import type { MediaWorker } from './WorkerPool.js';

export type TransportOptions = Omit<WebRtcTransportOptions, 'webRtcServer' | 'listenInfos' | 'listenIps' | 'port'>;

/** Why a router has closed: the room closed it, or its worker died. */
export type RouterCloseReason = 'closed' | 'workerDied';

/** A source on a router, under certain payload types, until it is released. */
export interface Lease {
	/** The producer to consume. */
	readonly producerId: string;
	/** Whether RTX is sent under the wanted payload type. */
	readonly rtx: boolean;
	/** Gives it back. Calling it again does nothing. */
	release(): void;
}

/** One mediasoup router of a room: its transports, what is received on it, and what sources are attached to it. */
export class RoomRouter {
	readonly #worker: MediaWorker;
	readonly #router: Router;
	readonly #logger: Logger;
	readonly #audio: AudioObservation | undefined;
	readonly #keyframes: KeyframeRequester;
	readonly #loopback: Loopback;
	readonly #data = new Lazy(() => DirectDataTransport.create(this.#router));
	readonly #observers = new Lazy((): Promise<AudioObservers> => {
		if (!this.#audio) throw new SfuError('internal', 'no audio is observed');
		return AudioObservers.create(this.#router, this.#audio);
	});
	#closeReason: RouterCloseReason = 'workerDied';

	/**
	 * @param audio - how to observe audio, and who is told; `undefined` not to observe it
	 * @throws {@link SfuError} (rejects) `unavailable` when the worker died meanwhile
	 */
	static async create(worker: MediaWorker, audio: AudioObservation | undefined, logger: Logger): Promise<RoomRouter> {
		worker.rooms++;
		try {
			const router = await worker.worker.createRouter();
			// When the worker has died meanwhile, this router would never close by itself.
			if (worker.worker.closed) {
				router.close();
				throw new SfuError('unavailable', 'the media worker is gone');
			}
			router.observer.once('close', () => worker.rooms--);
			return new RoomRouter(worker, router, audio, logger);
		} catch (error) {
			worker.rooms--;
			throw error;
		}
	}

	private constructor(worker: MediaWorker, router: Router, audio: AudioObservation | undefined, logger: Logger) {
		this.#worker = worker;
		this.#router = router;
		this.#audio = audio;
		this.#logger = logger;
		this.#keyframes = new KeyframeRequester(router);
		this.#loopback = new Loopback(router, logger);
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
		const source = new LocalSource(producer, payloadTypes, this.#keyframes, this.#logger);
		if (this.#audio && isAudible(options.rtpParameters)) this.#observe(source);
		return source;
	}

	/**
	 * Makes a source available on this router under certain payload types: its own producer when it has them already, a
	 * loopback otherwise.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` when the source has gone, `closed`, or `unavailable` when the worker died
	 */
	async attach(source: Source, wanted: PayloadTypes): Promise<Lease> {
		this.#assertOpen();
		if (!(source instanceof LocalSource)) throw new SfuError('internal', 'the source is not on this router');
		const payloadTypes = reachable(wanted);
		const rtx = payloadTypes.rtxPayloadType !== undefined;
		if (fits(source.payloadTypes, payloadTypes)) {
			return { producerId: source.producer.id, rtx, release: () => undefined };
		}
		return { rtx, ...(await this.#loopback.lease(source.producer, payloadTypes)) };
	}

	/** Where the data channels of the room meet this process. */
	directDataTransport(): Promise<DirectDataTransport> {
		this.#assertOpen();
		return this.#data.get();
	}

	/** Nobody waits for this: a pusher that is not observed is a pusher all the same. */
	#observe(source: LocalSource): void {
		this.#observers
			.get()
			.then((observers) => observers.add(source.producer))
			.catch((error: unknown) => {
				if (!source.closed) {
					this.#logger.warn('the audio of a pusher is not observed', { pusherId: source.pusherId, error });
				}
			});
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

/** The worker does not decode audio: it knows the level from a header extension alone (RFC 6464). */
const isAudible = ({ headerExtensions = [] }: RtpParameters): boolean =>
	headerExtensions.some(({ uri }) => uri === 'urn:ietf:params:rtp-hdrext:ssrc-audio-level');
