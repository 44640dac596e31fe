/** The steps that take back what a half-finished creation has made, last first. */
export class Rollback {
	readonly #steps: (() => void)[] = [];

	add(step: () => void): void {
		this.#steps.push(step);
	}

	/** A function for later, such as an event; runs each step once. */
	readonly run = (): void => {
		for (const step of this.#steps.splice(0).reverse()) step();
	};
}
