import type { Consumer, MediaKind, RtpParameters } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { Pauses, type PauseCause, type PauseOrigin } from './Pauses.js';

/** Why a puller has closed. */
export type PullerCloseReason =
	/** {@link Puller.close} without a reason. */
	| 'closed'
	/** What it pulled is gone. */
	| 'pusherClosed'
	/** Its RTCPeerConnection is gone. */
	| 'connectionClosed'
	/** Its m-line was stopped, or used for something else. */
	| 'removed'
	/** The client has rejected its m-line, or the offer that it came with. */
	| 'rejected'
	/** Its user has left. */
	| 'userLeft'
	/** Its media worker died. */
	| 'workerDied'
	| (string & {});

export type PullerEvents = {
	/** Nothing is sent any more, because the client or the app has paused it. */
	paused: (event: { cause: PauseCause }) => void;
	/** It is sent again. */
	resumed: (event: { cause: PauseCause }) => void;
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
	/** The id of the MediaStream that the client is told (`a=msid`): that of the pusher. */
	readonly streamId: string;
	/** The RTCPeerConnection that it goes through. */
	readonly connectionId: string;
	readonly kind: MediaKind;
	/** The mid of its m-line, `undefined` when the offer had none. */
	readonly mid: string | undefined;
	readonly #consumer: Consumer;
	readonly #pauses: Pauses;
	#closed = false;

	/** @internal */
	constructor(options: {
		userId: string;
		targetUserId: string;
		pusherId: string;
		streamId: string;
		connectionId: string;
		mid: string | undefined;
		consumer: Consumer;
		logger: Logger;
	}) {
		super(options.logger);
		const { userId, targetUserId, pusherId, streamId, connectionId, mid, consumer } = options;
		this.userId = userId;
		this.targetUserId = targetUserId;
		this.pusherId = pusherId;
		this.streamId = streamId;
		this.connectionId = connectionId;
		this.kind = consumer.kind;
		this.mid = mid;
		this.#consumer = consumer;
		this.#pauses = new Pauses(consumer);
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

	/** Whether the client, or a call of {@link Puller.pause}, has paused it. A paused pusher is another matter. */
	get paused(): boolean {
		return this.#pauses.paused;
	}

	/** Who has paused it: nobody when it flows. */
	get pausedBy(): readonly PauseCause[] {
		return this.#pauses.causes;
	}

	/**
	 * Stops sending it until {@link Puller.resume} is called by the same: what the app has paused stays so whatever the
	 * client does, and the other way round.
	 *
	 * @param by - on whose behalf; default `app`
	 * @throws {@link SfuError} (rejects) `closed`
	 */
	pause(by: PauseOrigin = 'app'): Promise<void> {
		return this.setPaused(by, true);
	}

	/**
	 * Takes back {@link Puller.pause}. What somebody else has paused stays so.
	 *
	 * @param by - on whose behalf; default `app`
	 * @throws {@link SfuError} (rejects) `closed`
	 */
	resume(by: PauseOrigin = 'app'): Promise<void> {
		return this.setPaused(by, false);
	}

	/** @internal */
	async setPaused(cause: PauseCause, paused: boolean): Promise<void> {
		if (this.#closed) throw new SfuError('closed', 'the puller has been closed');
		const changed = this.#pauses.set(cause, paused);
		if (changed) this.emit(paused ? 'paused' : 'resumed', { cause });
		await this.#pauses.apply();
	}

	/** @internal Lets media flow. A puller is made paused, so that nothing flows before the answer is complete. */
	async start(): Promise<void> {
		await this.#pauses.apply();
	}

	/** Stops it. */
	close(reason: PullerCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#consumer.close();
		this.emit('closed', { reason });
	}
}
