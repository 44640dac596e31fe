/** Keeps the input that took longest. It only tells: what is too long, a benchmark measures. */
export class Slowest {
	#milliseconds = 0;
	#input = '';

	async time<Result>(input: string, run: () => Promise<Result>): Promise<Result> {
		const started = performance.now();
		try {
			return await run();
		} finally {
			const took = performance.now() - started;
			if (took > this.#milliseconds) [this.#milliseconds, this.#input] = [took, input];
		}
	}

	/** How long it took, and the input, of a long one its head. */
	report(): string {
		const head = JSON.stringify(this.#input.slice(0, 300));
		return `${this.#milliseconds.toFixed(1)} ms for ${this.#input.length} characters, ${head}`;
	}
}
