import { parseScalabilityMode } from 'mediasoup';
import type { Consumer, RtpParameters } from 'mediasoup/types';
import { Convergence } from '../Convergence.js';
import { toSfuError } from '../media/callWorker.js';

/** A layer of simulcast or SVC. It comes with all lower layers that it needs. */
export interface Layers {
	/** The resolution, counted from 0, the lowest. */
	spatialLayer: number;
	/** The frame rate, counted from 0, the lowest. */
	temporalLayer: number;
}

/** Compares two layers, or none. */
export const isSameLayers = (a: Layers | undefined, b: Layers | undefined): boolean =>
	a?.spatialLayer === b?.spatialLayer && a?.temporalLayer === b?.temporalLayer;

const lowerOf = (a: Layers, b: Layers): Layers => ({
	spatialLayer: Math.min(a.spatialLayer, b.spatialLayer),
	temporalLayer: Math.min(a.temporalLayer, b.temporalLayer),
});

const unlimited: Layers = { spatialLayer: Infinity, temporalLayer: Infinity };

const isHigher = (a: Layers, b: Layers): boolean =>
	a.spatialLayer === b.spatialLayer ? a.temporalLayer > b.temporalLayer : a.spatialLayer > b.spatialLayer;

/** The steps up to the given layers: first the frame rates of the lowest resolution, then the other resolutions. */
function stepsTo({ spatialLayer: highest, temporalLayer }: Layers): Layers[] {
	return [
		...Array.from({ length: temporalLayer }, (_, temporal) => ({ spatialLayer: 0, temporalLayer: temporal })),
		...Array.from({ length: highest + 1 }, (_, spatialLayer) => ({ spatialLayer, temporalLayer })),
	];
}

/** The highest layers that a consumer can send. Without simulcast and SVC both are 0. */
export function highestLayers(rtpParameters: RtpParameters): Layers {
	const { spatialLayers, temporalLayers } = parseScalabilityMode(rtpParameters.encodings?.[0]?.scalabilityMode);
	return { spatialLayer: spatialLayers - 1, temporalLayer: temporalLayers - 1 };
}

/** Step 0 of every stream: nothing is sent. */
export const heldStep = 0;

/**
 * The layers that a consumer may send: the lowest of those that the client prefers, the app allows and the link bears. A
 * link that bears none holds the stream.
 */
export class LayerSelection {
	/** The highest layers that the consumer can send. */
	readonly highest: Layers;
	/**
	 * The highest temporal layer that the source sends. The worker stays on the lowest temporal layer while it is asked for
	 * one that does not come. Default `Infinity`.
	 */
	highestTemporalLayer = Infinity;
	/** Called each time that the client prefers or the app allows something else. */
	acceptedChanged: (() => void) | undefined;
	readonly #consumer: Consumer;
	readonly #convergence: Convergence;
	#preferred: Layers;
	#allowed: Layers;
	/** All layers up to {@link LayerSelection.accepted}. They are read at each look at a link. */
	#layers: readonly Layers[];
	/** The highest layers that the link bears. Undefined if it bears none. */
	#linkLimit: Layers | undefined = unlimited;
	/** The preferred layers of the consumer in the worker. */
	#applied: Layers;

	/** @param allowed - the layers that the app allows at first; the worker must know them as the preferred ones already */
	constructor(consumer: Consumer, highest: Layers, allowed = highest) {
		this.#consumer = consumer;
		this.highest = highest;
		this.#preferred = highest;
		this.#allowed = allowed;
		this.#layers = stepsTo(this.accepted);
		this.#applied = allowed;
		this.#convergence = new Convergence(
			() => consumer.closed || !this.isLayered || isSameLayers(this.#applied, this.target),
			() => this.#send(this.target),
		);
	}

	/** The layers that the client prefers, at most {@link LayerSelection.highest}. */
	get preferred(): Layers {
		return this.#preferred;
	}

	set preferred(layers: Layers) {
		this.#preferred = lowerOf(layers, this.highest);
		this.#accept();
	}

	/** The layers that the app allows, at most {@link LayerSelection.highest}. */
	get allowed(): Layers {
		return this.#allowed;
	}

	set allowed(layers: Layers) {
		this.#allowed = lowerOf(layers, this.highest);
		this.#accept();
	}

	/** The highest layers that both client and app accept. */
	get accepted(): Layers {
		return lowerOf(this.#preferred, this.#allowed);
	}

	/** Whether there are layers to choose from, beside none. */
	get isLayered(): boolean {
		return this.highest.spatialLayer > 0 || this.highest.temporalLayer > 0;
	}

	/** All layers from the lowest to the highest ones that both client and app accept. There is at least one. */
	get layers(): readonly Layers[] {
		return this.#layers;
	}

	/**
	 * The highest step that the link bears: {@link heldStep}, or one more than an index of {@link LayerSelection.layers}. A
	 * higher one than there is stands for the highest.
	 */
	get step(): number {
		return this.#linkLimit ? this.stepOf(this.#linkLimit) : heldStep;
	}

	set step(step: number) {
		const { layers } = this;
		this.#linkLimit = step <= heldStep ? undefined : (layers[Math.min(step, layers.length) - 1] ?? unlimited);
	}

	/** The step of the highest layers that are not above the given ones. */
	stepOf(limit: Layers): number {
		return Math.max(this.layers.findLastIndex((layers) => !isHigher(layers, limit)) + 1, heldStep + 1);
	}

	/** Lifts the limit of the link. */
	release(): void {
		this.#linkLimit = unlimited;
	}

	/** Whether the link bears nothing of the stream. */
	get isHeld(): boolean {
		return this.#linkLimit === undefined;
	}

	/** Whether the link bears less than client and app accept. */
	get isHeldBack(): boolean {
		return this.step < this.layers.length;
	}

	/** The highest layers to send. They are the lowest ones of a stream that is held: it will begin with these. */
	get target(): Layers {
		const { spatialLayer, temporalLayer } = this.layers[Math.max(this.step - 1, 0)] ?? this.#preferred;
		return { spatialLayer, temporalLayer: Math.min(temporalLayer, this.highestTemporalLayer) };
	}

	/**
	 * Resolves when the worker knows the target, even if it changes meanwhile.
	 *
	 * @throws {@link SfuError} (rejects) `unavailable`, `internal`; nothing if the consumer has closed
	 */
	apply(): Promise<void> {
		return this.#convergence.run();
	}

	/**
	 * Makes the worker choose the layers again. Without a bandwidth estimate, it only does so when the preferred layers
	 * change, and stays below them if they did not flow at that time.
	 *
	 * @throws {@link SfuError} (rejects) as {@link LayerSelection.apply} does
	 */
	async renew(): Promise<void> {
		const [lowest] = stepsTo(this.#applied);
		if (!this.isLayered || !lowest || isSameLayers(lowest, this.#applied)) return;
		await this.#send(lowest);
		await this.apply();
	}

	#accept(): void {
		this.#layers = stepsTo(this.accepted);
		this.acceptedChanged?.();
	}

	async #send(layers: Layers): Promise<void> {
		try {
			await this.#consumer.setPreferredLayers(layers);
			this.#applied = layers;
		} catch (error) {
			// The owner of the consumer tells that it closed.
			if (!this.#consumer.closed) throw toSfuError(error);
		}
	}
}
