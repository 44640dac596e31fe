import { fallTo } from './LayerPolicy.js';
import type { LayeredPuller, LayeredStream, LayerPolicy, MeasuredStream, StepChanges } from './LayerPolicy.js';
import type { Overload } from './OverloadDetector.js';

/** The time between two looks in ms: mediasoup's worker adapts layers to its estimate as often. */
const lookInterval = 1000;

/**
 * The time before each step up, in ms. The estimate needs seconds to learn from what flows on one step, and it learns of no
 * more bandwidth than that.
 */
const firstHold = 5000;

/** The time doubles when a step failed, up to this, in ms. */
const longestHold = 160_000;

/** An overload within this time after a step up means that the step failed, in ms. */
const trialTime = 10_000;

/**
 * Holds layers back after an overload, for links with a bandwidth estimate: if the server offers. mediasoup's worker chooses
 * the layers by that estimate, but it follows a link that suddenly narrows too slowly. So the layers come back by steps, and
 * then the worker alone chooses again.
 */
export class EstimateController implements LayerPolicy {
	readonly estimate: () => Promise<number | undefined>;
	#hold = firstHold;
	#roseAt = -Infinity;
	#nextLook = lookInterval;
	/** The estimate at the last look, in bit/s. An estimate that was high for a moment only does not count. */
	#estimateBefore = 0;

	/** @param estimate - resolves to mediasoup's bandwidth estimate in bit/s */
	constructor(estimate: () => Promise<number | undefined>) {
		this.estimate = estimate;
	}

	/** The time to wait before the next step up, in ms. */
	get hold(): number {
		return this.#hold;
	}

	look(streams: readonly MeasuredStream[], estimate = Infinity): StepChanges {
		const changes = this.rise(performance.now(), Math.min(estimate, this.#estimateBefore), streams);
		this.#estimateBefore = estimate;
		if (changes.size > 0) this.#wait();
		return changes;
	}

	fall({ at, throughput }: Overload, streams: readonly LayeredStream[]): StepChanges {
		const hasFailed = at - this.#roseAt < trialTime;
		this.#hold = hasFailed ? Math.min(this.#hold * 2, longestHold) : firstHold;
		this.#wait();
		return fallTo(throughput, streams);
	}

	/** Also lifts the limit of each puller that is not held back, so that client and app get more if they want more later. */
	scheduleLook(pullers: readonly LayeredPuller[]): number | undefined {
		const delay = this.#nextLook;
		this.#nextLook = lookInterval;
		for (const { selection } of pullers) if (!selection.isHeldBack) selection.release();
		return pullers.some(({ selection }) => selection.isHeldBack) ? delay : undefined;
	}

	/**
	 * Raises each stream by one step if the estimate has room for it, at least at its lowest frame rate: first to the full
	 * frame rate, then by one resolution. With each step the estimate can learn more. If the client counts no probes, it only
	 * grows to one and a half times what flows. But a probe can also raise it far above the real bandwidth for a moment, so
	 * layers do not follow it all the time.
	 *
	 * @param available - the lower one of the last two estimates, in bit/s
	 */
	rise(at: number, available: number, streams: readonly LayeredStream[]): StepChanges {
		const changes = new Map<string, number>();
		let room = available - streams.reduce((sum, { step, leastBitrates }) => sum + (leastBitrates[step] ?? 0), 0);
		for (const { id, step, fullFrameRateStep, leastBitrates } of [...streams].sort((a, b) => b.priority - a.priority)) {
			const next = Math.min(Math.max(step + 1, fullFrameRateStep), leastBitrates.length - 1);
			const more = (leastBitrates[next] ?? 0) - (leastBitrates[step] ?? 0);
			if (next <= step || more > room) continue;
			room -= Math.max(more, 0);
			changes.set(id, next);
		}
		if (changes.size > 0) this.#roseAt = at;
		return changes;
	}

	#wait(): void {
		this.#estimateBefore = 0;
		// The first of the two looks that a step up needs.
		this.#nextLook = this.#hold - lookInterval;
	}
}
