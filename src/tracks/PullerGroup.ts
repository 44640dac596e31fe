import type { PauseTarget } from './Pauses.js';

/** Stops while a data channel is paused. */
export interface Follower {
	follow(paused: boolean): Promise<void>;
}

/**
 * The pullers of a data channel. Pausing the data channel pauses them, and not the SCTP stream that receives it: that one
 * must notice when the client opens its next data channel in the place of this one.
 */
export class PullerGroup implements PauseTarget {
	readonly #pullers = new Set<Follower>();
	#paused = false;
	#closed = false;

	get paused(): boolean {
		return this.#paused;
	}

	get closed(): boolean {
		return this.#closed;
	}

	close(): void {
		this.#closed = true;
		this.#pullers.clear();
	}

	/** @returns a function that removes it */
	add(puller: Follower): () => void {
		this.#pullers.add(puller);
		if (this.#paused) void puller.follow(true);
		return () => this.#pullers.delete(puller);
	}

	pause(): Promise<void> {
		return this.#set(true);
	}

	resume(): Promise<void> {
		return this.#set(false);
	}

	async #set(paused: boolean): Promise<void> {
		this.#paused = paused;
		await Promise.all([...this.#pullers].map((puller) => puller.follow(paused)));
	}
}
