/** Trouble within this time after a step up means that the step failed, in ms. */
const trialTime = 8000;

/**
 * A link that was full may be tried with twice as much after `firstHold` in ms, and with less before. It doubles with each
 * failure, up to `longestHold`.
 */
const firstHold = 8000;
const longestHold = 240_000;

/** A link on which packets wait a little, as on one that is nearly full, is tried after so many times the time. */
const busyWaits = 4;

/** The least that is tried, however little a link was found to bear, in bit/s: a link that was gone for a while bore nothing. */
const leastCeiling = 100_000;

/** A link seldom narrows at once to less than this share of what it was known to bear. */
const leastOfCeiling = 0.7;

/** What is known of how much video a link bears, and when it may be tried with more. */
export class LinkCapacity {
	/** The time of the last step up beyond what is known to work, until it has succeeded or failed. */
	#attemptAt: number | undefined;
	#hold = firstHold;
	/** The highest bitrate that did not fail, and how long it was waited since, in ms. */
	#ceiling: { bitrate: number; waited: number } | undefined;
	#passedAt: number | undefined;
	/** The most that the link was clear with, since it was full. */
	#proven = 0;

	/** The time after which a link that was full may be tried with twice as much, in ms. */
	get hold(): number {
		return this.#hold;
	}

	/** The least that the link is expected to bear, in bit/s. 0 if nothing is known. */
	get least(): number {
		return this.#ceiling ? this.#ceiling.bitrate * leastOfCeiling : 0;
	}

	/** The most that is known to go well while an attempt to send more is made. `Infinity` at other times. */
	get borne(): number {
		return this.#attemptAt === undefined || this.#proven === 0 ? Infinity : this.#proven;
	}

	/** The bitrate that may be tried, in bit/s, up to `limit`. As an estimate would, it doubles in each hold time. */
	room(limit: number): number {
		if (!this.#ceiling) return limit;
		return Math.min(limit, this.#ceiling.bitrate * 2 ** (this.#ceiling.waited / this.#hold));
	}

	/** Notes that time has passed. @param isCalm - whether packets do not wait on the link at all */
	pass(at: number, isCalm: boolean): void {
		const passed = at - (this.#passedAt ?? at);
		this.#passedAt = at;
		if (this.#ceiling) this.#ceiling.waited += isCalm ? passed : passed / busyWaits;
	}

	/** Notes a step up to `bitrate`. */
	attempt(at: number, bitrate: number): void {
		if (bitrate > this.#proven) this.#attemptAt = at;
	}

	/**
	 * Notes that the link is full. An attempt has failed then.
	 *
	 * @param bears - what it seems to bear, in bit/s
	 * @param next - what it gets from now on, in bit/s
	 */
	fill(at: number, bears: number, next: number): void {
		if (this.#attemptAt !== undefined) this.#hold = Math.min(this.#hold * 2, longestHold);
		this.#attemptAt = undefined;
		this.#passedAt = at;
		this.#proven = Math.min(this.#proven, bears);
		// The throughput of a stream that waits for its keyframe is low, but says nothing about the link.
		this.#ceiling = { bitrate: Math.max(bears * 0.95, next, leastCeiling), waited: 0 };
	}

	/** Notes that the link was clear with `bitrate`. */
	prove(bitrate: number): void {
		this.#proven = Math.max(this.#proven, bitrate);
	}

	/** Notes that the link is clear at the moment, with `bitrate`. An attempt that was long enough ago has succeeded then. */
	clear(at: number, bitrate: number): void {
		if (this.#attemptAt === undefined || at - this.#attemptAt < trialTime) return;
		this.#attemptAt = undefined;
		this.#hold = firstHold;
		if (this.#ceiling) this.#ceiling = { bitrate: Math.max(this.#ceiling.bitrate, bitrate), waited: 0 };
	}

	/** Forgets that the link was full. */
	forget(): void {
		this.#ceiling = undefined;
		this.#attemptAt = undefined;
		this.#hold = firstHold;
	}

	/** Notes that the link may be another one: it need not wait for attempts that failed before. */
	restart(): void {
		this.#attemptAt = undefined;
		this.#hold = firstHold;
	}
}
