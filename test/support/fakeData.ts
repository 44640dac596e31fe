import { NotFoundError } from 'mediasoup/errors';
import type { DataConsumerOptions } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

/** The data producers and consumers that a worker holds, by id. */
export class DataBooks {
	readonly producers = new Map<string, { transportId: string }>();
	readonly consumers = new Map<string, { transportId: string; producerId: string; told: FakeDataConsumer }>();

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

	async produce(): Promise<FakeDataProducer> {
		const producer = new FakeDataProducer(this.#channel);
		await this.#channel.request(() => {
			if (!this.#channel.books.transports.has(this.#transportId)) throw new NotFoundError('Transport not found');
			this.#channel.books.data.producers.set(producer.id, { transportId: this.#transportId });
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
			books.data.consumers.set(consumer.id, { transportId, producerId: dataProducerId, told: consumer });
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
	closed = false;
	readonly #channel: DataChannel;

	constructor(channel: DataChannel) {
		super();
		this.#channel = channel;
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
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
	}
}

export class FakeDataConsumer extends EventEmitter {
	readonly id = randomUUID();
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
		this.#channel.send(() => {
			if (!this.#channel.books.data.consumers.delete(this.id)) throw new NotFoundError('DataConsumer not found');
		});
	}

	ends(event: string): void {
		if (this.closed) return;
		this.closed = true;
		this.emit(event);
	}

	async pause(): Promise<void> {
		await this.#exists();
		this.paused = true;
	}

	async resume(): Promise<void> {
		await this.#exists();
		this.paused = false;
	}

	async send(): Promise<number> {
		await this.#exists();
		return 0;
	}

	async getBufferedAmount(): Promise<number> {
		await this.#exists();
		return 0;
	}

	#exists(): Promise<void> {
		return this.#channel.request(() => {
			if (!this.#channel.books.data.consumers.has(this.id)) throw new NotFoundError('DataConsumer not found');
		});
	}
}
