import type { Consumer, MediaKind, RtpParameters } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';

/** Why a puller has closed. */
export type PullerCloseReason =
	/** {@link Puller.close} without a reason. */
	| 'closed'
	/** What it pulled is gone. */
	| 'pusherClosed'
	/** Its RTCPeerConnection is gone. */
	| 'connectionClosed'
	/** Its user has left. */
	| 'userLeft'
	/** Its media worker died. */
	| 'workerDied'
	| (string & {});

export type PullerEvents = {
	/** Emitted once, last. */
	closed: (event: { reason: PullerCloseReason }) => void;
};

/** One track that a user receives. */
export class Puller extends Emitter<PullerEvents> {
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
	readonly kind: MediaKind;
	/** The mid of its m-line, `undefined` when the offer had none. */
	readonly mid: string | undefined;
	readonly #consumer: Consumer;
	#closed = false;

	/** @internal */
	constructor(options: {
		userId: string;
		targetUserId: string;
		pusherId: string;
		connectionId: string;
		mid: string | undefined;
		consumer: Consumer;
		logger: Logger;
	}) {
		super(options.logger);
		const { userId, targetUserId, pusherId, connectionId, mid, consumer } = options;
		this.userId = userId;
		this.targetUserId = targetUserId;
		this.pusherId = pusherId;
		this.connectionId = connectionId;
		this.kind = consumer.kind;
		this.mid = mid;
		this.#consumer = consumer;
		consumer.once('producerclose', () => {
			this.close('pusherClosed');
		});
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** @internal What is sent. */
	get rtpParameters(): RtpParameters {
		return this.#consumer.rtpParameters;
	}

	/** @internal Lets media flow. A puller is made paused, so that nothing flows before the answer is complete. */
	async start(): Promise<void> {
		await this.#consumer.resume();
	}

	/** Stops it. */
	close(reason: PullerCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#consumer.close();
		this.emit('closed', { reason });
	}
}
