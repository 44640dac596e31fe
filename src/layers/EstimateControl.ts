import { fallTo, type LayeredStream } from './LossBasedController.js';
import type { Overload } from './OverloadDetector.js';

/**
 * How long layers are held back before each step up, in ms. What flows on one step is what the estimate learns from, for
 * which it needs seconds: it knows no more than that flowed.
 */
const firstHold = 5000;

/** When a step was one too many, the next one comes after twice the time, up to this, in ms. */
const longestHold = 160_000;

/** An overload within this time after a step up, in ms, means that it was one too many. */
const trialTime = 10_000;

/**
 * Holds layers back on a link for which mediasoup has a bandwidth estimate, while that has yet to follow a link that has
 * suddenly narrowed.
 */
export class EstimateControl {
	#hold = firstHold;
	#roseAt = -Infinity;

	/** How long to wait before the next step up, in ms. */
	get hold(): number {
		return this.#hold;
	}

	/** @returns the new rungs, of the streams that change */
	overloaded({ at, passed }: Overload, streams: readonly LayeredStream[]): Map<string, number> {
		const tooSoon = at - this.#roseAt < trialTime;
		this.#hold = tooSoon ? Math.min(this.#hold * 2, longestHold) : firstHold;
		return fallTo(passed, streams);
	}

	/**
	 * One step up of each stream for which there is room by the estimate, at its lowest frame rate at least: to where the
	 * full frame rate is, and then by one resolution. Each step gives the estimate more to learn from, which grows to half
	 * as much again as flows where the client counts no probes. But a probe can make it rise far above what the link bears,
	 * for a moment, which is why layers do not follow it all the time.
	 *
	 * @param available - what the estimate has been lately, in bit/s
	 * @returns the new rungs, of the streams that change
	 */
	rise(at: number, available: number, streams: readonly LayeredStream[]): Map<string, number> {
		const changes = new Map<string, number>();
		let room = available - streams.reduce((sum, { rung, leastBitrates }) => sum + (leastBitrates[rung] ?? 0), 0);
		for (const { id, rung, smooth, leastBitrates } of [...streams].sort((a, b) => b.priority - a.priority)) {
			const next = Math.min(Math.max(rung + 1, smooth), leastBitrates.length - 1);
			const more = (leastBitrates[next] ?? 0) - (leastBitrates[rung] ?? 0);
			if (next <= rung || more > room) continue;
			room -= Math.max(more, 0);
			changes.set(id, next);
		}
		if (changes.size > 0) this.#roseAt = at;
		return changes;
	}
}
