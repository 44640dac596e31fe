import { Emitter } from '../Emitter.js';

export type DemandEvents = {
	/** It is another bitrate now. */
	changed: () => void;
};

/** What those who pull a track can take of it. */
export class Demand extends Emitter<DemandEvents> {
	readonly #bitrates = new Map<object, number>();
	#bitrate = Infinity;

	/** The most that anybody takes, in bit/s. `Infinity` if somebody takes all, or nobody pulls. */
	get bitrate(): number {
		return this.#bitrate;
	}

	/** @param bitrate - the most that this one takes, in bit/s; `Infinity` for all */
	set(puller: object, bitrate: number): void {
		this.#bitrates.set(puller, bitrate);
		this.#sum();
	}

	/** Forgets one who pulls no more, or nothing at the moment. */
	delete(puller: object): void {
		if (this.#bitrates.delete(puller)) this.#sum();
	}

	#sum(): void {
		const before = this.#bitrate;
		this.#bitrate = this.#bitrates.size > 0 ? Math.max(...this.#bitrates.values()) : Infinity;
		if (this.#bitrate !== before) this.emit('changed');
	}
}
