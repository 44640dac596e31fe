import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import { Pauses, type PauseCause, type PauseOrigin, type PauseTarget } from './Pauses.js';

export type PausableEvents = {
	/** Nothing flows any more, because the client or the app has paused it. */
	paused: (event: { cause: PauseCause }) => void;
	/** It flows again. */
	resumed: (event: { cause: PauseCause }) => void;
};

/** What a connection carries, and client and app can pause, each on its own: a pusher or a puller. */
export abstract class Pausable<Events extends PausableEvents> extends Emitter<Events> {
	readonly #pauses: Pauses;

	/** @param held - whether `target` is to be left as it is until {@link Pausable.release} */
	protected constructor(target: PauseTarget, logger: Logger, held = false) {
		super(logger);
		this.#pauses = new Pauses(target, held);
	}

	/** Whether anybody has paused it. A puller of a paused pusher is not, by that. */
	get paused(): boolean {
		return this.#pauses.paused;
	}

	/** Who has paused it: nobody when it flows. */
	get pausedBy(): readonly PauseCause[] {
		return this.#pauses.causes;
	}

	/**
	 * Stops it until {@link Pausable.resume} is called by the same: what the app has paused stays so whatever the client
	 * does, and the other way round.
	 *
	 * @param by - on whose behalf; default `app`
	 * @throws {@link SfuError} (rejects) `closed`
	 */
	pause(by: PauseOrigin = 'app'): Promise<void> {
		return this.setPaused(by, true);
	}

	/**
	 * Takes back {@link Pausable.pause}. What somebody else has paused stays so.
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
		if (this.#pauses.set(cause, paused)) {
			this.emit(paused ? 'paused' : 'resumed', ...([{ cause }] as Parameters<Events['paused' | 'resumed']>));
		}
		await this.#pauses.apply();
	}

	/** Whether nothing shall flow, for whatever reason. */
	protected get stopped(): boolean {
		return this.#pauses.stopped;
	}

	/** From now on it is as those want who pause it. */
	protected release(): Promise<void> {
		this.#pauses.release();
		return this.#pauses.apply();
	}

	/** Stops it besides, without anybody's having paused it. */
	protected suspend(suspended: boolean): Promise<void> {
		this.#pauses.suspend(suspended);
		return this.#pauses.apply();
	}

	/** @throws {@link SfuError} `closed` */
	protected abstract assertOpen(): void;
}
