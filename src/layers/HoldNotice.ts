/**
 * What is held and comes back within this time, in ms, has only waited for the queue of its link to drain, and for its
 * sender to send less. Nobody is told.
 */
const graceTime = 4000;

/** A client is told that a video is held, or that it is back, no sooner than so long after it was told the opposite, in ms. */
const steadyTime = 10_000;

/**
 * When a client is told that its link bears nothing of a video. What does not fit is stopped at once, so that the audio gets
 * through, but nobody is told of that more often than once in ten seconds.
 */
export class HoldNotice {
	#heldAt: number | undefined;
	#isTold = false;
	#toldAt = -Infinity;

	/** Whether the client knows that it is held. */
	get isTold(): boolean {
		return this.#isTold;
	}

	/** The time in ms before which it must not come back. `-Infinity` as long as the client does not know that it is held. */
	get shownFrom(): number {
		return this.#isTold ? this.#toldAt + steadyTime : -Infinity;
	}

	/** Notes that it is held. @param at - the time in ms */
	hold(at: number): void {
		this.#heldAt ??= at;
	}

	/** Whether the client has to be told that it is held. */
	isDue(at: number): boolean {
		if (this.#heldAt === undefined || this.#isTold) return false;
		return at >= Math.max(this.#heldAt + graceTime, this.#toldAt + steadyTime);
	}

	/** Notes that the client is told that it is held. */
	tell(at: number): void {
		this.#isTold = true;
		this.#toldAt = at;
	}

	/** Notes that it is back. The client is told if it knew that it was held. */
	show(at: number): void {
		if (this.#isTold) this.#toldAt = at;
		this.#isTold = false;
		this.#heldAt = undefined;
	}
}
