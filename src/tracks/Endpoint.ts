import type { EventMap } from 'typed-emitter';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { Pauses, type PauseCause, type PauseOrigin, type PauseTarget } from './Pauses.js';

/** The events of every pusher and puller. */
export type EndpointEvents<Reason extends string = string> = {
	/** Nothing flows anymore, because the client or the app has paused it. */
	paused: (event: { cause: PauseCause }) => void;
	/** It flows again. */
	resumed: (event: { cause: PauseCause }) => void;
	/** It has closed. Emitted once, last. */
	closed: (event: { reason: Reason }) => void;
};

/** The parts of an endpoint that its creator knows. */
export interface EndpointOptions {
	userId: string;
	connectionId: string;
	logger: Logger;
}

/**
 * The end of a track or a data channel at one user: a pusher sends, a puller receives. The client and the app can pause it,
 * each on its own.
 */
export abstract class Endpoint<
	Events extends EndpointEvents<Reason> & EventMap,
	Reason extends string,
> extends Emitter<Events> {
	/** A track of audio or video, or a data channel. */
	abstract readonly kind: 'audio' | 'video' | 'data';
	/** The user that sends or receives it. */
	readonly userId: string;
	/** The connection that carries it. */
	readonly connectionId: string;
	/** @internal Called each time that the app pauses or resumes it. */
	appPaused: ((paused: boolean) => void) | undefined;
	readonly #pauses: Pauses;
	#closed = false;

	/**
	 * @internal
	 * @param target - pauses and resumes in the worker
	 * @param held - whether `target` stays as it is until {@link Endpoint.release} is called
	 */
	protected constructor(target: PauseTarget, { userId, connectionId, logger }: EndpointOptions, held = false) {
		super(logger);
		this.userId = userId;
		this.connectionId = connectionId;
		this.#pauses = new Pauses(target, held);
	}

	/** Whether it has closed. */
	get closed(): boolean {
		return this.#closed;
	}

	/** Whether anybody has paused it. A puller is not paused because its pusher is. */
	get paused(): boolean {
		return this.#pauses.paused;
	}

	/** Who has paused it. The list is empty while it flows. */
	get pausedBy(): readonly PauseCause[] {
		return this.#pauses.causes;
	}

	/** Closes it, at the other side too. @param reason - default `closed` */
	close(reason: Reason | 'closed' = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.free(reason as Reason);
		this.emit('closed', ...([{ reason }] as Parameters<Events['closed']>));
	}

	/**
	 * Pauses it until {@link Endpoint.resume} is called on behalf of the same. The client cannot resume what the app has
	 * paused, nor the other way round.
	 *
	 * @param by - on whose behalf; default `app`
	 * @throws {@link SfuError} (rejects) `closed`
	 */
	pause(by: PauseOrigin = 'app'): Promise<void> {
		return this.setPaused(by, true);
	}

	/**
	 * Takes {@link Endpoint.pause} back. It stays paused if somebody else has paused it, too.
	 *
	 * @param by - on whose behalf; default `app`
	 * @throws {@link SfuError} (rejects) `closed`
	 */
	resume(by: PauseOrigin = 'app'): Promise<void> {
		return this.setPaused(by, false);
	}

	/** @internal */
	async setPaused(cause: PauseCause, paused: boolean): Promise<void> {
		this.assertOpen();
		const isChanged = this.#pauses.set(cause, paused);
		if (cause === 'app') this.appPaused?.(paused);
		if (isChanged) {
			this.emit(paused ? 'paused' : 'resumed', ...([{ cause }] as Parameters<Events['paused' | 'resumed']>));
		}
		await this.#pauses.apply();
	}

	/** Frees the media, before anybody is told that it has closed. */
	protected abstract free(reason: Reason): void;

	/** Whether nothing shall flow, for whatever reason. */
	protected get stopped(): boolean {
		return this.#pauses.stopped;
	}

	/** Begins to apply the pauses. */
	protected release(): Promise<void> {
		this.#pauses.release();
		return this.#pauses.apply();
	}

	/** Stops it without pausing it: nobody is told. */
	protected suspend(suspended: boolean): Promise<void> {
		this.#pauses.suspend(suspended);
		return this.#pauses.apply();
	}

	/** @throws {@link SfuError} `closed` */
	protected assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', `the ${'pullerId' in this ? 'puller' : 'pusher'} has been closed`);
	}
}
