import { NotFoundError, WorkerClosedError } from 'mediasoup/errors';
import * as ortc from 'mediasoup/ortc';
import type {
	DataConsumerOptions,
	DataProducerOptions,
	DtlsState,
	IceCandidate,
	MediaKind,
	PipeTransportOptions,
	RouterRtpCodecCapability,
	RtpCapabilities,
	RtpParameters,
	SctpState,
} from 'mediasoup/types';
import { randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Emitter } from '../../src/Emitter.js';
import type { Logger } from '../../src/Logger.js';
import type { WorkerLoad } from '../../src/media/placement.js';
import type { MediaWorker, PlacementRequest, WorkerPool, WorkerPoolEvents } from '../../src/media/WorkerPool.js';
import { SfuError } from '../../src/SfuError.js';
import { AudioBooks } from './fakeAudio.js';
import { DataBooks, FakeDataOf } from './fakeData.js';

/**
 * Media workers without media, for tests of all that is built on them. They keep what mediasoup promises and what it
 * does not: the worker handles requests in order and answers each some time later, in order too; what is closed here is
 * closed at once, and there when the request arrives; what has gone there is told here by events; and a request under way
 * when its owner closes still brings what it asked for. Parameters are computed by mediasoup itself.
 */

/** How long a message takes on its way to a worker or back. */
export type Delay = () => Promise<void>;

type TransportType = 'webrtc' | 'pipe' | 'direct';

/** What a worker holds, by id. */
export class Books {
	readonly routers = new Set<string>();
	readonly transports = new Map<string, { routerId: string; type: TransportType; connected: boolean }>();
	readonly producers = new Map<string, HeldProducer>();
	readonly consumers = new Map<string, HeldConsumer>();
	readonly data = new DataBooks();
	readonly audio = new AudioBooks();
	/** The ends of pipes to other servers. */
	readonly betweenServers = new Set<string>();

	/** The producers and consumers on transports of a type, paused ones apart. */
	count(type: 'webrtc' | 'pipe') {
		const isOn = ({ transportId }: { transportId: string }) => this.transports.get(transportId)?.type === type;
		return {
			transports: [...this.transports.values()].filter((transport) => transport.type === type).length,
			producers: [...this.producers.values()].filter(isOn).length,
			consumers: [...this.consumers.values()].filter(isOn).length,
		};
	}
}

interface HeldProducer {
	transportId: string;
	paused: boolean;
	mid: string | undefined;
	ssrcs: number[];
}

interface HeldConsumer {
	transportId: string;
	producerId: string;
	paused: boolean;
	told: FakeConsumer;
}

/** Does one thing after the other, each after some time. */
class Line {
	readonly #delay: Delay;
	#last: Promise<void> = Promise.resolve();

	constructor(delay: Delay) {
		this.#delay = delay;
	}

	add(step: () => void): void {
		this.#last = this.#last.then(async () => {
			await this.#delay();
			// Never less than what it takes to await an answer: mediasoup holds events back for as long, too.
			for (let turns = 0; turns < 3; turns++) await Promise.resolve();
			step();
		});
	}
}

/** The way to a worker and back. */
class Channel {
	readonly books = new Books();
	readonly #there: Line;
	readonly #back: Line;
	readonly #pending = new Set<(error: Error) => void>();
	#closed = false;

	constructor(delay: Delay) {
		this.#there = new Line(delay);
		this.#back = new Line(delay);
	}

	close(): void {
		this.#closed = true;
		for (const reject of this.#pending) reject(new WorkerClosedError('Channel closed, pending request aborted'));
		this.#pending.clear();
	}

	/** Runs `handle` in the worker. */
	async request<Result>(handle: () => Result): Promise<Result> {
		if (this.#closed) throw new WorkerClosedError('Channel closed, cannot send request');
		return new Promise((resolve, reject) => {
			this.#pending.add(reject);
			const answer = (settle: () => void) => {
				this.#back.add(() => {
					this.#pending.delete(reject);
					settle();
				});
			};
			this.#there.add(() => {
				if (this.#closed) return;
				try {
					const result = handle();
					answer(() => {
						resolve(result);
					});
				} catch (error) {
					const failure = error instanceof Error ? error : new Error(String(error));
					answer(() => {
						reject(failure);
					});
				}
			});
		});
	}

	/** A request that nobody waits for. */
	send(handle: () => void): void {
		this.request(handle).catch(() => undefined);
	}

	/** An event of the worker. */
	tell(event: () => void): void {
		this.#back.add(() => {
			if (!this.#closed) event();
		});
	}

	closeRouter(id: string): void {
		if (!this.books.routers.delete(id)) throw new NotFoundError('Router not found');
		for (const [transportId, { routerId }] of this.books.transports) {
			if (routerId === id) this.closeTransport(transportId);
		}
	}

	closeTransport(id: string): void {
		if (!this.books.transports.delete(id)) throw new NotFoundError('Transport not found');
		this.books.betweenServers.delete(id);
		for (const [consumerId, { transportId }] of this.books.consumers) {
			if (transportId === id) this.books.consumers.delete(consumerId);
		}
		for (const [producerId, { transportId }] of this.books.producers) {
			if (transportId === id) this.closeProducer(producerId);
		}
		for (const consumer of this.books.data.closeTransport(id)) {
			this.tell(() => {
				consumer.ends('dataproducerclose');
			});
		}
	}

	closeProducer(id: string): void {
		if (!this.books.producers.delete(id)) throw new NotFoundError('Producer not found');
		for (const [consumerId, { producerId, told }] of this.books.consumers) {
			if (producerId !== id) continue;
			this.books.consumers.delete(consumerId);
			this.tell(() => {
				told.producerClosed();
			});
		}
	}

	closeConsumer(id: string): void {
		if (!this.books.consumers.delete(id)) throw new NotFoundError('Consumer not found');
	}

	pauseProducer(id: string, paused: boolean): void {
		const producer = found(this.books.producers, id);
		if (producer.paused === paused) return;
		producer.paused = paused;
		for (const { producerId, told } of this.books.consumers.values()) {
			if (producerId !== id) continue;
			this.tell(() => {
				told.followProducer(paused);
			});
		}
	}
}

/** What a request is for. */
function found<Held>(held: ReadonlyMap<string, Held>, id: string): Held {
	const entry = held.get(id);
	if (!entry) throw new NotFoundError(`Channel request handler with ID ${id} not found`);
	return entry;
}

/** What mediasoup's objects have in common. */
class Entity extends EventEmitter {
	readonly id = randomUUID();
	readonly observer = new EventEmitter();
	closed = false;
}

type Media = { kind: MediaKind; paused: boolean; rtpParameters: RtpParameters };

class FakeProducer extends Entity {
	paused: boolean;
	readonly kind: MediaKind;
	readonly appData: object;
	readonly #channel: Channel;
	readonly #rtpParameters: RtpParameters;
	readonly #consumableRtpParameters: RtpParameters;

	constructor(channel: Channel, data: Media & { appData: object; consumable: RtpParameters }) {
		super();
		this.#channel = channel;
		this.kind = data.kind;
		this.paused = data.paused;
		this.appData = data.appData;
		this.#rtpParameters = data.rtpParameters;
		this.#consumableRtpParameters = data.consumable;
	}

	get rtpParameters(): RtpParameters {
		return structuredClone(this.#rtpParameters);
	}

	async enableTraceEvent(): Promise<void> {
		await this.#channel.request(() => found(this.#channel.books.producers, this.id));
	}

	/** Nothing arrives. */
	getStats(): Promise<object[]> {
		return this.#channel.request(() => {
			found(this.#channel.books.producers, this.id);
			return [];
		});
	}

	get consumableRtpParameters(): RtpParameters {
		return structuredClone(this.#consumableRtpParameters);
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.#channel.send(() => {
			this.#channel.closeProducer(this.id);
		});
		this.emit('@close');
		this.observer.emit('close');
	}

	transportClosed(): void {
		if (this.closed) return;
		this.closed = true;
		this.emit('transportclose');
		this.observer.emit('close');
	}

	pause(): Promise<void> {
		return this.#setPaused(true);
	}

	resume(): Promise<void> {
		return this.#setPaused(false);
	}

	async #setPaused(paused: boolean): Promise<void> {
		await this.#channel.request(() => {
			this.#channel.pauseProducer(this.id, paused);
		});
		const before = this.paused;
		this.paused = paused;
		if (before !== paused) this.observer.emit(paused ? 'pause' : 'resume');
	}
}

class FakeConsumer extends Entity {
	paused: boolean;
	producerPaused = false;
	priority = 1;
	readonly kind: MediaKind;
	readonly #channel: Channel;
	readonly #rtpParameters: RtpParameters;

	constructor(channel: Channel, data: Media) {
		super();
		this.#channel = channel;
		this.kind = data.kind;
		this.paused = data.paused;
		this.#rtpParameters = data.rtpParameters;
	}

	get rtpParameters(): RtpParameters {
		return structuredClone(this.#rtpParameters);
	}

	/** Nothing is sent. */
	getStats(): Promise<object[]> {
		return this.#channel.request(() => {
			found(this.#channel.books.consumers, this.id);
			return [{ type: 'outbound-rtp', packetCount: 0, packetsLost: 0, byteCount: 0 }];
		});
	}

	async enableTraceEvent(): Promise<void> {
		await this.#channel.request(() => found(this.#channel.books.consumers, this.id));
	}

	async setPreferredLayers(): Promise<void> {
		await this.#channel.request(() => found(this.#channel.books.consumers, this.id));
	}

	async setPriority(priority: number): Promise<void> {
		await this.#channel.request(() => found(this.#channel.books.consumers, this.id));
		this.priority = priority;
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.#channel.send(() => {
			this.#channel.closeConsumer(this.id);
		});
		this.emit('@close');
		this.observer.emit('close');
	}

	transportClosed(): void {
		if (this.closed) return;
		this.closed = true;
		this.emit('transportclose');
		this.observer.emit('close');
	}

	producerClosed(): void {
		if (this.closed) return;
		this.closed = true;
		this.emit('@close');
		this.emit('producerclose');
		this.observer.emit('close');
	}

	followProducer(paused: boolean): void {
		if (this.closed || this.producerPaused === paused) return;
		this.producerPaused = paused;
		this.emit(paused ? 'producerpause' : 'producerresume');
		if (!this.paused) this.observer.emit(paused ? 'pause' : 'resume');
	}

	pause(): Promise<void> {
		return this.#setPaused(true);
	}

	resume(): Promise<void> {
		return this.#setPaused(false);
	}

	async #setPaused(paused: boolean): Promise<void> {
		await this.#channel.request(() => {
			found(this.#channel.books.consumers, this.id).paused = paused;
		});
		const before = this.paused;
		this.paused = paused;
		if (before !== paused && !this.producerPaused) this.observer.emit(paused ? 'pause' : 'resume');
	}
}

abstract class FakeTransport extends Entity {
	abstract readonly type: TransportType;
	protected readonly channel: Channel;
	protected readonly router: FakeRouter;
	readonly #producers = new Set<FakeProducer>();
	readonly #consumers = new Set<FakeConsumer>();
	readonly #data: FakeDataOf;
	#cname: string | undefined;

	constructor(channel: Channel, router: FakeRouter) {
		super();
		this.channel = channel;
		this.router = router;
		this.#data = new FakeDataOf(this.id, channel);
	}

	allocateSctpStreamId(): number {
		return this.#data.allocateSctpStreamId();
	}

	produceData(options?: DataProducerOptions) {
		return this.#data.produce(options);
	}

	consumeData(options: DataConsumerOptions) {
		return this.#data.consume(options, this.allocateSctpStreamId());
	}

	dump() {
		return this.#data.dump();
	}

	/** In the worker. */
	open(): void {
		const { channel, router, id, type } = this;
		if (!channel.books.routers.has(router.id)) throw new NotFoundError('Router not found');
		channel.books.transports.set(id, { routerId: router.id, type, connected: false });
		if (type === 'webrtc') channel.books.data.clients.add(id);
		if (type === 'pipe') channel.books.data.pipes.add(id);
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.channel.send(() => {
			this.channel.closeTransport(this.id);
		});
		this.#closeAll();
		this.emit('@close');
		this.observer.emit('close');
	}

	routerClosed(): void {
		if (this.closed) return;
		this.closed = true;
		this.#closeAll();
		this.emit('routerclose');
		this.observer.emit('close');
	}

	#closeAll(): void {
		for (const producer of this.#producers) {
			producer.transportClosed();
			this.router.producers.delete(producer.id);
		}
		for (const consumer of this.#consumers) consumer.transportClosed();
		this.#producers.clear();
		this.#consumers.clear();
		this.#data.transportClosed();
	}

	async connect(): Promise<void> {
		await this.channel.request(() => {
			const held = found(this.channel.books.transports, this.id);
			if (held.connected) throw new Error('connect() already called');
			held.connected = true;
		});
	}

	async produce(options: {
		kind: MediaKind;
		rtpParameters: RtpParameters;
		paused?: boolean;
		appData?: object;
	}): Promise<FakeProducer> {
		const { kind, paused = false, appData = {} } = options;
		const rtpParameters = structuredClone(options.rtpParameters);
		ortc.validateAndNormalizeRtpParameters(rtpParameters);
		const [encoding = {}] = (rtpParameters.encodings ??= []);
		if (rtpParameters.encodings.length === 0) rtpParameters.encodings.push(encoding);
		const cname = rtpParameters.rtcp?.cname ?? randomBytes(4).toString('hex');
		if (this.type === 'webrtc') this.#cname ??= cname;
		rtpParameters.rtcp = { ...rtpParameters.rtcp, cname: this.#cname ?? cname };
		const mapping = ortc.getProducerRtpParametersMapping(rtpParameters, this.router.rtpCapabilities);
		const consumable = ortc.getConsumableRtpParameters(kind, rtpParameters, this.router.rtpCapabilities, mapping);
		const producer = new FakeProducer(this.channel, { kind, paused, appData, rtpParameters, consumable });
		const { mid } = rtpParameters;
		const ssrcs = rtpParameters.encodings.flatMap(({ ssrc, rtx }) => [ssrc ?? [], rtx?.ssrc ?? []].flat());
		await this.channel.request(() => {
			const { producers, transports } = this.channel.books;
			if (mid === undefined && ssrcs.length === 0) throw new TypeError('wrong entry in rtpMapping.encodings');
			found(transports, this.id);
			for (const other of producers.values()) {
				if (other.transportId !== this.id) continue;
				if (mid !== undefined && other.mid === mid) throw new Error('MID already exists in RTP listener');
				if (ssrcs.some((ssrc) => other.ssrcs.includes(ssrc))) throw new Error('ssrc already exists in RTP listener');
			}
			producers.set(producer.id, { transportId: this.id, paused, mid, ssrcs });
		});
		this.#producers.add(producer);
		this.router.producers.set(producer.id, producer);
		producer.on('@close', () => {
			this.#producers.delete(producer);
			this.router.producers.delete(producer.id);
		});
		return producer;
	}

	protected async consumeWith(
		producerId: string,
		paused: boolean,
		parameters: (consumable: RtpParameters, kind: MediaKind) => RtpParameters,
	): Promise<FakeConsumer> {
		const producer = this.router.producers.get(producerId);
		if (!producer) throw new NotFoundError(`Producer with id "${producerId}" not found`);
		const { kind } = producer;
		const rtpParameters = parameters(producer.consumableRtpParameters, kind);
		const consumer = new FakeConsumer(this.channel, { kind, paused, rtpParameters });
		consumer.producerPaused = await this.channel.request(() => {
			const { transports, producers, consumers } = this.channel.books;
			found(transports, this.id);
			const held = found(producers, producerId);
			consumers.set(consumer.id, { transportId: this.id, producerId, paused, told: consumer });
			return held.paused;
		});
		this.#consumers.add(consumer);
		consumer.on('@close', () => this.#consumers.delete(consumer));
		return consumer;
	}
}

/** For clients. Its state is that of a client which the test plays. */
export class FakeWebRtcTransport extends FakeTransport {
	readonly type = 'webrtc';
	dtlsState: DtlsState = 'new';
	iceParameters = newIceParameters();
	readonly sctpParameters = { port: 5000, maxReceiveMessageSize: 262_144 };
	sctpState: SctpState = 'new';
	readonly iceCandidates: IceCandidate[] = (['udp', 'tcp'] as const).map((protocol) => ({
		foundation: `${protocol}candidate`,
		priority: protocol === 'udp' ? 1076302079 : 1076276479,
		ip: '127.0.0.1',
		address: '127.0.0.1',
		protocol,
		port: 40_000,
		type: 'host',
		...(protocol === 'tcp' && { tcpType: 'passive' }),
	}));
	readonly dtlsParameters = {
		role: 'auto',
		fingerprints: [
			{ algorithm: 'sha-1', value: Array.from({ length: 20 }, () => '1F').join(':') },
			{ algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'A5').join(':') },
		],
	};

	consume(options: {
		producerId: string;
		rtpCapabilities: RtpCapabilities;
		mid: string;
		paused?: boolean;
	}): Promise<FakeConsumer> {
		const { producerId, mid, paused = false } = options;
		const remoteRtpCapabilities = structuredClone(options.rtpCapabilities);
		return this.consumeWith(producerId, paused, (consumableRtpParameters, kind) => {
			ortc.validateAndNormalizeRtpCapabilities(remoteRtpCapabilities);
			const enableRtx = kind === 'video';
			const parameters = { consumableRtpParameters, remoteRtpCapabilities, pipe: false, enableRtx };
			return { ...ortc.getConsumerRtpParameters(parameters), mid };
		});
	}

	async restartIce() {
		this.iceParameters = await this.channel.request(() => {
			found(this.channel.books.transports, this.id);
			return newIceParameters();
		});
		return this.iceParameters;
	}

	async setMaxIncomingBitrate() {
		await this.#changed();
	}

	async setMaxOutgoingBitrate() {
		await this.#changed();
	}

	async setMinOutgoingBitrate() {
		await this.#changed();
	}

	/** Nothing is sent, and nothing is known of the link. */
	getStats(): Promise<object[]> {
		return this.channel.request(() => {
			found(this.channel.books.transports, this.id);
			return [{ type: 'webrtc-transport', rtpSendBitrate: 0, rtpBytesReceived: 0, rtpRecvBitrate: 0 }];
		});
	}

	/** Of what no packet flows through, nothing is seen. */
	#changed() {
		return this.channel.request(() => {
			found(this.channel.books.transports, this.id);
		});
	}

	/** What the client does at the other end. */
	becomes(state: 'connected' | 'closed' | 'failed'): void {
		this.channel.tell(() => {
			if (this.closed) return;
			this.dtlsState = state;
			this.emit('dtlsstatechange', state);
			if (state !== 'connected' || this.sctpState !== 'new') return;
			this.sctpState = 'connected';
			this.emit('sctpstatechange', this.sctpState);
		});
	}
}

class FakePipeTransport extends FakeTransport {
	readonly type = 'pipe';
	readonly tuple = { localAddress: '127.0.0.1', localPort: 40_001, protocol: 'udp' };
	/** Those to other servers have some. */
	readonly srtpParameters: object | undefined;
	readonly #enableRtx: boolean;

	constructor(channel: Channel, router: FakeRouter, { enableSrtp = false, enableRtx = false }: PipeTransportOptions) {
		super(channel, router);
		this.#enableRtx = enableRtx;
		this.srtpParameters = enableSrtp ? { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: 'a key' } : undefined;
	}

	override open(): void {
		super.open();
		if (this.srtpParameters) this.channel.books.betweenServers.add(this.id);
	}

	consume({ producerId }: { producerId: string }): Promise<FakeConsumer> {
		return this.consumeWith(producerId, false, (consumableRtpParameters) =>
			ortc.getPipeConsumerRtpParameters({ consumableRtpParameters, enableRtx: this.#enableRtx }),
		);
	}
}

/** Where data channels meet this process. */
class FakeDirectTransport extends FakeTransport {
	readonly type = 'direct';
}

class FakeRouter extends Entity {
	/** What a transport on it can consume. */
	readonly producers = new Map<string, FakeProducer>();
	rtpCapabilities = ortc.generateRouterRtpCapabilities([]);
	readonly #transports = new Set<FakeTransport>();
	readonly #channel: Channel;
	readonly #opened: (transport: FakeWebRtcTransport) => void;

	constructor(channel: Channel, opened: (transport: FakeWebRtcTransport) => void) {
		super();
		this.#channel = channel;
		this.#opened = opened;
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.#channel.send(() => {
			this.#channel.closeRouter(this.id);
		});
		this.#closeAll();
	}

	workerClosed(): void {
		if (this.closed) return;
		this.closed = true;
		this.#closeAll();
	}

	#closeAll(): void {
		for (const transport of this.#transports) transport.routerClosed();
		this.#transports.clear();
		this.producers.clear();
		this.observer.emit('close');
	}

	updateMediaCodecs(codecs: RouterRtpCodecCapability[]): void {
		this.rtpCapabilities = ortc.generateRouterRtpCapabilities(codecs);
	}

	async createWebRtcTransport(): Promise<FakeWebRtcTransport> {
		const transport = await this.#create(new FakeWebRtcTransport(this.#channel, this));
		this.#opened(transport);
		return transport;
	}

	createPipeTransport(options: PipeTransportOptions): Promise<FakePipeTransport> {
		return this.#create(new FakePipeTransport(this.#channel, this, options));
	}

	createActiveSpeakerObserver() {
		return this.#channel.books.audio.open(this.observer);
	}

	createAudioLevelObserver() {
		return this.#channel.books.audio.open(this.observer);
	}

	createDirectTransport(): Promise<FakeDirectTransport> {
		return this.#create(new FakeDirectTransport(this.#channel, this));
	}

	async #create<Transport extends FakeTransport>(transport: Transport): Promise<Transport> {
		await this.#channel.request(() => {
			transport.open();
		});
		this.#transports.add(transport);
		transport.on('@close', () => this.#transports.delete(transport));
		return transport;
	}
}

class FakeWorker extends Entity {
	readonly channel: Channel;
	readonly #routers = new Set<FakeRouter>();
	readonly #opened: (transport: FakeWebRtcTransport) => void;

	constructor(delay: Delay, opened: (transport: FakeWebRtcTransport) => void) {
		super();
		this.channel = new Channel(delay);
		this.#opened = opened;
	}

	close(): void {
		this.closed = true;
		this.channel.close();
		for (const router of this.#routers) router.workerClosed();
		this.#routers.clear();
	}

	async createRouter(): Promise<FakeRouter> {
		const router = new FakeRouter(this.channel, this.#opened);
		await this.channel.request(() => this.channel.books.routers.add(router.id));
		this.#routers.add(router);
		router.observer.on('close', () => this.#routers.delete(router));
		return router;
	}
}

/** The books of several workers in one. */
function inAll(all: readonly Books[]): Books {
	const sum = new Books();
	for (const { routers, transports, producers, consumers, data, betweenServers } of all) {
		for (const id of betweenServers) sum.betweenServers.add(id);
		for (const id of routers) sum.routers.add(id);
		for (const one of transports) sum.transports.set(...one);
		for (const one of producers) sum.producers.set(...one);
		for (const one of consumers) sum.consumers.set(...one);
		for (const id of data.clients) sum.data.clients.add(id);
		for (const id of data.pipes) sum.data.pipes.add(id);
		for (const one of data.producers) sum.data.producers.set(...one);
		for (const one of data.consumers) sum.data.consumers.set(...one);
		sum.data.messages.push(...data.messages);
	}
	return sum;
}

/** Workers, and another one for each that dies. The connections of each room are on all of them in turn. Give {@link FakeWorkers.pool} to `Sfu.createWith()`. */
export class FakeWorkers extends Emitter<WorkerPoolEvents> {
	/** Every transport for a client that there has been, oldest first. */
	readonly transports: FakeWebRtcTransport[] = [];
	readonly #delay: Delay;
	readonly #running: { media: MediaWorker; worker: FakeWorker }[];
	#pid = 1;
	#placed = 0;

	constructor(logger: Logger, delay: Delay = () => Promise.resolve(), count = 1) {
		super(logger);
		this.#delay = delay;
		this.#running = Array.from({ length: count }, (_, index) => this.#start(index));
	}

	/** The same, as the core knows it: it calls no more of a worker pool than is here. */
	get pool(): WorkerPool {
		return this as unknown as WorkerPool;
	}

	get loads(): WorkerLoad[] {
		const rest = { pipes: 0, cpu: 0, isFull: false, carriesRoom: false };
		return this.#running.map(({ media: { index, rooms, tracks } }) => ({ index, pid: index, rooms, tracks, ...rest }));
	}

	get books(): Books {
		const all = this.#running.map(({ worker }) => worker.channel.books);
		return all.length === 1 ? all[0]! : inAll(all);
	}

	place({ userId }: Partial<PlacementRequest>): MediaWorker {
		const { worker, media } = this.#running[userId === undefined ? 0 : this.#placed++ % this.#running.length]!;
		if (worker.closed) throw new SfuError('unavailable', 'no media worker at the moment');
		return media;
	}

	close(): void {
		for (const { worker } of this.#running) worker.close();
	}

	/** Some client sends on some stream, on which this process may look for what opens a channel. */
	clientSends(nth: number, message: Buffer, payloadProtocolId: number): void {
		const { channel } = this.#running[nth % this.#running.length]!.worker;
		const { taps } = channel.books.data;
		const tap = taps[nth % Math.max(taps.length, 1)];
		channel.tell(() => {
			if (tap && !tap.closed) tap.emit('message', message, payloadProtocolId);
		});
	}

	/** Somebody is heard from now on, or nobody. */
	speak(nth: number): void {
		for (const { worker } of this.#running) {
			const { audio, producers } = worker.channel.books;
			audio.speak(nth, (producerId) => producers.get(producerId)?.paused === false);
		}
	}

	/** Some client closes its end of some data channel. */
	clientClosesChannel(nth: number): void {
		const { data } = this.#running[nth % this.#running.length]!.worker.channel.books;
		const [, sent] = data.sent[nth % Math.max(data.sent.length, 1)] ?? [];
		if (sent) data.clientCloses(sent);
	}

	/** Ends the worker process; there is another one soon. */
	die(nth = 0): void {
		const pid = this.#pid++;
		const index = nth % this.#running.length;
		this.#running[index]!.worker.close();
		this.#running[index] = this.#start(index);
		this.emit('workerDied', { pid, error: new Error('died') });
		this.emit('workerReplaced', { pid: this.#pid });
	}

	#start(index: number) {
		const worker = new FakeWorker(this.#delay, (transport) => this.transports.push(transport));
		const media = { index, worker, webRtcServer: {}, rooms: 0, tracks: 0, cpu: 0 } as unknown as MediaWorker;
		return { media, worker };
	}
}

function newIceParameters() {
	return {
		usernameFragment: randomBytes(8).toString('hex'),
		password: randomBytes(16).toString('hex'),
		iceLite: true,
	};
}
