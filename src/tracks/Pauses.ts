import { Convergence } from '../Convergence.js';
import { toSfuError } from '../media/callWorker.js';

/** Who has paused a track or a data channel. It flows when nobody has. */
export type PauseCause =
	/** The client has, by the direction of the m-line in its SDP. */
	| 'direction'
	/** The client has, by a message. */
	| 'client'
	/** The app has. */
	| 'app'
	/** The link of the client bears nothing of this video at the moment. Pullers only. */
	| 'bandwidth';

/** On whose behalf a call pauses or resumes a track or a data channel. */
export type PauseOrigin = Exclude<PauseCause, 'direction' | 'bandwidth'>;

/** A producer or a consumer, which the worker can pause. */
export interface PauseTarget {
	readonly closed: boolean;
	readonly paused: boolean;
	pause(): Promise<void>;
	resume(): Promise<void>;
}

/** Pauses something for each of several causes, and resumes it when the last one is gone. */
export class Pauses {
	readonly #target: PauseTarget;
	readonly #causes = new Set<PauseCause>();
	#held: boolean;
	#suspended = false;
	readonly #convergence = new Convergence(
		() => this.#held || this.#target.closed || this.#target.paused === this.stopped,
		() => this.#step(),
	);

	/** @param held - whether it is to be left as it is until {@link Pauses.release} */
	constructor(target: PauseTarget, held = false) {
		this.#target = target;
		this.#held = held;
	}

	get paused(): boolean {
		return this.#causes.size > 0;
	}

	/** Whether it is to be paused, for whatever reason. */
	get stopped(): boolean {
		return this.paused || this.#suspended;
	}

	get causes(): readonly PauseCause[] {
		return [...this.#causes];
	}

	/** @returns whether that changed anything for those who watch */
	set(cause: PauseCause, paused: boolean): boolean {
		const before = this.paused;
		if (paused) this.#causes.add(cause);
		else this.#causes.delete(cause);
		return this.paused !== before;
	}

	/** Pauses it besides, for what is told elsewhere. */
	suspend(suspended: boolean): void {
		this.#suspended = suspended;
	}

	/** Begins to apply what is set. */
	release(): void {
		this.#held = false;
	}

	/**
	 * Resolves when the target is paused or flows as the causes say, even if they change meanwhile.
	 *
	 * @throws {@link SfuError} (rejects) `unavailable`, `internal`; nothing if the target has closed
	 */
	apply(): Promise<void> {
		return this.#convergence.run();
	}

	async #step(): Promise<void> {
		try {
			await (this.stopped ? this.#target.pause() : this.#target.resume());
		} catch (error) {
			// The owner of the target tells that it closed.
			if (!this.#target.closed) throw toSfuError(error);
		}
	}
}
