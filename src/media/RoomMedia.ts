import type {
	MediaKind,
	PipeTransport,
	Producer,
	Router,
	RtpCapabilities,
	RtpParameters,
	WebRtcTransport,
	WebRtcTransportOptions,
} from 'mediasoup/types';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { AudioObservers, type AudioListener, type AudioObserverSettings } from './AudioObservers.js';
import { isReachable, routerCodecs, type PayloadTypes } from './codecs.js';
import { DirectDataTransport } from './DirectDataTransport.js';
import { KeyframeRequester } from './KeyframeRequester.js';
import { Pipe } from './remap/Pipe.js';
import type { MediaWorker, WorkerPool } from './WorkerPool.js';

export type TransportOptions = Omit<WebRtcTransportOptions, 'webRtcServer' | 'listenInfos' | 'listenIps' | 'port'>;

/** A producer as consumers with certain payload types see it, for as long as it is not released. */
export interface Lease {
	readonly producerId: string;
	/** Whether RTX is sent under the wanted payload type. */
	readonly rtx: boolean;
	release(): void;
}

type NumberedProducer = Producer<{ payloadTypes: PayloadTypes }>;

/** The router of a room on one worker. */
interface Home {
	readonly worker: MediaWorker;
	readonly router: Router;
	/** The two ends of a pipe from the router to itself, made when it is first needed. */
	loop: Promise<readonly [PipeTransport, PipeTransport]> | undefined;
	/** Made when there is the first data channel. */
	dataHub: Promise<DirectDataTransport> | undefined;
	readonly keyframes: KeyframeRequester;
	/** Made when there is something to hear. */
	observers: Promise<AudioObservers> | undefined;
}

/** How the audio of a room is observed, and who is told. */
export interface AudioObservation {
	settings: AudioObserverSettings;
	listener: AudioListener;
}

/**
 * The media of one room: its router, and the pipes within it.
 *
 * A consumer sends the payload types of its producer, whatever its SDP says, and browsers drop what does not have those
 * of their own offer. mediasoup fixes a producer's numbers by the codecs that the router has at that moment, so they are
 * set for each producer: first to those of the pusher's own offer, which is what a puller with the same browser has
 * too; for other pullers the producer is piped, through a pair of transports that lead back to the same router, to a
 * second producer with their numbers.
 */
export class RoomMedia {
	readonly #pool: WorkerPool;
	readonly #logger: Logger;
	#home: Promise<Home> | undefined;
	readonly #pipes = new Map<string, Promise<Pipe>>();
	readonly #audio: AudioObservation | undefined;
	#closed = false;

	/** @param audio - `undefined` to listen to nothing */
	constructor(pool: WorkerPool, logger: Logger, audio?: AudioObservation) {
		this.#pool = pool;
		this.#logger = logger;
		this.#audio = audio;
	}

	/** Closes the router, and with it every transport, producer and consumer. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#home?.then(
			({ router }) => {
				router.close();
			},
			() => undefined,
		);
	}

	/**
	 * Makes sure that there is a router.
	 *
	 * @throws {@link SfuError} `unavailable` without a worker, `closed`
	 */
	async open(): Promise<void> {
		await this.#getHome();
	}

	/**
	 * A transport on the room's WebRtcServer.
	 *
	 * @throws {@link SfuError} `unavailable` without a worker, `closed`
	 */
	async createTransport(options: TransportOptions): Promise<WebRtcTransport> {
		const { router, worker } = await this.#getHome();
		const transport = await router.createWebRtcTransport({ ...options, webRtcServer: worker.webRtcServer });
		// When the router closes meanwhile, what comes is a transport that would never close.
		if (router.closed) {
			transport.close();
			throw this.#gone();
		}
		return transport;
	}

	/** Where the data channels of the room meet this process. */
	async dataHub(): Promise<DirectDataTransport> {
		const home = await this.#getHome();
		home.dataHub ??= DirectDataTransport.create(home.router);
		home.dataHub.catch(() => (home.dataHub = undefined));
		return home.dataHub;
	}

	/** A producer that consumers see under the payload types that the pusher itself has. */
	async produce(
		transport: WebRtcTransport,
		options: { kind: MediaKind; rtpParameters: RtpParameters; paused?: boolean; keyFrameRequestDelay?: number },
	): Promise<Producer> {
		const home = await this.#getHome();
		const { router } = home;
		const [codec, rtx] = options.rtpParameters.codecs;
		if (!codec) throw new SfuError('internal', 'no codec to produce with');
		const payloadTypes = { payloadType: codec.payloadType, rtxPayloadType: reachable(rtx?.payloadType) };
		const producer = await withCodecs(router, options.kind, options.rtpParameters, payloadTypes, () =>
			transport.produce({ ...options, appData: { payloadTypes } }),
		);
		if (transport.closed) {
			producer.close();
			throw this.#gone();
		}
		if (this.#audio && isAudible(options.rtpParameters)) this.#listenTo(producer, home, this.#audio);
		return producer;
	}

	/** Nobody need wait for it, and a pusher that is not heard is one all the same. */
	#listenTo(producer: Producer, home: Home, { settings, listener }: AudioObservation): void {
		home.observers ??= AudioObservers.create(home.router, settings, listener);
		home.observers
			.then((observers) => observers.add(producer))
			.catch((error: unknown) => {
				if (!producer.closed) this.#logger.warn('the audio of a pusher is not observed', error);
			});
	}

	/**
	 * The producer under other payload types: itself when they are its own, a pipe's end otherwise. The pipe is closed
	 * when its last lease is released.
	 */
	async lease(producer: Producer, wanted: PayloadTypes): Promise<Lease> {
		const payloadTypes = { ...wanted, rtxPayloadType: reachable(wanted.rtxPayloadType) };
		const rtx = payloadTypes.rtxPayloadType !== undefined;
		if (isSame((producer as NumberedProducer).appData.payloadTypes, payloadTypes)) {
			return { producerId: producer.id, rtx, release: () => undefined };
		}
		const key = [producer.id, payloadTypes.payloadType, payloadTypes.rtxPayloadType].join(' ');
		for (;;) {
			const pipe = await (this.#pipes.get(key) ?? this.#startPipe(key, producer, payloadTypes));
			const release = pipe.lease();
			if (release) return { producerId: pipe.producerId, rtx, release };
			// It was closed between its promise and here. If its producer was, there is no other.
			if (producer.closed) throw new SfuError('not_found', 'the pusher has gone');
			if (this.#closed) throw this.#gone();
		}
	}

	/**
	 * Asks the sender of a producer for a keyframe.
	 *
	 * @param rtpCapabilities - with the producer's codec
	 */
	async requestKeyframe(producer: Producer, rtpCapabilities: RtpCapabilities): Promise<void> {
		const { keyframes } = await this.#getHome();
		await keyframes.request(producer, rtpCapabilities);
	}

	#startPipe(key: string, producer: Producer, payloadTypes: PayloadTypes): Promise<Pipe> {
		const starting = this.#createPipe(producer, payloadTypes);
		this.#pipes.set(key, starting);
		const forget = () => {
			if (this.#pipes.get(key) === starting) this.#pipes.delete(key);
		};
		starting.then((pipe) => {
			if (pipe.closed) forget();
			else pipe.onClosed = forget;
		}, forget);
		return starting;
	}

	async #createPipe(producer: Producer, payloadTypes: PayloadTypes): Promise<Pipe> {
		const home = await this.#getHome();
		home.loop ??= createLoop(home.router);
		home.loop.catch(() => (home.loop = undefined));
		const [entry, exit] = await home.loop;
		const consumer = await entry.consume({ producerId: producer.id });
		try {
			const exitProducer = await withCodecs(home.router, producer.kind, consumer.rtpParameters, payloadTypes, () =>
				exit.produce({ kind: producer.kind, rtpParameters: consumer.rtpParameters, paused: consumer.producerPaused }),
			);
			const pipe = new Pipe(consumer, exitProducer, this.#logger);
			if (producer.closed) pipe.close();
			return pipe;
		} catch (error) {
			consumer.close();
			throw error;
		}
	}

	#getHome(): Promise<Home> {
		if (this.#closed) return Promise.reject(this.#gone());
		if (this.#home) return this.#home;
		const home = this.#createHome();
		this.#home = home;
		// After a worker's death the next call makes a router on another one.
		const forget = () => {
			if (this.#home === home) this.#home = undefined;
		};
		home.then(({ router }) => {
			if (router.closed) forget();
			else router.observer.once('close', forget);
		}, forget);
		return home;
	}

	async #createHome(): Promise<Home> {
		const worker = this.#pool.leastLoaded();
		worker.rooms++;
		try {
			const router = await worker.worker.createRouter();
			router.observer.once('close', () => worker.rooms--);
			// When the worker dies meanwhile, what comes is a router that would never close.
			if (!this.#closed && !worker.worker.closed) {
				const keyframes = new KeyframeRequester(router);
				return { worker, router, loop: undefined, dataHub: undefined, keyframes, observers: undefined };
			}
			router.close();
		} catch (error) {
			worker.rooms--;
			throw error;
		}
		throw this.#gone();
	}

	#gone(): SfuError {
		return this.#closed
			? new SfuError('closed', 'the room has been closed')
			: new SfuError('unavailable', 'the media worker is gone');
	}
}

async function createLoop(router: Router): Promise<readonly [PipeTransport, PipeTransport]> {
	const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
	const ends = await Promise.allSettled([
		router.createPipeTransport({ listenInfo, enableSctp: false }),
		router.createPipeTransport({ listenInfo, enableSctp: false }),
	]);
	const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
	try {
		const [entry, exit] = made;
		if (!entry || !exit) throw ends.find((end) => end.status === 'rejected')?.reason;
		await Promise.all([
			entry.connect({ ip: exit.tuple.localAddress, port: exit.tuple.localPort }),
			exit.connect({ ip: entry.tuple.localAddress, port: entry.tuple.localPort }),
		]);
		return [entry, exit];
	} catch (error) {
		for (const end of made) end.close();
		throw error;
	}
}

/** Runs `produce` with the router's codecs set for it; mediasoup reads them before its first await. */
function withCodecs<Result>(
	router: Router,
	kind: MediaKind,
	{ codecs: [codec] }: RtpParameters,
	payloadTypes: PayloadTypes,
	produce: () => Result,
): Result {
	if (!codec) throw new SfuError('internal', 'no codec to produce with');
	const { mimeType, clockRate, channels, parameters = {} } = codec;
	router.updateMediaCodecs(
		routerCodecs({ kind, mimeType, clockRate, parameters, ...(channels !== undefined && { channels }) }, payloadTypes),
	);
	return produce();
}

/** Only by its level, which the sender tells in a header extension (RFC 6464): audio is not decoded here. */
const isAudible = ({ headerExtensions = [] }: RtpParameters): boolean =>
	headerExtensions.some(({ uri }) => uri === 'urn:ietf:params:rtp-hdrext:ssrc-audio-level');

const reachable = (rtxPayloadType: number | undefined): number | undefined =>
	rtxPayloadType !== undefined && isReachable(rtxPayloadType) ? rtxPayloadType : undefined;

const isSame = (own: PayloadTypes, wanted: PayloadTypes): boolean =>
	own.payloadType === wanted.payloadType &&
	(wanted.rtxPayloadType === undefined || wanted.rtxPayloadType === own.rtxPayloadType);
