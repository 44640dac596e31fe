import { Emitter } from '../Emitter.js';

export type DemandEvents = {
	/** It is another bitrate now. */
	changed: () => void;
	/** It is another layer now. */
	layerChanged: () => void;
};

/** What those who pull a track can take of it. */
export class Demand extends Emitter<DemandEvents> {
	readonly #bitrates = new Map<object, number>();
	#bitrate = Infinity;
	readonly #layers = new Map<object, number>();
	#spatialLayer: number | undefined;

	/** The most that anybody takes, in bit/s. `Infinity` if somebody takes all, or nobody pulls. */
	get bitrate(): number {
		return this.#bitrate;
	}

	/** The highest spatial layer that anybody accepts, whatever the link bears. Undefined if nobody wants any. */
	get spatialLayer(): number | undefined {
		return this.#spatialLayer;
	}

	/** @param bitrate - the most that this one takes, in bit/s; `Infinity` for all */
	set(puller: object, bitrate: number): void {
		if (this.#bitrates.get(puller) === bitrate) return;
		this.#bitrates.set(puller, bitrate);
		this.#sum();
	}

	/** Forgets the bitrate of one who pulls no more, or nothing at the moment. */
	delete(puller: object): void {
		if (this.#bitrates.delete(puller)) this.#sum();
	}

	/** @param spatialLayer - the highest that this one accepts; undefined if it pulls no more, or nothing at the moment */
	setLayer(puller: object, spatialLayer: number | undefined): void {
		if (this.#layers.get(puller) === spatialLayer) return;
		if (spatialLayer === undefined) this.#layers.delete(puller);
		else this.#layers.set(puller, spatialLayer);
		const before = this.#spatialLayer;
		this.#spatialLayer = this.#layers.size > 0 ? Math.max(...this.#layers.values()) : undefined;
		if (this.#spatialLayer !== before) this.emit('layerChanged');
	}

	#sum(): void {
		const before = this.#bitrate;
		this.#bitrate = this.#bitrates.size > 0 ? Math.max(...this.#bitrates.values()) : Infinity;
		if (this.#bitrate !== before) this.emit('changed');
	}
}
