import type { PauseTarget } from './Pauses.js';

/** What stops while a data channel is paused. */
export interface Follower {
	follow(paused: boolean): Promise<void>;
}

/**
 * Pauses a data channel at those who pull it. What receives it goes on, since by that it is noticed when the client opens
 * its next channel in the place of this one.
 */
export class PullerGroup implements PauseTarget {
	readonly #followers = new Set<Follower>();
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
		this.#followers.clear();
	}

	/** @returns how to end it */
	add(follower: Follower): () => void {
		this.#followers.add(follower);
		if (this.#paused) void follower.follow(true);
		return () => this.#followers.delete(follower);
	}

	pause(): Promise<void> {
		return this.#set(true);
	}

	resume(): Promise<void> {
		return this.#set(false);
	}

	async #set(paused: boolean): Promise<void> {
		this.#paused = paused;
		await Promise.all([...this.#followers].map((follower) => follower.follow(paused)));
	}
}
