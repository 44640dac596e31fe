/** What the reports of a receiver say since the last look at its link. */
export interface LinkSignals {
	/** The time in ms. */
	at: number;
	packets: number;
	lost: number;
	/** The time that the new reports are about, in ms. Undefined if there are none. */
	covered: number | undefined;
	/** The round trip times of new reports in ms, one for each connection. */
	roundTripTimes: readonly number[];
}

/**
 * What a link bears. `clear`: all that it gets. `uncertain`: perhaps more, perhaps less. `lossy`: it loses packets, but they
 * do not wait. `full`: packets wait longer and longer, or get lost because of that.
 */
export type Verdict = 'clear' | 'uncertain' | 'lossy' | 'full';

/** Less loss than `littleLoss` leaves room for more; more than `muchLoss` is too much: draft-ietf-rmcat-gcc-02, section 6. */
const littleLoss = 0.02;
const muchLoss = 0.1;

/** A link that is only lossy, and not far too small, loses less than this. */
const mostRandomLoss = 0.4;

/** The fraction lost of fewer packets means nothing. */
const fewestPackets = 20;

/** A round trip that has grown by so much leaves no room for more, or means a queue that fills, in ms. */
const littleDelay = 80;
const muchDelay = 150;

/** On a link that is not nearly full, the round trip grows by less than this on the average, in ms. A frame takes some. */
const calmDelay = 28;

/** Together with much loss, a shorter delay is that of a short queue, in ms. */
const lossyDelay = 50;

/**
 * A receiver that has not reported for so many times its shortest interval, and for `silence` in ms, was cut off. What was
 * lost meanwhile says nothing of how much its link bears.
 */
const intervals = 3;
const silence = 2500;

/** A receiver that was cut off for longer than this, in ms, may have another link than before. */
const longCut = 5000;

/** Over this time the shortest round trip is the way of a link without a queue, in parts of a tenth, in ms. */
const shortestOver = 30_000;
const part = shortestOver / 10;

/** Two samples of the delay that are compared are so far apart, and no older than this, in ms. */
const apart = 300;
const samplesLast = 2500;

/** How fast the loss of the link itself follows what is measured: the share of the difference, each time. */
const follows = 0.15;

/**
 * Judges a link by the loss and the round trip times that its receiver reports (RFC 3550, section 6.4.1). Radio links lose
 * packets at random, and {@link LinkHealth.accept} takes
 * that for the link's own.
 */
export class LinkHealth {
	/** The share of packets that the link loses anyway, 0 to 1. */
	#ownLoss = 0;
	#shortest: { from: number; roundTripTime: number }[] = [];
	#samples: { at: number; delay: number }[] = [];
	#packets = 0;
	#lost = 0;
	#loss = 0;
	#lossAt = -Infinity;
	/** The packets that the loss was counted of. */
	#counted = 0;
	#shortestInterval = Infinity;
	#isNewLink = false;

	/** The share of packets that was lost lately, 0 to 1. */
	get loss(): number {
		return this.#loss;
	}

	/** The share of packets that the link loses anyway. */
	get ownLoss(): number {
		return this.#ownLoss;
	}

	/** Whether the last report came after a cut, and may be about another link than those before. */
	get isNewLink(): boolean {
		return this.#isNewLink;
	}

	/** How much longer than usual the round trip is, in ms. */
	get delay(): number {
		return this.#samples.at(-1)?.delay ?? 0;
	}

	/** Whether packets have hardly waited lately. Links that are nearly full let them wait a little. */
	isCalm(at: number): boolean {
		const delays = this.#samples.flatMap((sample) => (at - sample.at <= samplesLast ? sample.delay : []));
		return delays.reduce((sum, delay) => sum + delay, 0) <= calmDelay * delays.length;
	}

	/** By how many seconds the delay grows in a second: what a link gets, over what it bears, minus one. */
	get growth(): number {
		const [last, before] = [this.#samples.at(-1), this.#samples.at(0)];
		if (!last || !before || last.at === before.at) return 0;
		return Math.max((last.delay - before.delay) / (last.at - before.at), 0);
	}

	/** @returns what the reports say; `undefined` if they say nothing yet */
	add({ at, packets, lost, covered, roundTripTimes }: LinkSignals): Verdict | undefined {
		const isCut = packets >= fewestPackets && this.#endsCut(covered);
		this.#isNewLink = isCut && covered !== undefined && covered > longCut;
		if (isCut) {
			this.restart();
			return undefined;
		}
		// Some connections reported a while ago.
		const roundTripTime = roundTripTimes.toSorted((a, b) => a - b)[Math.floor(roundTripTimes.length / 2)];
		if (roundTripTime !== undefined) this.#addRoundTrip(at, roundTripTime);
		this.#packets += packets;
		this.#lost += Math.max(lost, 0);
		const isCounted = this.#packets >= fewestPackets;
		if (isCounted) this.#countLoss(at);
		if (!isCounted && roundTripTimes.length === 0) return undefined;
		return this.#judge(at, isCounted);
	}

	/** Takes the present loss for that of the link itself, which no fewer packets would lower. */
	accept(): void {
		this.#ownLoss = this.#loss;
	}

	/** Forgets what was lost of other streams or layers than those that flow now. */
	restart(): void {
		this.#packets = 0;
		this.#lost = 0;
		this.#loss = this.#ownLoss;
		this.#lossAt = -Infinity;
	}

	#endsCut(covered: number | undefined): boolean {
		if (covered === undefined) return false;
		const isCut = covered > Math.max(this.#shortestInterval * intervals, silence);
		this.#shortestInterval = Math.min(this.#shortestInterval, covered);
		return isCut;
	}

	#judge(at: number, isCounted: boolean): Verdict | undefined {
		const recent = this.#samples.filter((sample) => at - sample.at <= samplesLast);
		const last = recent.at(-1);
		const before = recent.findLast((sample) => (last?.at ?? 0) - sample.at >= apart);
		const delay = last?.delay ?? 0;
		const isDraining = before !== undefined && delay < before.delay * 0.8;
		const ofLink = Math.max(this.#loss - this.#ownLoss, 0) / (1 - this.#ownLoss);
		const noise = this.#noise;
		const isLossy = at - this.#lossAt <= samplesLast && ofLink > muchLoss + noise;
		if (isLossy && (delay > lossyDelay || ofLink > mostRandomLoss)) return 'full';
		if (delay > muchDelay && before && before.delay > muchDelay / 2 && !isDraining) return 'full';
		if (isLossy) return 'lossy';
		if (!isCounted) return undefined;
		return ofLink <= littleLoss + noise && delay < littleDelay ? 'clear' : 'uncertain';
	}

	/** What of a loss that is measured may be chance: few packets of a link that loses some anyway. */
	get #noise(): number {
		return this.#ownLoss === 0 ? 0 : 2 * Math.sqrt((this.#ownLoss * (1 - this.#ownLoss)) / Math.max(this.#counted, 1));
	}

	#countLoss(at: number): void {
		this.#loss = Math.min(this.#lost / this.#packets, 1);
		this.#lossAt = at;
		this.#counted = this.#packets;
		this.#packets = 0;
		this.#lost = 0;
		if (this.#ownLoss === 0) return;
		const difference = this.#loss - this.#ownLoss;
		if (difference > muchLoss + this.#noise) return;
		this.#ownLoss += difference * follows;
		if (this.#ownLoss < littleLoss / 2) this.#ownLoss = 0;
	}

	#addRoundTrip(at: number, roundTripTime: number): void {
		const from = Math.floor(at / part) * part;
		const current = this.#shortest.find((one) => one.from === from);
		if (current) current.roundTripTime = Math.min(current.roundTripTime, roundTripTime);
		else this.#shortest = [...this.#shortest.filter((one) => at - one.from < shortestOver), { from, roundTripTime }];
		const shortest = Math.min(...this.#shortest.map((one) => one.roundTripTime));
		this.#samples = [
			...this.#samples.filter((sample) => at - sample.at <= samplesLast),
			{ at, delay: roundTripTime - shortest },
		];
	}
}
