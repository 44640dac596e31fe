import type { DataConsumer, WebRtcTransport } from 'mediasoup/types';
import { consumeDataOn, reliableDelivery } from '../media/consumeData.js';
import type { LocalDataSource } from '../media/DataSource.js';
import type { DirectDataTransport } from '../media/DirectDataTransport.js';
import type { RoomRouter } from '../media/RoomRouter.js';
import { SfuError } from '../SfuError.js';
import type { DataPusher, DataPusherStream } from '../tracks/DataPusher.js';
import { Pauses } from '../tracks/Pauses.js';

// Between two refills this process looks at so many bytes of a stream that no app listens to, and counts so many for each
// message. That is enough for the messages that open channels.
const allowance = 128 * 1024;
const messageCost = 1024;

/** The states of an SCTP stream. {@link DataReceiver} has a drawing of them. */
export type DataStreamState = 'waiting' | 'open' | 'closing' | 'closed';

/** Receives each message that this process sees of a stream, with its Payload Protocol Identifier. */
export type Receive = (stream: DataStream, message: Buffer, payloadProtocolId: number) => void;

interface Reply {
	readonly created: Promise<DataConsumer>;
	consumer?: DataConsumer;
}

/**
 * An SCTP stream on which a client may send. The worker forwards the messages to the pullers. This process sees a copy of
 * them: of all if the app listens, otherwise of so many that it notices when the client opens a channel.
 */
export class DataStream implements DataPusherStream {
	/** The id of the stream, which is the `id` of the client's RTCDataChannel. */
	readonly channelId: number;
	/** Receives the messages in the worker. */
	readonly source: LocalDataSource;
	readonly #transport: WebRtcTransport;
	readonly #directTransport: DirectDataTransport;
	readonly #observerConsumer: DataConsumer;
	readonly #observerPauses: Pauses;
	#state: DataStreamState = 'waiting';
	#pusher: DataPusher | undefined;
	#reply: Reply | undefined;
	#closing: Promise<void> | undefined;
	#observed = false;
	#allowed = allowance;

	static async create(
		channelId: number,
		on: { router: RoomRouter; transport: WebRtcTransport; direct: DirectDataTransport },
		receive: Receive,
	): Promise<DataStream> {
		const { router, transport, direct } = on;
		const producer = await transport.produceData({ sctpStreamParameters: { streamId: channelId, ordered: true } });
		try {
			const observerConsumer = await direct.observe(producer);
			const source = router.dataSource(producer);
			return new DataStream({ channelId, source, observerConsumer }, transport, direct, receive);
		} catch (error) {
			producer.close();
			throw error;
		}
	}

	private constructor(
		options: { channelId: number; source: LocalDataSource; observerConsumer: DataConsumer },
		transport: WebRtcTransport,
		directTransport: DirectDataTransport,
		receive: Receive,
	) {
		this.channelId = options.channelId;
		this.source = options.source;
		this.#observerConsumer = options.observerConsumer;
		this.#observerPauses = new Pauses(options.observerConsumer);
		this.#transport = transport;
		this.#directTransport = directTransport;
		options.observerConsumer.on('message', (message, payloadProtocolId) => {
			this.#allowed -= messageCost + message.length;
			if (this.#allowed <= 0) this.#pauseObserver();
			receive(this, message, payloadProtocolId);
		});
	}

	get state(): DataStreamState {
		return this.#state;
	}

	/** The data channel on the stream while it is `open`. */
	get pusher(): DataPusher | undefined {
		return this.#pusher;
	}

	/** The id of the reply consumer once there is one. The worker drops that consumer when the client closes the channel. */
	get replyConsumerId(): string | undefined {
		return this.#reply?.consumer?.id;
	}

	/**
	 * Closes the stream. The worker resets it, and so the client learns that its channel has closed (RFC 8831, section 6.7).
	 *
	 * @returns resolves when the worker has been told: from then on another stream may have the id
	 */
	close(): Promise<void> {
		if (!this.#closing) {
			this.#state = 'closing';
			this.#closing = this.#close();
		}
		return this.#closing;
	}

	/** `waiting` → `open`: the client has opened a channel. */
	open(pusher: DataPusher): void {
		this.#state = 'open';
		this.#pusher = pusher;
	}

	/**
	 * `open` → `waiting`: the client has closed the channel. The stream is not reset, because the client may have opened its
	 * next channel on it already, and the reset would close that one.
	 */
	wait(): void {
		this.#state = 'waiting';
		this.#pusher = undefined;
		this.observe(false);
		this.#takeReply()?.created.then(
			(consumer) => {
				consumer.close();
			},
			() => undefined,
		);
	}

	/**
	 * The consumer that sends to the client on the same stream. It is made by the first call.
	 *
	 * @throws {@link SfuError} (rejects) `closed`, and errors of mediasoup
	 */
	async replyConsumer(): Promise<DataConsumer> {
		if (this.#closing) throw streamClosed();
		return (this.#reply ?? this.#createReply()).created;
	}

	/**
	 * Sends a message to the client on the same stream.
	 *
	 * @throws {@link SfuError} (rejects) `closed`, and errors of mediasoup
	 */
	async reply(message: Buffer, payloadProtocolId: number): Promise<void> {
		const consumer = await this.replyConsumer();
		if (consumer !== this.#reply?.consumer) throw streamClosed();
		await consumer.send(message, payloadProtocolId);
	}

	/** Chooses whether this process sees a copy of every message. */
	observe(observed: boolean): void {
		this.#observed = observed;
		this.#pauseObserver();
	}

	/** Lets this process see as many messages again as at first. */
	refill(): void {
		this.#allowed = allowance;
		this.#pauseObserver();
	}

	async #close(): Promise<void> {
		this.#pusher = undefined;
		this.#observerConsumer.close();
		const reply = this.#takeReply();
		if (reply && !reply.consumer) await reply.created.catch(() => undefined);
		// For each of the two the worker resets the stream, and only those of one turn become one reset. A second reset would
		// name a stream that Chromium has forgotten, and then Chromium ignores the other streams that the reset names.
		this.source.producer.close();
		reply?.consumer?.close();
		this.#state = 'closed';
	}

	#createReply(): Reply {
		const { silence } = this.#directTransport;
		const reply: Reply = { created: consumeDataOn(this.#transport, this.channelId, silence.id, reliableDelivery) };
		this.#reply = reply;
		reply.created.then(
			(consumer) => {
				reply.consumer = consumer;
			},
			() => {
				if (this.#reply === reply) this.#reply = undefined;
			},
		);
		return reply;
	}

	#takeReply(): Reply | undefined {
		const reply = this.#reply;
		this.#reply = undefined;
		return reply;
	}

	#pauseObserver(): void {
		this.#observerPauses.set('app', !this.#observed && this.#allowed <= 0);
		// This fails only if the worker has died, and the connection is told of that.
		this.#observerPauses.apply().catch(() => undefined);
	}
}

const streamClosed = (): SfuError => new SfuError('closed', 'the data channel has been closed');
