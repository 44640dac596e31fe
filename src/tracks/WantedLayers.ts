import type { Demand } from '../media/Demand.js';

/**
 * How many layers of a simulcast anybody wants. A higher layer counts at once, and a lower one when it has been enough for a
 * while: each change makes the encoder begin anew. The lowest layer always counts, so that whoever begins to pull has a
 * picture at once, and the server sees that the track arrives.
 */
export class WantedLayers {
	readonly #demand: Pick<Demand, 'spatialLayer' | 'on' | 'off'>;
	readonly #count: number;
	readonly #settleTime: number;
	readonly #changed: () => void;
	#highest: number;
	#timer: NodeJS.Timeout | undefined;

	/**
	 * Begins with all layers.
	 *
	 * @param options - `count`: how many layers there are; `settleTime`: how long a lower layer has to be enough, in ms;
	 *   `changed`: is called after each change
	 */
	constructor({
		demand,
		count,
		settleTime,
		changed,
	}: {
		demand: Pick<Demand, 'spatialLayer' | 'on' | 'off'>;
		count: number;
		settleTime: number;
		changed: () => void;
	}) {
		this.#demand = demand;
		this.#count = count;
		this.#settleTime = settleTime;
		this.#changed = changed;
		this.#highest = count - 1;
		demand.on('layerChanged', this.#follow);
		this.#follow();
	}

	/** Whether each layer is wanted, from the lowest to the highest. */
	get active(): boolean[] {
		return Array.from({ length: this.#count }, (_, layer) => layer <= this.#highest);
	}

	/** Stops following the demand. */
	close(): void {
		clearTimeout(this.#timer);
		this.#demand.off('layerChanged', this.#follow);
	}

	get #wanted(): number {
		return Math.min(this.#demand.spatialLayer ?? 0, this.#count - 1);
	}

	readonly #follow = (): void => {
		if (this.#wanted < this.#highest) {
			this.#timer ??= setTimeout(this.#settle, this.#settleTime);
			return;
		}
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#wanted > this.#highest) this.#settle();
	};

	readonly #settle = (): void => {
		this.#timer = undefined;
		this.#highest = this.#wanted;
		this.#changed();
	};
}
