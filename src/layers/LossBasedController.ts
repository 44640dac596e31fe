import type { SentCounters } from './countSent.js';
import { bitrateOn, fallTo, totalBitrate } from './LayerPolicy.js';
import type { LayeredPuller, LayeredStream, LayerPolicy, MeasuredStream, StepChanges } from './LayerPolicy.js';
import type { Overload } from './OverloadDetector.js';

/** The streams of a link, and what was sent over it and reported by its receiver since the last report. */
export interface LinkReport extends Pick<SentCounters, 'at' | 'packets' | 'lost'> {
	/** The bitrate sent, in bit/s. */
	bitrate: number;
	streams: readonly LayeredStream[];
}

/** Less loss than `littleLoss` leaves room for more; more than `muchLoss` is too much: draft-ietf-rmcat-gcc-02, section 6. */
const littleLoss = 0.02;
const muchLoss = 0.1;

/** The fraction lost of fewer packets means nothing. */
const fewestPackets = 20;

/**
 * Reports cover up to a second before them, and come after all packets that wait in queues. So loss that is reported within
 * this time after a change is that of the layers before, in ms.
 */
const settleTime = 1500;

/**
 * The time without loss before a step up, in ms. By the section above an estimate may grow by 5 % with each report, of which
 * there is about one per second: by a fifth in this time.
 */
const riseTime = 4000;

/** Loss within this time after a step up means that the step failed, in ms. */
const trialTime = 8000;

/**
 * The time after which a bitrate that failed is tried again, in ms. It doubles with each failure, up to `longestHold`. In the
 * first one an estimate would grow to two and a half times itself.
 */
const firstHold = 20_000;
const longestHold = 240_000;

/** The time that another spatial layer may wait for its keyframe before the worker has to choose again, in ms. */
const switchTime = 5000;

const noChanges: StepChanges = new Map();

/**
 * Chooses the first step of a stream on a link of which nothing is known.
 *
 * @param bitrates - those of {@link LayeredStream}
 * @param fullFrameRateStep - the step for when no higher one is known to fit
 * @param available - the bandwidth for this stream in bit/s
 */
export function startingStep(bitrates: readonly number[], fullFrameRateStep: number, available: number): number {
	const highest = bitrates.findLastIndex((bitrate) => bitrate > 0 && bitrate <= available);
	return Math.max(highest, fullFrameRateStep);
}

/**
 * Chooses layers by the loss that receivers report, for links without a bandwidth estimate: if the client offers, its SDP has
 * no header extension that the estimate needs. Of several streams, the one with the lowest priority falls first, and the one
 * with the highest rises first; of equals, the largest falls and the smallest rises.
 */
export class LossBasedController implements LayerPolicy {
	readonly #initialBitrate: number;
	/** The last counters of each puller, and the time since when it sends a lower spatial layer than it could. */
	readonly #seen = new WeakMap<LayeredPuller, SentCounters & { lowerSince?: number | undefined }>();
	#packets = 0;
	#lost = 0;
	#changedAt = -Infinity;
	#cleanSince: number | undefined;
	/** The time of the last step up, until it has succeeded or failed. */
	#attemptAt: number | undefined;
	#hold = firstHold;
	/** The highest bitrate that did not fail. */
	#ceiling: { bitrate: number; until: number } | undefined;

	/** @param initialBitrate - the bandwidth to assume at first, in bit/s */
	constructor(initialBitrate: number) {
		this.#initialBitrate = initialBitrate;
	}

	/** Also starts each new stream on a step of its own, and has the worker choose again where it sends less than it could. */
	async look(measured: readonly MeasuredStream[]): Promise<StepChanges> {
		const sum = { packets: 0, lost: 0, bitrate: 0 };
		const streams: LayeredStream[] = [];
		for (const stream of measured) {
			const { puller, counters, bitrates, fullFrameRateStep } = stream;
			if (!counters) continue;
			const before = this.#seen.get(puller);
			if (before) {
				sum.packets += counters.packets - before.packets;
				sum.lost += counters.lost - before.lost;
				sum.bitrate += ((counters.bytes - before.bytes) * 8000) / Math.max(counters.at - before.at, 1);
			} else {
				const others = streams.reduce((taken, other) => taken + (other.bitrates[other.step] ?? 0), 0);
				puller.selection.step = startingStep(bitrates, fullFrameRateStep, this.#initialBitrate - others);
			}
			const lowerSince = before && isLower(stream) ? (before.lowerSince ?? before.at) : undefined;
			const isStuck = lowerSince !== undefined && performance.now() - lowerSince >= switchTime;
			this.#seen.set(puller, { ...counters, lowerSince: isStuck ? undefined : lowerSince });
			if (isStuck) await puller.selection.renew();
			await puller.selection.apply();
			streams.push({ ...stream, step: puller.selection.step });
		}
		return this.decide({ at: performance.now(), ...sum, streams });
	}

	/** Chooses steps by a report of the receiver. */
	decide({ at, packets, lost, bitrate, streams }: LinkReport): StepChanges {
		this.#packets += packets;
		this.#lost += Math.max(lost, 0);
		if (this.#packets < fewestPackets) return noChanges;
		const loss = Math.min(this.#lost / this.#packets, 1);
		this.#packets = 0;
		this.#lost = 0;
		if (at - this.#changedAt < settleTime) return noChanges;
		if (loss > muchLoss) return this.fall({ at, throughput: bitrate * (1 - loss) }, streams);
		if (loss >= littleLoss) {
			this.#cleanSince = undefined;
			return noChanges;
		}
		this.#cleanSince ??= at;
		if (this.#attemptAt !== undefined && at - this.#attemptAt >= trialTime) {
			this.#attemptAt = undefined;
			this.#hold = firstHold;
		}
		return at - this.#cleanSince < riseTime ? noChanges : this.#rise(at, streams);
	}

	fall({ at, throughput }: Overload, streams: readonly LayeredStream[]): StepChanges {
		this.#cleanSince = undefined;
		if (this.#attemptAt !== undefined) this.#hold = Math.min(this.#hold * 2, longestHold);
		this.#attemptAt = undefined;
		const changes = fallTo(throughput, streams);
		if (changes.size > 0) this.#changedAt = at;
		// The throughput of a stream that waits for its keyframe is low, but says nothing about the link.
		this.#ceiling = { bitrate: Math.max(throughput, totalBitrate(streams, changes)), until: at + this.#hold };
		return changes;
	}

	/** Raises one stream to its next step that needs more. */
	#rise(at: number, streams: readonly LayeredStream[]): StepChanges {
		const total = totalBitrate(streams, noChanges);
		const ceiling = this.#ceiling && at < this.#ceiling.until ? this.#ceiling.bitrate : Infinity;
		const order = [...streams].sort((a, b) => b.priority - a.priority || bitrateOn(a, a.step) - bitrateOn(b, b.step));
		for (const stream of order) {
			const now = bitrateOn(stream, stream.step);
			const next = stream.bitrates.findIndex((bitrate, step) => step > stream.step && bitrate > now);
			if (next < 0 || total - now + bitrateOn(stream, next) > ceiling) continue;
			this.#changedAt = at;
			this.#cleanSince = undefined;
			this.#attemptAt = at;
			return new Map([[stream.id, next]]);
		}
		return noChanges;
	}
}

/** Whether the worker sends a lower spatial layer than the selected one, which flows. */
function isLower({ puller: { consumer, selection }, bitrates }: MeasuredStream): boolean {
	const isThere = (bitrates[selection.step] ?? 0) > 0;
	return isThere && (consumer.currentLayers?.spatialLayer ?? Infinity) < selection.target.spatialLayer;
}
