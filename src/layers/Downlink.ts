import type { Logger } from '../Logger.js';
import { countSent } from './countSent.js';
import type { LayeredPuller, LayerPolicy, MeasuredStream, StepChanges } from './LayerPolicy.js';
import { layerRatesReader } from './LayerRates.js';
import type { Overload } from './OverloadDetector.js';
import { OverloadRelief } from './OverloadRelief.js';

/** The layers of all pullers that go over one link, chosen by one policy. */
export class Downlink {
	readonly #pullers = new Set<LayeredPuller>();
	readonly #policy: LayerPolicy;
	readonly #relief: OverloadRelief | undefined;
	readonly #logger: Logger;
	#timer: NodeJS.Timeout | undefined;
	#overloads = 0;

	/** @param options - `isRelieved`: whether an {@link OverloadRelief} lowers layers before the policy can; default true */
	constructor({ policy, logger, isRelieved = true }: { policy: LayerPolicy; logger: Logger; isRelieved?: boolean }) {
		this.#policy = policy;
		this.#logger = logger;
		this.#relief = isRelieved ? new OverloadRelief((overload) => this.#relieve(overload), logger) : undefined;
	}

	/** Whether there are no pullers. */
	get isEmpty(): boolean {
		return this.#pullers.size === 0;
	}

	/** Adds a puller. */
	add(puller: LayeredPuller): void {
		this.#pullers.add(puller);
		this.#relief?.add(puller);
	}

	/** Removes a puller. */
	delete(puller: LayeredPuller): void {
		this.#pullers.delete(puller);
		this.#relief?.delete(puller);
		if (this.isEmpty) clearTimeout(this.#timer);
	}

	/**
	 * Lets the policy look at the link, and applies the steps that it chooses. Logs errors.
	 *
	 * @param readRates - reads the bitrates of sources, for several links at once; default: for this link only
	 */
	async look(readRates = layerRatesReader()): Promise<void> {
		const overloads = this.#overloads;
		let changes: StepChanges = new Map();
		try {
			const [estimate, streams] = await Promise.all([this.#policy.estimate?.(), this.#measure(readRates)]);
			// After an overload, the streams are on other steps than those measured.
			if (overloads !== this.#overloads || this.isEmpty) return;
			changes = await this.#policy.look(streams, estimate);
		} catch (error) {
			// The pullers of a transport that closes are about to be removed.
			if (!this.isEmpty) this.#logger.error('layers could not be chosen', { error });
		}
		const applied = this.apply(changes);
		if (overloads === this.#overloads) this.#scheduleLook();
		await applied;
	}

	/**
	 * Sets the steps of streams at once, and resolves when the worker has applied them. Logs errors: one puller that fails does
	 * not keep others from changing.
	 *
	 * @param relief - restarts the pullers that change; default: they go on flowing
	 */
	async apply(changes: StepChanges, relief?: OverloadRelief): Promise<void> {
		const applied = [...this.#pullers].map(async (puller) => {
			const step = changes.get(puller.consumer.id);
			if (step === undefined) return;
			puller.selection.step = step;
			try {
				await (relief ? relief.restart(puller) : puller.selection.apply());
			} catch (error) {
				this.#logger.error('layers were not changed', { connectionId: puller.connectionId, error });
			}
		});
		await Promise.all(applied);
	}

	async #relieve(overload: Overload): Promise<void> {
		const streams = await this.#measure(layerRatesReader());
		this.#overloads++;
		// Nothing waits for the keyframes.
		void this.apply(this.#policy.fall(overload, streams), this.#relief);
		this.#scheduleLook();
	}

	#scheduleLook(): void {
		clearTimeout(this.#timer);
		if (this.isEmpty) return;
		const delay = this.#policy.scheduleLook?.([...this.#pullers]);
		if (delay !== undefined) this.#timer = setTimeout(() => void this.look(), delay);
	}

	/** Measures all streams that flow. */
	async #measure(readRates: ReturnType<typeof layerRatesReader>): Promise<MeasuredStream[]> {
		const isFlowing = (puller: LayeredPuller) =>
			this.#pullers.has(puller) && !puller.consumer.paused && !puller.consumer.producerPaused;
		const counted = await Promise.all(
			[...this.#pullers].filter(isFlowing).map(async (puller) => {
				const [rates, counters] = await Promise.all([readRates(puller.source), countSent(puller.consumer)]);
				return { puller, rates, counters };
			}),
		);
		return counted.flatMap(({ puller, rates, counters }) => {
			if (!rates || !isFlowing(puller)) return [];
			const { consumer, selection } = puller;
			const { steps, step } = selection;
			selection.highestTemporalLayer = rates.highestTemporalLayer;
			return {
				puller,
				counters,
				id: consumer.id,
				priority: consumer.priority,
				step,
				fullFrameRateStep: steps.at(-1)?.temporalLayer ?? 0,
				bitrates: steps.map((layers) => rates.get(layers)),
				leastBitrates: steps.map((layers) => rates.get({ ...layers, temporalLayer: 0 })),
			};
		});
	}
}
