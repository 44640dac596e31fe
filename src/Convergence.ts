/**
 * Brings something to a wanted state by steps that take time, while that state may change. All who wait share one promise,
 * and only one step runs at a time.
 */
export class Convergence {
	readonly #isReached: () => boolean;
	readonly #step: () => Promise<void>;
	#running: Promise<void> | undefined;

	/**
	 * @param isReached - whether the state is the wanted one
	 * @param step - brings the state nearer to the wanted one
	 */
	constructor(isReached: () => boolean, step: () => Promise<void>) {
		this.#isReached = isReached;
		this.#step = step;
	}

	/**
	 * Resolves when the state is the wanted one, even if another state is wanted meanwhile.
	 *
	 * @throws (rejects) the error of a step, which ends the run; the next call starts a new one
	 */
	run(): Promise<void> {
		if (this.#isReached()) return this.#running ?? Promise.resolve();
		this.#running ??= this.#run();
		return this.#running;
	}

	async #run(): Promise<void> {
		try {
			while (!this.#isReached()) await this.#step();
		} finally {
			// Not in a `finally()` of the promise: a call before that would wait for a run that has ended.
			this.#running = undefined;
		}
	}
}
