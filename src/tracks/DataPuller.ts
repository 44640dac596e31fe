import type { DataConsumer } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { Pausable, type PausableEvents } from './Pausable.js';
import type { DataPusher } from './DataPusher.js';
import type { PullerCloseReason } from './Puller.js';

/** Why a data puller has closed. */
export type DataPullerCloseReason =
	/** The client has closed the data channel. */
	| 'channelClosed'
	/** The client reads so slowly that a message of a reliable data channel was lost. */
	| 'tooSlow'
	| PullerCloseReason;

export type DataPullerEvents = PausableEvents & {
	/** Emitted once, last. */
	closed: (event: { reason: DataPullerCloseReason }) => void;
};

/** A data channel that carries to a user what another one sends on its own; what comes while it is paused is lost. */
export class DataPuller extends Pausable<DataPullerEvents> {
	/** Unique, and made by us. */
	readonly pullerId = randomUUID();
	/** The user that receives it. */
	readonly userId: string;
	/** The user that sends it. */
	readonly targetUserId: string;
	/** What it receives. */
	readonly pusherId: string;
	/** The RTCPeerConnection that it goes through. */
	readonly connectionId: string;
	readonly kind = 'data';
	/** The `id` of the client's RTCDataChannel. */
	readonly channelId: number;
	/** Whether the client opens it by that id, rather than being told in-band (RFC 8832). */
	readonly negotiated: boolean;
	readonly #pusher: DataPusher;
	readonly #consumer: DataConsumer;
	#closed = false;

	/** @internal */
	constructor(options: {
		userId: string;
		pusher: DataPusher;
		connectionId: string;
		channelId: number;
		negotiated: boolean;
		consumer: DataConsumer;
		logger: Logger;
	}) {
		super(options.consumer, options.logger, true);
		const { userId, pusher, connectionId, channelId, negotiated, consumer } = options;
		this.userId = userId;
		this.targetUserId = pusher.userId;
		this.pusherId = pusher.pusherId;
		this.connectionId = connectionId;
		this.channelId = channelId;
		this.negotiated = negotiated;
		this.#pusher = pusher;
		this.#consumer = consumer;
		const isReliable = pusher.maxPacketLifeTime === undefined && pusher.maxRetransmits === undefined;
		consumer.on('sctpsendbufferfull', () => {
			if (isReliable) this.close('tooSlow');
		});
		consumer.once('dataproducerclose', () => {
			this.close('pusherClosed');
		});
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** @internal */
	get pusher(): DataPusher {
		return this.#pusher;
	}

	/** @internal What sends it. */
	get consumer(): DataConsumer {
		return this.#consumer;
	}

	/**
	 * @internal Lets it flow, unless somebody has paused it.
	 * @param open - sends what opens it at the client
	 */
	async start(open: () => Promise<unknown>): Promise<void> {
		// What is paused can send nothing. The worker does these one after the other, and lets nothing else through.
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

	/** Closes the data channel, at the client too. */
	close(reason: DataPullerCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#consumer.close();
		this.emit('closed', { reason });
	}

	protected override assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the puller has been closed');
	}
}
