import type { Logger } from '../Logger.js';
import { countSent } from './countSent.js';
import { HoldNotice } from './HoldNotice.js';
import { noChanges, totalBitrate } from './LayerPolicy.js';
import type { LayerPolicy, Link, MeasuredStream, StepChanges, VideoPuller } from './LayerPolicy.js';
import { layerRatesReader } from './LayerRates.js';
import { heldStep } from './LayerSelection.js';
import type { Overload } from './OverloadDetector.js';
import { OverloadRelief } from './OverloadRelief.js';

/** All pullers of video that go over one link, and what of them is sent, chosen by one policy. */
export class Downlink {
	readonly #pullers = new Map<VideoPuller, HoldNotice>();
	readonly #link: Link;
	readonly #policy: LayerPolicy;
	readonly #relief: OverloadRelief | undefined;
	readonly #logger: Logger;
	#overloads = 0;
	#leastEstimate = 0;

	/** @param options - `isRelieved`: whether an {@link OverloadRelief} lowers layers before the policy can; default true */
	constructor({
		link,
		policy,
		logger,
		isRelieved = true,
	}: {
		link: Link;
		policy: LayerPolicy;
		logger: Logger;
		isRelieved?: boolean;
	}) {
		this.#link = link;
		this.#policy = policy;
		this.#logger = logger;
		this.#relief = isRelieved ? new OverloadRelief((overload) => this.#relieve(overload), logger) : undefined;
	}

	/** Whether there are no pullers. */
	get isEmpty(): boolean {
		return this.#pullers.size === 0;
	}

	/** Whether mediasoup estimates the bandwidth of the link. */
	get isEstimated(): boolean {
		return this.#link.isEstimated;
	}

	/** Whether it need not be looked at as often as others. */
	get isQuiet(): boolean {
		return this.#policy.isQuiet;
	}

	/** Adds a puller. */
	add(puller: VideoPuller): void {
		this.#pullers.set(puller, new HoldNotice());
		this.#relief?.add(puller);
		// A higher layer is to come at once, and not at the next look only.
		const follow = () => {
			this.#wantLayer(puller);
		};
		puller.selection.acceptedChanged = follow;
		puller.consumer.observer.on('pause', follow);
		puller.consumer.observer.on('resume', follow);
		follow();
	}

	/** Removes a puller. */
	delete(puller: VideoPuller): void {
		this.#pullers.delete(puller);
		this.#relief?.delete(puller);
		this.#policy.forget(puller.consumer.id);
		puller.source.demand.delete(puller);
		puller.source.demand.setLayer(puller, undefined);
	}

	/**
	 * Lets the policy look at the link, and applies the steps that it chooses. Logs errors.
	 *
	 * @param readRates - reads the bitrates of sources, for several links at once; default: for this link only
	 */
	async look(readRates = layerRatesReader()): Promise<void> {
		if ([...this.#pullers.keys()].every(({ isCut }) => isCut)) return;
		const overloads = this.#overloads;
		let changes: StepChanges = noChanges;
		try {
			const { limit, isEstimated } = this.#link;
			const [measured, streams] = await Promise.all([
				// Without these, the streams tell all.
				isEstimated || limit > 0 ? this.#link.measure() : undefined,
				this.#measure(readRates),
			]);
			// After an overload, the streams are on other steps than those measured.
			if (overloads !== this.#overloads || this.isEmpty) return;
			const others = Math.max((measured?.bitrate ?? 0) - totalBitrate(streams), 0);
			const rates = { estimate: measured?.estimate, limit: limit > 0 ? Math.max(limit - others, 0) : Infinity };
			changes = await this.#policy.look(streams, rates);
		} catch (error) {
			// The pullers of a transport that closes are about to be removed.
			if (!this.isEmpty) this.#logger.error('layers could not be chosen', { error });
		}
		await this.apply(changes);
	}

	/**
	 * Sets the steps of streams at once, and resolves when the worker has applied them. Logs errors: one puller that fails does
	 * not keep others from changing.
	 *
	 * @param relief - restarts the pullers that change; default: they go on flowing
	 */
	async apply(changes: StepChanges, relief?: OverloadRelief): Promise<void> {
		const applied = [...this.#pullers].map(async ([puller, notice]) => {
			const step = changes.get(puller.consumer.id);
			this.#demand(puller);
			this.#wantLayer(puller);
			try {
				if (step !== undefined) await this.#set(puller, notice, step, relief);
				else if (puller.isPausedByOthers && puller.selection.isHeld) await this.#set(puller, notice, heldStep + 1);
				else if (this.#policy.isLeftToWorker && !puller.selection.isHeldBack) puller.selection.release();
				if (notice.isDue(performance.now())) {
					notice.tell(performance.now());
					await puller.hold(true);
				}
			} catch (error) {
				this.#logger.error('layers were not changed', { connectionId: puller.connectionId, error });
			}
		});
		await Promise.all([...applied, this.#followLeastEstimate()]);
	}

	async #set(puller: VideoPuller, notice: HoldNotice, step: number, relief?: OverloadRelief): Promise<void> {
		const { selection } = puller;
		const { step: before, isHeld: wasHeld } = selection;
		selection.step = step;
		// What is requested again from now on was sent before.
		if (step < before || wasHeld) this.#relief?.settle();
		if (step === heldStep) {
			notice.hold(performance.now());
			return puller.suspend(true);
		}
		if (relief && !wasHeld) return relief.restart(puller);
		await selection.apply();
		if (!wasHeld || selection.isHeld) return;
		const { isTold } = notice;
		notice.show(performance.now());
		if (isTold) await puller.hold(false);
		await puller.suspend(selection.isHeld);
	}

	/**
	 * Says which layers are to be sent to the server. What the link bears does not count: it can only be found out with layers
	 * that are there.
	 */
	#wantLayer(puller: VideoPuller): void {
		if (!this.#pullers.has(puller)) return;
		const { selection, source, isPausedByOthers } = puller;
		source.demand.setLayer(puller, isPausedByOthers ? undefined : selection.accepted.spatialLayer);
	}

	/** Says what the link can take of a stream without layers. */
	#demand(puller: VideoPuller): void {
		const { selection, source, consumer, isPausedByOthers } = puller;
		if (selection.isLayered) return;
		const demand = isPausedByOthers ? undefined : this.#policy.demandOf(consumer.id);
		if (demand === undefined) source.demand.delete(puller);
		else source.demand.set(puller, demand);
	}

	async #followLeastEstimate(): Promise<void> {
		const { leastEstimate } = this.#policy;
		if (leastEstimate === this.#leastEstimate || this.isEmpty) return;
		this.#leastEstimate = leastEstimate;
		try {
			await this.#link.setLeastEstimate(leastEstimate);
		} catch (error) {
			if (this.#pullers.size > 0) this.#logger.error('the estimate of a link was not changed', { error });
		}
	}

	async #relieve(overload: Overload): Promise<void> {
		const streams = await this.#measure(layerRatesReader());
		this.#overloads++;
		// Nothing waits for the keyframes.
		void this.apply(this.#policy.fall(overload, streams), this.#relief);
	}

	/** Measures all streams that flow, or that the link alone holds. */
	async #measure(readRates: ReturnType<typeof layerRatesReader>): Promise<MeasuredStream[]> {
		const isWanted = ({ consumer, selection, isPausedByOthers, isCut }: VideoPuller) =>
			!isCut && !consumer.producerPaused && !isPausedByOthers && (!consumer.paused || selection.isHeld);
		const counted = await Promise.all(
			[...this.#pullers.keys()].filter(isWanted).map(async (puller) => {
				const [rates, counters] = await Promise.all([readRates(puller.source), countSent(puller.consumer)]);
				return { puller, rates, counters };
			}),
		);
		return counted.flatMap(({ puller, rates, counters }) => {
			if (!rates || !isWanted(puller) || !this.#pullers.has(puller)) return [];
			const { consumer, selection, rank, source } = puller;
			const { isLayered } = selection;
			selection.highestTemporalLayer = rates.highestTemporalLayer;
			const { layers, step: limit } = selection;
			const { spatialLayer, temporalLayer = 0 } = consumer.currentLayers ?? {};
			const isLower = isLayered && this.#policy.isLeftToWorker && spatialLayer !== undefined;
			const flowing = isLower ? selection.stepOf({ spatialLayer, temporalLayer }) : limit;
			const bitrates = isLayered ? layers.map((one) => rates.get(one)) : [rates.total];
			const leastBitrates = isLayered ? layers.map((one) => rates.get({ ...one, temporalLayer: 0 })) : [rates.total];
			return {
				puller,
				counters,
				id: consumer.id,
				priority: consumer.priority,
				rank,
				isLayered,
				step: Math.min(limit, flowing),
				limit,
				fullFrameRateStep: (layers.at(-1)?.temporalLayer ?? 0) + 1,
				bitrates: [0, ...bitrates],
				leastBitrates: [0, ...leastBitrates],
				demanded: source.demand.bitrate,
				shownFrom: this.#pullers.get(puller)?.shownFrom ?? -Infinity,
			};
		});
	}
}
