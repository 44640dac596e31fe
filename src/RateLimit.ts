/** A token bucket: it allows a burst at once, and a number per second in the long run. */
export class RateLimit {
	readonly #burst: number;
	readonly #perSecond: number;
	#tokens: number;
	#filledAt = performance.now();

	constructor(burst: number, perSecond: number) {
		this.#burst = burst;
		this.#perSecond = perSecond;
		this.#tokens = burst;
	}

	/** Whether nothing has been taken for so long that the whole burst is there again. */
	get full(): boolean {
		return this.#fill() === this.#burst;
	}

	/** @returns whether one more is within the limit, or so many more */
	take(count = 1): boolean {
		if (this.#fill() < count) return false;
		this.#tokens -= count;
		return true;
	}

	#fill(): number {
		const now = performance.now();
		this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
		this.#filledAt = now;
		return this.#tokens;
	}
}
