import { Demands } from './Demands.js';
import { bitrateOn, fallTo, givesWay, noChanges, riseTo, startingStep, takeIn, totalBitrate } from './LayerPolicy.js';
import type { LayerPolicy, LinkRates, MeasuredStream, StepChanges, VideoStream } from './LayerPolicy.js';
import { heldStep } from './LayerSelection.js';
import { LinkCapacity } from './LinkCapacity.js';
import { LinkHealth, type Verdict } from './LinkHealth.js';
import { LinkReader, type LinkReport } from './LinkReader.js';
import { overloadedFraction, type Overload } from './OverloadDetector.js';
import { drainedShare, longDelay, longestQueue, lowestFor, nearlyFull, timeToDrain } from './queues.js';
import { lossyFall, Trouble } from './Trouble.js';

/**
 * Reports cover up to a second before them, and come after all packets that wait in queues. So what is reported within this
 * time after a change is of the layers before, in ms.
 */
const settleTime = 1500;

/** The time that a link has to be clear before a step up, in ms. */
const riseTime = 3000;

/** All has flowed in full for so long when a link is quiet, in ms. */
const quietTime = 5000;

/** A stream that was held waits at least so long for the queue of the link to drain, in ms. */
const drainTime = 2500;

/** With less delay than this, in ms, NACKs may be for what a link loses anyway. */
const nackDelay = 100;

/** The share of the packets requested again that is requested for the first time, about. */
const requestedOnce = 0.75;

/** Retransmissions hide what an overloaded link bears. It seldom narrows at once to less than this share of what flows. */
const leastBorne = 0.15;

/** What an overloaded link passes goes into its queue, too. So video is asked for this share of what it seems to bear. */
const askedAfterOverload = 0.6;

/** The time that mediasoup may send nothing of all video before it has to, in ms. */
const starvedTime = 3000;

/**
 * Chooses the layers of all video on a link, by what its receiver reports of loss and delay. Without mediasoup's estimate it
 * alone chooses. With it, mediasoup chooses below the steps of this one, which falls faster, knows a lossy link from a full
 * one, and holds video without layers.
 */
export class LinkController implements LayerPolicy {
	leastEstimate = 0;
	isQuiet = false;
	readonly #isEstimated: boolean;
	readonly #initialBitrate: number;
	readonly #reader = new LinkReader();
	readonly #health = new LinkHealth();
	readonly #demands = new Demands();
	readonly #capacity = new LinkCapacity();
	readonly #trouble = new Trouble();
	#changedAt = -Infinity;
	/** Whether the last change was a step up on a link without a queue. */
	#hasRisen = false;
	#heldAt = -Infinity;
	#clearSince: number | undefined;
	/** Whether this one chooses in place of mediasoup, whose estimate takes random loss for a full link. */
	#replacesWorker = false;
	#estimateBefore = 0;
	#starvedSince: number | undefined;

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
		const report = { at: performance.now(), ...this.#reader.read(measured), ...rates, streams };
		const changes = this.feed(report, measured);
		return changes.size > 0 ? changes : this.decide(report);
	}

	/**
	 * Has mediasoup send the most important video when it has sent none for a while: an estimate that is too low for any layer
	 * cannot rise, because nothing that is sent tells what the link bears. If it does not bear that either, it will show.
	 *
	 * @param all - also streams that have sent nothing yet
	 */
	feed({ at, bitrate }: Pick<LinkReport, 'at' | 'bitrate'>, all: readonly VideoStream[]): StepChanges {
		const wanted = all.filter((one) => one.isLayered && one.limit > heldStep && bitrateOn(one, one.limit) > 0);
		const [first, ...others] = wanted.sort((a, b) => -givesWay(a, b));
		if (!this.isLeftToWorker || bitrate > 0 || !first) {
			this.#starvedSince = undefined;
			return noChanges;
		}
		this.#starvedSince ??= at;
		if (at - this.#starvedSince < starvedTime) return noChanges;
		this.#replacesWorker = true;
		const changes = new Map(others.map(({ id }) => [id, heldStep]));
		changes.set(first.id, Math.min(first.fullFrameRateStep, first.limit));
		this.#capacity.fill(at, 0, totalBitrate(wanted, changes));
		this.#heldAt = at;
		this.#changed(at);
		this.#setLeastEstimate(wanted, changes);
		return changes;
	}

	/** Chooses steps by a report of the receiver. */
	decide(report: LinkReport): StepChanges {
		const { at, streams, limit } = report;
		const verdict = this.#health.add(report);
		this.isQuiet = false;
		if (this.#health.isNewLink) this.#capacity.restart();
		this.#demands.follow(streams);
		this.#capacity.pass(at, this.#health.isCalm(at));
		const isSettled = this.#isSettled(report);
		if (!isSettled) this.#health.restart();
		// mediasoup's estimate is limited, too, and so are all layers that it chooses.
		const isBounded = this.isLeftToWorker && streams.every(({ isLayered }) => isLayered);
		if (isSettled && !isBounded && totalBitrate(streams) > limit * 1.1) return this.#bind(at, limit, streams);
		this.#demands.widen(limit);
		if (isSettled && (verdict === 'full' || verdict === 'lossy')) return this.#yield(verdict, report);
		if (isSettled && verdict === 'uncertain' && this.#health.delay < nackDelay) {
			if (this.#trouble.isFallInVain(report, this.#health)) return this.#takeBack(report);
		}
		this.#follow(verdict, report);
		// The queue of a link that gets nothing drains, and nothing is reported of it.
		const isDry = streams.every(({ step }) => step === heldStep);
		const changes = isSettled || isDry ? this.#rise(report) : noChanges;
		this.#followEstimate(report, changes);
		const isClear = this.#clearSince !== undefined && at - this.#clearSince >= quietTime;
		this.isQuiet = isClear && changes.size === 0 && streams.every((stream) => this.#flowsInFull(stream));
		return changes;
	}

	fall({ at, throughput, passed, share }: Overload, streams: readonly VideoStream[]): StepChanges {
		const { ownLoss, delay } = this.#health;
		// What a link loses anyway is requested again, too, and more than once.
		if (ownLoss > 0 && delay < nackDelay && share < overloadedFraction + 2 * ownLoss) return noChanges;
		this.#trouble.enter({ at, bitrate: totalBitrate(streams), streams }, share * requestedOnce);
		const bears = Math.max(passed, totalBitrate(streams) * leastBorne, this.#capacity.least);
		return this.#fall(at, throughput, streams, { bears, asked: bears * askedAfterOverload, mayKeep: false });
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
		if (this.#trouble.mayEnd(at)) return noChanges;
		// A queue that is not full can wait until senders have come down.
		if (loss < lossyFall && delay < nearlyFull && this.#demands.isFollowed(at, streams)) return noChanges;
		if (verdict === 'lossy' && this.#trouble.isFallInVain(report, this.#health)) return this.#takeBack(report);
		this.#trouble.enter(report, loss);
		if (verdict === 'lossy') {
			// mediasoup lowers the layers itself. Whether that helps will be seen.
			if (this.isLeftToWorker) return noChanges;
			const throughput = bitrate * (1 - loss);
			return this.#fall(at, throughput, streams, {
				lowest: ({ step, isLayered, fullFrameRateStep }) => Math.min(step, isLayered ? fullFrameRateStep : step),
			});
		}
		const { borne } = this.#capacity;
		const bears = Math.min((bitrate * (1 - loss)) / (1 + growth), borne);
		const throughput = bears * drainedShare(delay, borne < Infinity);
		return this.#fall(at, throughput, streams, { bears, lowest: lowestFor(bears, streams) });
	}

	/** Ends a fall that was for nothing: the link loses packets whatever it gets. */
	#takeBack({ at, streams }: LinkReport): StepChanges {
		this.#health.accept();
		this.#capacity.forget();
		this.#demands.restore();
		this.#replacesWorker = this.#isEstimated;
		const changes = this.#trouble.takeBack(streams);
		this.#changed(at);
		this.#setLeastEstimate(streams, changes);
		return changes;
	}

	/**
	 * @param throughput - what the streams may take from now on, in bit/s
	 * @param options - `bears`: what the link seems to bear in bit/s, default `throughput`; `asked`: what the
	 *   senders of streams without layers are asked for together; `mayKeep`: whether streams whose
	 *   senders will send less flow on, default true; `lowest`: as {@link fallTo} has it
	 */
	#fall(
		at: number,
		throughput: number,
		streams: readonly VideoStream[],
		{
			bears = throughput,
			// A queue that has filled at once hides how much too little the link bears, most of all when others share it.
			asked = this.#health.delay > longDelay ? Math.min(bears, throughput) : bears,
			mayKeep = true,
			lowest,
		}: { bears?: number; asked?: number; mayKeep?: boolean; lowest?: Parameters<typeof fallTo>[2] } = {},
	): StepChanges {
		const all = new Map(fallTo(throughput, streams, lowest));
		const kept = this.#demands.lower(at, asked, streams, all);
		if (mayKeep) for (const id of kept) all.delete(id);
		this.#capacity.fill(at, bears, totalBitrate(streams, all));
		return this.#fallen(at, streams, all);
	}

	/** Lowers what a bound of the app or the client does not leave. The link itself may bear more. */
	#bind(at: number, limit: number, streams: readonly VideoStream[]): StepChanges {
		const all = new Map(fallTo(limit, streams));
		for (const id of this.#demands.bind(at, limit, streams, all)) all.delete(id);
		return this.#fallen(at, streams, all);
	}

	#fallen(at: number, streams: readonly VideoStream[], changes: StepChanges): StepChanges {
		this.#changed(at);
		if ([...changes.values()].includes(heldStep)) this.#heldAt = at;
		this.#setLeastEstimate(streams, changes);
		return changes;
	}

	/** Notes what a report says of a link without trouble. */
	#follow(verdict: Verdict | undefined, report: LinkReport): void {
		const { at, bitrate, streams } = report;
		if (verdict === 'uncertain') this.#clearSince = undefined;
		if (verdict !== 'clear') return;
		this.#clearSince ??= at;
		if (at - this.#clearSince >= settleTime) {
			this.#trouble.end();
			this.#capacity.prove(bitrate);
		}
		this.#trouble.noteClear(report);
		this.#capacity.clear(at, totalBitrate(streams));
	}

	/**
	 * Has all streams that are held and fit come back, or raises one stream to its next step that needs more: that with the
	 * highest priority.
	 */
	#rise(report: LinkReport): StepChanges {
		const { at, streams, limit } = report;
		const room = this.#capacity.room(limit);
		const isClear = this.#clearSince !== undefined && at - this.#clearSince >= riseTime;
		const total = totalBitrate(streams);
		const order = [...streams].sort((a, b) => -givesWay(a, b));
		const back = at < this.#heldAt + drainTime ? noChanges : takeIn(at, room, streams);
		if (back.size > 0) return this.#risen(at, streams, back);
		for (const stream of order) {
			if (stream.step === heldStep || !isClear || this.isLeftToWorker) continue;
			const now = bitrateOn(stream, stream.step);
			const next = stream.bitrates.findIndex((bitrate, step) => step > stream.step && bitrate > now);
			if (next < 0 || total - now + bitrateOn(stream, next) > room) continue;
			return this.#risen(at, streams, new Map([[stream.id, next]]));
		}
		const link = { at, isCalm: this.#health.isCalm(at) };
		if (isClear && this.#demands.raise(link, total, room, streams)) this.#capacity.attempt(at, total * 1.25);
		return this.isLeftToWorker ? this.#riseByEstimate(report) : noChanges;
	}

	#risen(at: number, streams: readonly VideoStream[], changes: StepChanges): StepChanges {
		this.#capacity.attempt(at, totalBitrate(streams, changes));
		this.#changed(at, this.#clearSince !== undefined);
		this.#setLeastEstimate(streams, changes);
		return changes;
	}

	/** An estimate that was high for a moment only does not count. */
	#riseByEstimate({ at, estimate = Infinity, streams }: LinkReport): StepChanges {
		const available = Math.min(estimate, this.#estimateBefore);
		this.#estimateBefore = estimate;
		if (at - this.#changedAt < this.#capacity.hold / 2) return noChanges;
		const changes = riseTo(available, streams);
		if (changes.size > 0) {
			this.#capacity.attempt(at, Infinity);
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

	/** Whether what is reported was sent after the last change, and after all that waited in a queue then. */
	#isSettled({ at, covered = settleTime }: LinkReport): boolean {
		const { delay, loss } = this.#health;
		if (this.#hasRisen) return at - covered >= this.#changedAt;
		// What is lost is noticed after all that waits, and how long that is may not have been reported yet.
		const queue = loss > lossyFall ? longestQueue : timeToDrain(delay);
		return at - covered >= this.#changedAt + queue;
	}

	#flowsInFull({ id, isLayered, limit, bitrates }: VideoStream): boolean {
		return limit === bitrates.length - 1 && (isLayered || (this.#demands.get(id) ?? Infinity) === Infinity);
	}

	#changed(at: number, hasRisen = false): void {
		this.#changedAt = at;
		this.#hasRisen = hasRisen;
		this.#clearSince = undefined;
	}
}
