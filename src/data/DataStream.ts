import type { DataConsumer, DataProducer, WebRtcTransport } from 'mediasoup/types';
import { consumeDataOn, reliableDelivery } from '../media/consumeData.js';
import type { DirectDataTransport } from '../media/DirectDataTransport.js';
import { Pauses } from '../tracks/Pauses.js';

// What this process looks at of a stream that no app listens to, between two refills: enough for what opens channels.
const allowance = 128 * 1024;
const messageCost = 1024;

/** Receives what a stream of SCTP carries: its number, the message, and the Payload Protocol Identifier. */
export type Receive = (stream: DataStream, message: Buffer, payloadProtocolId: number) => void;

/**
 * A stream of SCTP on which a client sends. The worker passes on what it carries; this process sees a copy: all of it
 * when the app listens, otherwise just enough to notice when a channel is opened on it.
 */
export class DataStream {
	readonly streamId: number;
	readonly producer: DataProducer;
	readonly #transport: WebRtcTransport;
	readonly #hub: DirectDataTransport;
	readonly #tap: DataConsumer;
	readonly #pauses: Pauses;
	#back: Promise<DataConsumer> | undefined;
	#openBack: DataConsumer | undefined;
	#listened = false;
	#allowed = allowance;

	static async create(
		streamId: number,
		transport: WebRtcTransport,
		hub: DirectDataTransport,
		receive: Receive,
	): Promise<DataStream> {
		const producer = await transport.produceData({ sctpStreamParameters: { streamId, ordered: true } });
		try {
			return new DataStream({ streamId, producer, tap: await hub.observe(producer) }, transport, hub, receive);
		} catch (error) {
			producer.close();
			throw error;
		}
	}

	private constructor(
		of: { streamId: number; producer: DataProducer; tap: DataConsumer },
		transport: WebRtcTransport,
		hub: DirectDataTransport,
		receive: Receive,
	) {
		this.streamId = of.streamId;
		this.producer = of.producer;
		this.#tap = of.tap;
		this.#transport = transport;
		this.#hub = hub;
		this.#pauses = new Pauses(of.tap);
		of.tap.on('message', (message, payloadProtocolId) => {
			this.#allowed -= messageCost + message.length;
			if (this.#allowed <= 0) this.#adjust();
			receive(this, message, payloadProtocolId);
		});
	}

	/** What {@link DataStream.back} has made. */
	get openBack(): DataConsumer | undefined {
		return this.#openBack;
	}

	/** What sends on it to the client, made when it is first asked for. The worker drops it when the client closes its end. */
	back(): Promise<DataConsumer> {
		if (!this.#back) {
			const creating = consumeDataOn(this.#transport, this.streamId, this.#hub.silence, reliableDelivery);
			this.#back = creating;
			creating.then(
				(consumer) => {
					if (this.#back === creating) this.#openBack = consumer;
				},
				() => {
					if (this.#back === creating) this.#back = undefined;
				},
			);
		}
		return this.#back;
	}

	/** Forgets what sends on it, as the client has closed its end, or shall. */
	closeBack(): void {
		this.#back?.then(
			(consumer) => {
				consumer.close();
			},
			() => undefined,
		);
		this.#back = undefined;
		this.#openBack = undefined;
	}

	get channelId(): number {
		return this.streamId;
	}

	async reply(message: Buffer, payloadProtocolId: number): Promise<void> {
		await (await this.back()).send(message, payloadProtocolId);
	}

	/** Whether the app wants to see all. */
	observe(listened: boolean): void {
		this.#listened = listened;
		this.#adjust();
	}

	/** Looks at as much again. */
	refill(): void {
		this.#allowed = allowance;
		this.#adjust();
	}

	/** Resets the stream, by which the client learns that the channel on it is closed (RFC 8831, section 6.7). */
	close(): void {
		this.closeBack();
		this.#tap.close();
		this.producer.close();
	}

	#adjust(): void {
		const looks = this.#listened || this.#allowed > 0;
		this.#pauses.set('app', !looks);
		// It fails only when the worker has died, of which the connection is told.
		this.#pauses.apply().catch(() => undefined);
	}
}
