import { parseScalabilityMode } from 'mediasoup';
import type { Consumer } from 'mediasoup/types';
import { toSfuError } from '../media/callWorker.js';

/** A layer of simulcast or SVC, counted from 0, the lowest; and with it all that it needs. */
export interface Layers {
	/** By resolution. */
	spatialLayer: number;
	/** By frame rate. */
	temporalLayer: number;
}

/** @internal The lower one of each. */
export const lowerOf = (a: Layers, b: Layers): Layers => ({
	spatialLayer: Math.min(a.spatialLayer, b.spatialLayer),
	temporalLayer: Math.min(a.temporalLayer, b.temporalLayer),
});

export const isSameLayers = (a: Layers | undefined, b: Layers | undefined): boolean =>
	a?.spatialLayer === b?.spatialLayer && a?.temporalLayer === b?.temporalLayer;

const isHigher = (a: Layers, b: Layers): boolean =>
	a.spatialLayer === b.spatialLayer ? a.temporalLayer > b.temporalLayer : a.spatialLayer > b.spatialLayer;

/**
 * The layers from the lowest to the highest that it makes sense to send: the resolution falls before the frame rate, and
 * the frame rate of the lowest resolution alone.
 */
export function ladder({ spatialLayer: highest, temporalLayer }: Layers): Layers[] {
	return [
		...Array.from({ length: temporalLayer }, (_, temporal) => ({ spatialLayer: 0, temporalLayer: temporal })),
		...Array.from({ length: highest + 1 }, (_, spatialLayer) => ({ spatialLayer, temporalLayer })),
	];
}

/** The highest layers of what a consumer sends; `undefined` when it has but one. */
export function highestLayers({ rtpParameters }: Consumer): Layers | undefined {
	const { spatialLayers, temporalLayers } = parseScalabilityMode(rtpParameters.encodings?.[0]?.scalabilityMode);
	return spatialLayers > 1 || temporalLayers > 1
		? { spatialLayer: spatialLayers - 1, temporalLayer: temporalLayers - 1 }
		: undefined;
}

/** Which layers a consumer may send at most: the lowest of what the client prefers, the app allows and the link bears. */
export class LayerSelection {
	/** All that there are. */
	readonly highest: Layers;
	readonly #consumer: Consumer;
	#preferred: Layers;
	#allowed: Layers;
	/** What the link is taken to bear; `undefined` for everything. */
	#borne: Layers | undefined;
	/** The highest temporal layer that is there to be sent. */
	#sent = Infinity;
	#applied: Layers;
	#applying: Promise<void> | undefined;

	/** @param allowed - those that the worker knows as the preferred ones already */
	constructor(consumer: Consumer, highest: Layers, allowed = highest) {
		this.#consumer = consumer;
		this.highest = highest;
		this.#preferred = highest;
		this.#allowed = allowed;
		this.#applied = allowed;
	}

	get preferred(): Layers {
		return this.#preferred;
	}

	set preferred(layers: Layers) {
		this.#preferred = lowerOf(layers, this.highest);
	}

	get allowed(): Layers {
		return this.#allowed;
	}

	set allowed(layers: Layers) {
		this.#allowed = lowerOf(layers, this.highest);
	}

	/** What client and app want together, step by step. */
	get ladder(): Layers[] {
		return ladder(lowerOf(this.#preferred, this.#allowed));
	}

	/** How far up the ladder the link is taken to bear. */
	get rung(): number {
		const rungs = this.ladder;
		const borne = this.#borne;
		return borne
			? Math.max(
					rungs.findLastIndex((layers) => !isHigher(layers, borne)),
					0,
				)
			: rungs.length - 1;
	}

	set rung(rung: number) {
		const rungs = this.ladder;
		this.#borne = rungs[Math.min(rung, rungs.length - 1)];
	}

	/** The link is taken to bear everything again. */
	release(): void {
		this.#borne = undefined;
	}

	/**
	 * The highest temporal layer that the pusher turns out to send: `Infinity` while that is not known. The worker goes up
	 * from the lowest one when it sees a packet of the very one that it shall send, so it must not be asked for another.
	 */
	set sent(temporalLayer: number) {
		this.#sent = temporalLayer;
	}

	/** Whether the link is taken to bear less than client and app want. */
	get isHeldBack(): boolean {
		return this.rung < this.ladder.length - 1;
	}

	/** What is sent at most. */
	get target(): Layers {
		const { spatialLayer, temporalLayer } = this.ladder[this.rung] ?? this.#preferred;
		return { spatialLayer, temporalLayer: Math.min(temporalLayer, this.#sent) };
	}

	/** Resolves when the worker knows, whatever is set meanwhile. */
	apply(): Promise<void> {
		if (this.#isApplied) return this.#applying ?? Promise.resolve();
		this.#applying ??= this.#apply();
		return this.#applying;
	}

	/**
	 * Has the worker look at the layers anew. Without a bandwidth estimate it does so only when the preferred ones change,
	 * and so it may stay below them when they were not there yet.
	 */
	async renew(): Promise<void> {
		const [lower] = ladder(this.#applied);
		if (!lower || isSameLayers(lower, this.#applied)) return;
		this.#applied = lower;
		await this.#send(lower);
		await this.apply();
	}

	get #isApplied(): boolean {
		return this.#consumer.closed || isSameLayers(this.#applied, this.target);
	}

	async #apply(): Promise<void> {
		try {
			while (!this.#isApplied) {
				this.#applied = this.target;
				await this.#send(this.#applied);
			}
		} finally {
			// At once, and not when somebody has waited for it: what is set until then would wait for what is done already.
			this.#applying = undefined;
		}
	}

	async #send(layers: Layers): Promise<void> {
		try {
			await this.#consumer.setPreferredLayers(layers);
		} catch (error) {
			// It was closed meanwhile, and its owner tells of that.
			if (!this.#consumer.closed) throw toSfuError(error);
		}
	}
}
