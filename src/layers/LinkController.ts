import { Demands } from './Demands.js';
import { bitrateOn, fallTo, givesWay, noChanges, riseTo, startingStep, totalBitrate } from './LayerPolicy.js';
import type { LayerPolicy, LinkRates, MeasuredStream, StepChanges, VideoStream } from './LayerPolicy.js';
import { heldStep } from './LayerSelection.js';
import { LinkHealth, type Verdict } from './LinkHealth.js';
import { LinkReader, type LinkReport } from './LinkReader.js';
import { overloadedFraction, type Overload } from './OverloadDetector.js';

/**
 * Reports cover up to a second before them, and come after all packets that wait in queues. So what is reported within this
 * time after a change is of the layers before, in ms.
 */
const settleTime = 1500;

/** No queue is expected to be longer than this, in ms. */
const longestQueue = 1000;

/** The time that a link has to be clear before a step up, in ms. */
const riseTime = 3000;

/** A stream that was held waits at least so long for the queue of the link to drain, in ms. */
const drainTime = 2500;

/** Trouble within this time after a step up means that the step failed, in ms. */
const trialTime = 8000;

/**
 * A link that was full may be tried with twice as much after `firstHold` in ms, and with less before. It doubles with each
 * failure, up to `longestHold`.
 */
const firstHold = 8000;
const longestHold = 240_000;

/** A fall that has not helped after this time, in ms, although only `fallen` of the bitrate is left, was for nothing. */
const judgeTime = 2500;
const fallen = 0.75;
/** What is left of the trouble after a fall that has helped. */
const helped = 0.6;

/** The last report of a clear link tells what was sent before trouble for this long, in ms. */
const clearCounts = 6000;

/** With less delay than this, in ms, NACKs may be for what a link loses anyway. */
const nackDelay = 100;

/** The share of the packets requested again that is requested for the first time, about. */
const requestedOnce = 0.75;

/** Retransmissions hide what an overloaded link bears. It seldom narrows at once to less than this share of what flows. */
const leastBorne = 0.35;
/** Nor to less than this share of what it was known to bear. */
const leastOfCeiling = 0.7;

/** The share of the throughput that a full link gets, so that its queue drains. */
const drained = 0.8;
/** The same for a queue that is longer than `longDelay` in ms. */
const drainedFast = 0.6;
const longDelay = 400;

/** The state before a link got into trouble. */
interface Episode {
	/** When the last fall was, in ms. */
	fellAt: number;
	bitrate: number;
	loss: number;
	steps: StepChanges;
}

/**
 * Chooses the layers of all video on a link, by what its receiver reports of loss and delay. Without mediasoup's estimate it
 * alone chooses. With it, mediasoup chooses below the steps of this one, which falls faster, knows a lossy link from a full
 * one, and holds video without layers.
 */
export class LinkController implements LayerPolicy {
	leastEstimate = 0;
	readonly #isEstimated: boolean;
	readonly #initialBitrate: number;
	readonly #reader = new LinkReader();
	readonly #health = new LinkHealth();
	readonly #demands = new Demands();
	#changedAt = -Infinity;
	#settledAt = -Infinity;
	#heldAt = -Infinity;
	#clearSince: number | undefined;
	/** The time of the last step up beyond what is known to work, until it has succeeded or failed. */
	#attemptAt: number | undefined;
	#hold = firstHold;
	/** The highest bitrate that did not fail, and since when it is known. */
	#ceiling: { bitrate: number; at: number } | undefined;
	#episode: Episode | undefined;
	/** The most that the link was clear with, since it was full. */
	#proven = 0;
	/** The last report of a clear link. */
	#clear: Pick<Episode, 'bitrate' | 'steps'> & { at: number } = { at: -Infinity, bitrate: 0, steps: noChanges };
	/** Whether this one chooses in place of mediasoup, whose estimate takes random loss for a full link. */
	#replacesWorker = false;
	#estimateBefore = 0;

	/** @param options - `initialBitrate` is the bandwidth to assume at first on a link without an estimate, in bit/s */
	constructor({ isEstimated, initialBitrate }: { isEstimated: boolean; initialBitrate: number }) {
		this.#isEstimated = isEstimated;
		this.#initialBitrate = initialBitrate;
	}

	get isLeftToWorker(): boolean {
		return this.#isEstimated && !this.#replacesWorker;
	}

	demandOf(id: string): number | undefined {
		return this.#demands.get(id);
	}

	forget(id: string): void {
		this.#demands.forget(id);
	}

	/** Also starts each new stream on a step of its own, and has the worker choose again where it sends less than it could. */
	async look(measured: readonly MeasuredStream[], rates: LinkRates): Promise<StepChanges> {
		const streams: VideoStream[] = [];
		for (const stream of measured) {
			const { selection } = stream.puller;
			const isNew = this.#reader.isNew(stream);
			if (isNew) this.#start(stream, streams);
			if (!this.isLeftToWorker && this.#reader.isStuck(stream)) await selection.renew();
			await selection.apply();
			if (!stream.counters && !selection.isHeld) continue;
			streams.push(isNew ? { ...stream, step: selection.step, limit: selection.step } : stream);
		}
		return this.decide({ at: performance.now(), ...this.#reader.read(measured), ...rates, streams });
	}

	/** Chooses steps by a report of the receiver. */
	decide(report: LinkReport): StepChanges {
		const { at, streams, limit } = report;
		const verdict = this.#health.add(report);
		this.#demands.follow(streams);
		const isSettled = at >= this.#settledAt;
		if (!isSettled) this.#health.restart();
		// mediasoup's estimate is limited, too, and so are all layers that it chooses.
		const isBounded = this.isLeftToWorker && streams.every(({ isLayered }) => isLayered);
		if (isSettled && !isBounded && totalBitrate(streams) > limit * 1.1) return this.#fall(at, limit, streams);
		if (isSettled && (verdict === 'full' || verdict === 'lossy')) return this.#yield(verdict, report);
		this.#follow(verdict, report);
		const changes = isSettled ? this.#rise(report) : noChanges;
		this.#followEstimate(report, changes);
		return changes;
	}

	fall({ at, throughput, passed, share }: Overload, streams: readonly VideoStream[]): StepChanges {
		const { ownLoss, delay } = this.#health;
		// What a link loses anyway is requested again, too, and more than once.
		if (ownLoss > 0 && delay < nackDelay && share < overloadedFraction + 2 * ownLoss) return noChanges;
		this.#enterTrouble({ at, bitrate: totalBitrate(streams), streams }, share * requestedOnce);
		const bears = Math.max(
			passed,
			totalBitrate(streams) * leastBorne,
			this.#ceiling ? this.#ceiling.bitrate * leastOfCeiling : 0,
		);
		return this.#fall(at, throughput, streams, { bears, mayKeep: false });
	}

	#start({ puller, bitrates, fullFrameRateStep, id, demanded }: MeasuredStream, others: readonly VideoStream[]): void {
		const { selection } = puller;
		if (!selection.isLayered) this.#demands.begin(id, demanded);
		if (this.isLeftToWorker || !selection.isLayered) return;
		selection.step = startingStep(bitrates, fullFrameRateStep, this.#initialBitrate - totalBitrate(others));
	}

	/** Answers trouble: by a fall, by waiting for the last fall to help, or by taking it back. */
	#yield(verdict: Verdict, report: LinkReport): StepChanges {
		const { at, bitrate, streams } = report;
		const { loss, delay, growth } = this.#health;
		this.#clearSince = undefined;
		const episode = this.#episode;
		if (episode) {
			if (at - episode.fellAt < judgeTime) return noChanges;
			const isLower = bitrate <= episode.bitrate * fallen;
			if (verdict === 'lossy' && isLower && !this.#hasHelped(episode)) return this.#takeBack(episode, report);
		}
		this.#enterTrouble(report);
		if (verdict === 'lossy') {
			// mediasoup lowers the layers itself. Whether that helps will be seen.
			if (this.isLeftToWorker) return noChanges;
			const throughput = bitrate * (1 - loss);
			return this.#fall(at, throughput, streams, {
				lowest: ({ step, isLayered, fullFrameRateStep }) => Math.min(step, isLayered ? fullFrameRateStep : step),
			});
		}
		const bears = (bitrate * (1 - loss)) / (1 + growth);
		return this.#fall(at, bears * (delay > longDelay ? drainedFast : drained), streams, { bears });
	}

	#enterTrouble(
		{ at, bitrate, streams }: Pick<LinkReport, 'at' | 'bitrate' | 'streams'>,
		loss = this.#health.loss,
	): void {
		const isFresh = at - this.#clear.at < clearCounts && this.#clear.bitrate > bitrate;
		const steps = new Map(streams.map(({ id, step }) => [id, step]));
		const before = isFresh ? this.#clear : { bitrate, steps };
		this.#episode ??= { fellAt: at, loss, bitrate: before.bitrate, steps: before.steps };
		this.#episode.fellAt = at;
	}

	#hasHelped(before: Episode): boolean {
		const { loss, ownLoss } = this.#health;
		return loss - ownLoss < (before.loss - ownLoss) * helped;
	}

	/** Ends a fall that was for nothing: the link loses packets whatever it gets. */
	#takeBack({ steps }: Episode, { at, streams }: LinkReport): StepChanges {
		this.#health.accept();
		this.#episode = undefined;
		this.#ceiling = undefined;
		this.#attemptAt = undefined;
		this.#hold = firstHold;
		this.#demands.restore();
		this.#replacesWorker = this.#isEstimated;
		const changes = new Map<string, number>();
		for (const { id, limit, step, bitrates } of streams) {
			const next = Math.min(Math.max(steps.get(id) ?? step, step), bitrates.length - 1);
			if (next !== limit) changes.set(id, next);
		}
		this.#changed(at);
		this.#setLeastEstimate(streams, changes);
		return changes;
	}

	/**
	 * @param throughput - what the streams may take from now on, in bit/s
	 * @param options - `bears`: what the link seems to bear in bit/s, default `throughput`; `mayKeep`: whether streams whose
	 *   senders will send less flow on, default true; `lowest`: as {@link fallTo} has it
	 */
	#fall(
		at: number,
		throughput: number,
		streams: readonly VideoStream[],
		{
			bears = throughput,
			mayKeep = true,
			lowest,
		}: { bears?: number; mayKeep?: boolean; lowest?: Parameters<typeof fallTo>[2] } = {},
	): StepChanges {
		this.#clearSince = undefined;
		if (this.#attemptAt !== undefined) this.#hold = Math.min(this.#hold * 2, longestHold);
		this.#attemptAt = undefined;
		const all = new Map(fallTo(throughput, streams, lowest));
		const kept = this.#demands.lower(at, bears, streams, all);
		if (mayKeep) for (const id of kept) all.delete(id);
		this.#changed(at);
		if ([...all.values()].includes(heldStep)) this.#heldAt = at;
		this.#proven = Math.min(this.#proven, bears);
		// The throughput of a stream that waits for its keyframe is low, but says nothing about the link.
		this.#ceiling = { bitrate: Math.max(bears * 0.95, totalBitrate(streams, all)), at };
		this.#setLeastEstimate(streams, all);
		return all;
	}

	/** Notes what a report says of a link without trouble. */
	#follow(verdict: Verdict | undefined, { at, bitrate, streams }: LinkReport): void {
		if (verdict === 'uncertain') this.#clearSince = undefined;
		if (verdict !== 'clear') return;
		this.#clearSince ??= at;
		if (at - this.#clearSince >= settleTime) {
			this.#episode = undefined;
			this.#proven = Math.max(this.#proven, bitrate);
		}
		this.#clear = { at, bitrate, steps: new Map(streams.map(({ id, step }) => [id, step])) };
		if (this.#attemptAt === undefined || at - this.#attemptAt < trialTime) return;
		this.#attemptAt = undefined;
		this.#hold = firstHold;
		if (this.#ceiling) this.#ceiling = { bitrate: Math.max(this.#ceiling.bitrate, totalBitrate(streams)), at };
	}

	/** Raises one stream to its next step that needs more: first those that are held, then those with the highest priority. */
	#rise(report: LinkReport): StepChanges {
		const { at, streams } = report;
		const room = this.#room(report);
		const isClear = this.#clearSince !== undefined && at - this.#clearSince >= riseTime;
		const total = totalBitrate(streams);
		const order = [...streams].sort(
			(a, b) => Number(b.step === heldStep) - Number(a.step === heldStep) || -givesWay(a, b),
		);
		for (const stream of order) {
			const isHeld = stream.step === heldStep;
			if (isHeld ? at - this.#heldAt < drainTime : !isClear || this.isLeftToWorker) continue;
			const now = bitrateOn(stream, stream.step);
			const next = isHeld
				? stream.fullFrameRateStep
				: stream.bitrates.findIndex((bitrate, step) => step > stream.step && bitrate > now);
			if (next < 0 || total - now + bitrateOn(stream, next) > room) continue;
			this.#attempt(at, total - now + bitrateOn(stream, next));
			const changes = new Map([[stream.id, next]]);
			this.#changed(at);
			this.#setLeastEstimate(streams, changes);
			return changes;
		}
		if (isClear && this.#demands.raise(at, total, room, streams)) this.#attempt(at, total * 1.25);
		return this.isLeftToWorker ? this.#riseByEstimate(report) : noChanges;
	}

	/** The bitrate of video that may be tried. As an estimate would, it doubles in each time of {@link LinkController.#hold}. */
	#room({ at, limit }: LinkReport): number {
		if (!this.#ceiling) return limit;
		return Math.min(limit, this.#ceiling.bitrate * 2 ** ((at - this.#ceiling.at) / this.#hold));
	}

	#attempt(at: number, total: number): void {
		if (total > this.#proven) this.#attemptAt = at;
	}

	/** An estimate that was high for a moment only does not count. */
	#riseByEstimate({ at, estimate = Infinity, streams }: LinkReport): StepChanges {
		const available = Math.min(estimate, this.#estimateBefore);
		this.#estimateBefore = estimate;
		if (at - this.#changedAt < this.#hold / 2) return noChanges;
		const changes = riseTo(available, streams);
		if (changes.size > 0) {
			this.#attemptAt = at;
			this.#changed(at);
		}
		return changes;
	}

	/** Gives the choice back to mediasoup, when the link loses no more than it bears, and the estimate knows that. */
	#followEstimate({ estimate = 0, streams }: LinkReport, changes: StepChanges): void {
		if (!this.#replacesWorker) return;
		if (this.#health.ownLoss === 0 && estimate > this.leastEstimate * 1.05) {
			this.#replacesWorker = false;
			this.leastEstimate = 0;
		} else {
			this.#setLeastEstimate(streams, changes);
		}
	}

	#setLeastEstimate(streams: readonly VideoStream[], changes: StepChanges): void {
		if (!this.#replacesWorker) {
			this.leastEstimate = 0;
			return;
		}
		const limits = new Map(streams.map(({ id, limit }) => [id, changes.get(id) ?? limit]));
		const needed = Math.round(totalBitrate(streams, limits) * 1.15);
		// Bitrates are never the same twice. The worker need not know each of them.
		if (Math.abs(needed - this.leastEstimate) > this.leastEstimate * 0.15) this.leastEstimate = needed;
	}

	#changed(at: number): void {
		this.#changedAt = at;
		this.#settledAt = at + settleTime + Math.min(this.#health.delay, longestQueue);
		this.#clearSince = undefined;
	}
}
