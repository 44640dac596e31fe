import type { PusherDetails } from './PushOptions.js';

/** What is said of a pusher at the moment. */
export class Details {
	#source: string | undefined;
	#metadata: unknown;

	constructor({ source, metadata }: PusherDetails) {
		this.#source = source ?? undefined;
		this.#metadata = metadata ?? undefined;
	}

	get source(): string | undefined {
		return this.#source;
	}

	get metadata(): unknown {
		return this.#metadata;
	}

	/** @returns whether that changed anything */
	change({ source = this.#source, metadata = this.#metadata }: PusherDetails): boolean {
		const before = JSON.stringify([this.#source, this.#metadata]);
		this.#source = source ?? undefined;
		this.#metadata = metadata ?? undefined;
		return JSON.stringify([this.#source, this.#metadata]) !== before;
	}
}
