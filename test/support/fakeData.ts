import { NotFoundError } from 'mediasoup/errors';
import type { DataConsumerOptions, DataProducerOptions } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

interface HeldDataConsumer {
	transportId: string;
	producerId: string;
	streamId: number;
	paused: boolean;
	told: FakeDataConsumer;
}

/** The data producers and consumers that a worker holds, by id. */
export class DataBooks {
	/** The transports of clients. */
	readonly clients = new Set<string>();
	/** The ends of pipes. */
	readonly pipes = new Set<string>();
	/** Those of a client, and those at the end of a pipe, have the id of their stream. */
	readonly producers = new Map<string, { transportId: string; streamId: number | undefined }>();
	readonly consumers = new Map<string, HeldDataConsumer>();
	/** The messages of this process to clients, oldest first. */
	readonly messages: { streamId: number; message: string | Buffer; payloadProtocolId: number }[] = [];

	/** What listens in this process to what a client sends on a stream, one for each. */
	get taps(): FakeDataConsumer[] {
		const isOfClient = (id: string) => this.clients.has(this.producers.get(id)?.transportId ?? '');
		const isHere = (id: string) => !this.clients.has(id) && !this.pipes.has(id);
		return [...this.consumers.values()]
			.filter(({ transportId, producerId }) => isOfClient(producerId) && isHere(transportId))
			.map(({ told }) => told);
	}

	/** What is sent to clients of what clients send, by id. */
	get pulled(): [string, HeldDataConsumer][] {
		return this.sent.filter(([, { producerId }]) => this.producers.get(producerId)?.streamId !== undefined);
	}

	/** All that is sent to clients, by id. */
	get sent(): [string, HeldDataConsumer][] {
		return [...this.consumers].filter(([, { transportId }]) => this.clients.has(transportId));
	}

	/** A client closes its end of a channel: the worker drops what sends on it, and tells nobody. */
	clientCloses({ transportId, streamId }: HeldDataConsumer): void {
		for (const [id, consumer] of this.consumers) {
			if (consumer.transportId === transportId && consumer.streamId === streamId) this.consumers.delete(id);
		}
	}

	/** @returns what is to be told that its producer has closed */
	closeProducer(id: string): FakeDataConsumer[] {
		if (!this.producers.delete(id)) throw new NotFoundError('DataProducer not found');
		const consumers = [...this.consumers].filter(([, { producerId }]) => producerId === id);
		for (const [consumerId] of consumers) this.consumers.delete(consumerId);
		return consumers.map(([, { told }]) => told);
	}

	closeTransport(id: string): FakeDataConsumer[] {
		for (const [consumerId, { transportId }] of this.consumers) {
			if (transportId === id) this.consumers.delete(consumerId);
		}
		const producers = [...this.producers].filter(([, { transportId }]) => transportId === id);
		return producers.flatMap(([producerId]) => this.closeProducer(producerId));
	}
}

/** The way to the worker, as far as it concerns data. */
interface DataChannel {
	readonly books: { readonly data: DataBooks; readonly transports: ReadonlyMap<string, unknown> };
	request<Result>(handle: () => Result): Promise<Result>;
	send(handle: () => void): void;
	tell(event: () => void): void;
}

/** What is on a transport, whose end it does not survive. */
export class FakeDataOf {
	readonly #transportId: string;
	readonly #channel: DataChannel;
	readonly #entities = new Set<FakeDataProducer | FakeDataConsumer>();
	#nextStreamId = 0;

	constructor(transportId: string, channel: DataChannel) {
		this.#transportId = transportId;
		this.#channel = channel;
	}

	allocateSctpStreamId(): number {
		return this.#nextStreamId++;
	}

	transportClosed(): void {
		for (const entity of this.#entities) entity.ends('transportclose');
		this.#entities.clear();
	}

	async produce({ sctpStreamParameters }: DataProducerOptions = {}): Promise<FakeDataProducer> {
		const producer = new FakeDataProducer(this.#channel);
		await this.#channel.request(() => {
			if (!this.#channel.books.transports.has(this.#transportId)) throw new NotFoundError('Transport not found');
			const { producers } = this.#channel.books.data;
			const transportId = this.#transportId;
			const streamId = sctpStreamParameters?.streamId;
			const isTaken = (other: { transportId: string; streamId: number | undefined }) =>
				other.transportId === transportId && other.streamId === streamId;
			if (streamId !== undefined && [...producers.values()].some(isTaken)) {
				throw new Error('streamId already exists in SCTP listener');
			}
			producers.set(producer.id, { transportId, streamId });
		});
		this.#entities.add(producer);
		return producer;
	}

	async consume({ dataProducerId, paused = false }: DataConsumerOptions, streamId: number): Promise<FakeDataConsumer> {
		const consumer = new FakeDataConsumer(this.#channel, paused, streamId);
		await this.#channel.request(() => {
			const { books } = this.#channel;
			if (!books.transports.has(this.#transportId)) throw new NotFoundError('Transport not found');
			if (!books.data.producers.has(dataProducerId)) throw new NotFoundError('DataProducer not found');
			const transportId = this.#transportId;
			books.data.consumers.set(consumer.id, {
				transportId,
				producerId: dataProducerId,
				streamId,
				paused,
				told: consumer,
			});
		});
		this.#entities.add(consumer);
		return consumer;
	}

	async dump() {
		const dataConsumerIds = await this.#channel.request(() =>
			[...this.#channel.books.data.consumers].flatMap(([id, { transportId }]) =>
				transportId === this.#transportId ? id : [],
			),
		);
		return { dataConsumerIds };
	}
}

class FakeDataProducer extends EventEmitter {
	readonly id = randomUUID();
	readonly observer = new EventEmitter();
	readonly label = '';
	readonly protocol = '';
	paused = false;
	closed = false;
	readonly #channel: DataChannel;

	constructor(channel: DataChannel) {
		super();
		this.#channel = channel;
	}

	/** Nobody hears it. */
	send(): void {
		this.#channel.send(() => undefined);
	}

	async pause(): Promise<void> {
		await this.#channel.request(() => undefined);
		this.paused = true;
	}

	async resume(): Promise<void> {
		await this.#channel.request(() => undefined);
		this.paused = false;
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.observer.emit('close');
		this.#channel.send(() => {
			for (const consumer of this.#channel.books.data.closeProducer(this.id)) {
				this.#channel.tell(() => {
					consumer.ends('dataproducerclose');
				});
			}
		});
	}

	ends(event: string): void {
		if (this.closed) return;
		this.closed = true;
		this.emit(event);
		this.observer.emit('close');
	}
}

export class FakeDataConsumer extends EventEmitter {
	readonly id = randomUUID();
	readonly observer = new EventEmitter();
	readonly dataProducerPaused = false;
	closed = false;
	paused: boolean;
	readonly sctpStreamParameters: { streamId: number };
	readonly #channel: DataChannel;

	constructor(channel: DataChannel, paused: boolean, streamId: number) {
		super();
		this.#channel = channel;
		this.paused = paused;
		this.sctpStreamParameters = { streamId };
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.observer.emit('close');
		this.#channel.send(() => {
			if (!this.#channel.books.data.consumers.delete(this.id)) throw new NotFoundError('DataConsumer not found');
		});
	}

	ends(event: string): void {
		if (this.closed) return;
		this.closed = true;
		this.emit(event);
		this.observer.emit('close');
	}

	async pause(): Promise<void> {
		await this.#ask((held) => (held.paused = true));
		this.paused = true;
	}

	async resume(): Promise<void> {
		await this.#ask((held) => (held.paused = false));
		this.paused = false;
	}

	async send(message: string | Buffer, payloadProtocolId: number): Promise<number> {
		await this.#ask(({ paused, streamId }) => {
			if (paused) throw new Error('message send failed');
			this.#channel.books.data.messages.push({ streamId, message, payloadProtocolId });
		});
		return 0;
	}

	async getBufferedAmount(): Promise<number> {
		await this.#ask(() => undefined);
		return 0;
	}

	#ask(handle: (held: HeldDataConsumer) => void): Promise<void> {
		return this.#channel.request(() => {
			const held = this.#channel.books.data.consumers.get(this.id);
			if (!held) throw new NotFoundError('DataConsumer not found');
			handle(held);
		});
	}
}
