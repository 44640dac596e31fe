import type { DataConsumer } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import type { DataPusher } from './DataPusher.js';
import { Endpoint, type EndpointOptions } from './Endpoint.js';
import type { PullerCloseReason, PullerEvents } from './Puller.js';

/** A data channel on which a user receives the messages of another user's. Messages that come while it is paused are lost. */
export class DataPuller extends Endpoint<PullerEvents, PullerCloseReason> {
	readonly kind = 'data';
	/** Its id. It is unique. */
	readonly pullerId = randomUUID();
	/** The user that sends the messages. */
	readonly targetUserId: string;
	/** The pusher whose messages it receives. */
	readonly pusherId: string;
	/** The `id` of the client's RTCDataChannel. */
	readonly channelId: number;
	/** Whether the client opens it by that id (`negotiated: true`), rather than being told in-band (RFC 8832). */
	readonly negotiated: boolean;
	readonly #pusher: DataPusher;
	readonly #consumer: DataConsumer;

	/** @internal */
	constructor(
		options: EndpointOptions & {
			pusher: DataPusher;
			channelId: number;
			negotiated: boolean;
			consumer: DataConsumer;
		},
	) {
		super(options.consumer, options, true);
		const { pusher, channelId, negotiated, consumer } = options;
		this.targetUserId = pusher.userId;
		this.pusherId = pusher.pusherId;
		this.channelId = channelId;
		this.negotiated = negotiated;
		this.#pusher = pusher;
		this.#consumer = consumer;
		const isReliable = pusher.maxPacketLifeTime === undefined && pusher.maxRetransmits === undefined;
		consumer.on('sctpsendbufferfull', () => {
			if (isReliable) this.close('tooSlow');
		});
		consumer.once('dataproducerclose', () => {
			this.close(pusher.closed ? 'pusherClosed' : 'interrupted');
		});
	}

	/** The source of its pusher. */
	get source(): string | undefined {
		return this.#pusher.source;
	}

	/** The metadata of its pusher. */
	get metadata(): unknown {
		return this.#pusher.metadata;
	}

	/** @internal */
	get pusher(): DataPusher {
		return this.#pusher;
	}

	/** @internal Sends it. */
	get consumer(): DataConsumer {
		return this.#consumer;
	}

	/**
	 * @internal Lets it flow, unless somebody has paused it.
	 * @param open - sends the message that opens it at the client
	 */
	async start(open: () => Promise<unknown>): Promise<void> {
		// A paused consumer can send nothing. The worker handles these requests in order, and lets nothing else through.
		const { stopped } = this;
		try {
			await Promise.all([this.#consumer.resume(), open(), stopped && this.#consumer.pause()]);
		} finally {
			await this.release();
		}
	}

	/** @internal Stops while its pusher is paused. */
	follow(paused: boolean): Promise<void> {
		return this.suspend(paused);
	}

	protected override free(): void {
		this.#consumer.close();
	}
}
