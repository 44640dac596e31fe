/** The steps that take back a creation that has failed half way. They run in reverse order. */
export class Rollback {
	readonly #steps: (() => void)[] = [];

	add(step: () => void): void {
		this.#steps.push(step);
	}

	/** Runs each step once. It is a function of its own, so that it can be a listener. */
	readonly run = (): void => {
		for (const step of this.#steps.splice(0).reverse()) step();
	};
}
