import type { Overload } from './OverloadDetector.js';

/** What one puller sends over a link. */
export interface LayeredStream {
	id: string;
	/** Who of higher priority keeps its layers longer. */
	priority: number;
	/** How far up its ladder of layers it is. */
	rung: number;
	/** The lowest rung with the full frame rate, below which nothing falls at once. */
	smooth: number;
	/** What each rung takes, in bit/s, lowest first; 0 for what is not sent at the moment. */
	bitrates: readonly number[];
	/** What each takes at its lowest frame rate, in bit/s. */
	leastBitrates: readonly number[];
}

/** What the receiver has reported since the last time. */
export interface LinkReport {
	/** When, in ms, by any clock that only goes forward. */
	at: number;
	/** Packets sent. */
	packets: number;
	/** Packets lost of them. */
	lost: number;
	/** What was sent, in bit/s. */
	bitrate: number;
	streams: readonly LayeredStream[];
}

/** Less loss than this leaves room for more, more than that is too much: draft-ietf-rmcat-gcc-02, section 6. */
const littleLoss = 0.02;
const muchLoss = 0.1;

/** Fewer packets say nothing of a share. */
const fewestPackets = 20;

/**
 * A report tells of the time before it, of up to a second, and comes after what waits in the queues. Until then loss is
 * that of the layers before, in ms.
 */
const settleTime = 1500;

/**
 * Without loss for so long there is one step up, in ms. The same section lets an estimate grow by 5 % with each report, of
 * which there is about one a second: by a fifth in this time.
 */
const riseTime = 4000;

/** Loss within this time after a step up, in ms, means that it has failed. */
const trialTime = 8000;

/**
 * What did not get through is not tried again for so long, in ms; with each failed attempt twice as long, up to the
 * longest. In the first one an estimate would grow two and a half times.
 */
const firstHold = 20_000;
const longestHold = 240_000;

/** What a stream takes: below a layer that is not sent, the next lower one is. */
const cost = ({ bitrates }: LayeredStream, rung: number): number => Math.max(0, ...bitrates.slice(0, rung + 1));

/** The streams that fall, so that no more than `passed` bit/s is sent, but by one step in all at least. */
export function fallTo(passed: number, streams: readonly LayeredStream[]): Map<string, number> {
	const rungs = new Map(streams.map(({ id, rung }) => [id, rung]));
	const changed = new Map<string, number>();
	const order = [...streams].sort((a, b) => a.priority - b.priority || cost(b, b.rung) - cost(a, a.rung));
	for (const { id, rung, smooth } of order) {
		const lowest = rung > smooth ? smooth : 0;
		for (let lower = rung - 1; lower >= lowest && (changed.size === 0 || total(streams, rungs) > passed); lower--) {
			rungs.set(id, lower);
			changed.set(id, lower);
		}
	}
	return changed;
}

/** What all streams take, in bit/s, on these rungs instead of their own. */
const total = (streams: readonly LayeredStream[], rungs: ReadonlyMap<string, number>): number =>
	streams.reduce((sum, stream) => sum + cost(stream, rungs.get(stream.id) ?? stream.rung), 0);

/**
 * Where to begin when nothing is known of the link.
 *
 * @param smooth - the lowest rung with the full frame rate, for when nothing else is known to fit
 */
export function startingRung(bitrates: readonly number[], smooth: number, available: number): number {
	const highest = bitrates.findLastIndex((bitrate) => bitrate > 0 && bitrate <= available);
	return Math.max(highest, smooth);
}

/**
 * Decides by loss which layers go over a link for which there is no bandwidth estimate. Of several streams, that of the
 * least priority falls first, and that of the greatest rises first; of equals, the largest falls and the smallest rises.
 */
export class LossBasedController {
	#packets = 0;
	#lost = 0;
	#changedAt = -Infinity;
	#cleanSince: number | undefined;
	/** When the last step up was, while it is not known whether it was one too many. */
	#attemptAt: number | undefined;
	#hold = firstHold;
	/** What got through when more did not. */
	#ceiling: { bitrate: number; until: number } | undefined;

	/** @returns the new rungs, of the streams that change */
	decide({ at, packets, lost, bitrate, streams }: LinkReport): Map<string, number> {
		this.#packets += packets;
		this.#lost += Math.max(lost, 0);
		if (this.#packets < fewestPackets) return new Map();
		const loss = Math.min(this.#lost / this.#packets, 1);
		this.#packets = 0;
		this.#lost = 0;
		if (at - this.#changedAt < settleTime) return new Map();
		if (loss > muchLoss) return this.#fall(at, bitrate * (1 - loss), streams);
		if (loss >= littleLoss) {
			this.#cleanSince = undefined;
			return new Map();
		}
		this.#cleanSince ??= at;
		if (this.#attemptAt !== undefined && at - this.#attemptAt >= trialTime) {
			this.#attemptAt = undefined;
			this.#hold = firstHold;
		}
		if (at - this.#cleanSince < riseTime) return new Map();
		return this.#rise(at, streams);
	}

	/** Down at once, as far as it takes. */
	overloaded({ at, passed }: Overload, streams: readonly LayeredStream[]): Map<string, number> {
		return this.#fall(at, passed, streams);
	}

	/** Down to what gets through, by one step at least. */
	#fall(at: number, passed: number, streams: readonly LayeredStream[]): Map<string, number> {
		this.#cleanSince = undefined;
		if (this.#attemptAt !== undefined) this.#hold = Math.min(this.#hold * 2, longestHold);
		this.#attemptAt = undefined;
		const changed = fallTo(passed, streams);
		if (changed.size > 0) this.#changedAt = at;
		// Little gets through of what has just begun, such as while a keyframe is awaited.
		this.#ceiling = { bitrate: Math.max(passed, total(streams, changed)), until: at + this.#hold };
		return changed;
	}

	/** One stream, by one step. */
	#rise(at: number, streams: readonly LayeredStream[]): Map<string, number> {
		const taken = total(streams, new Map());
		const ceiling = this.#ceiling && at < this.#ceiling.until ? this.#ceiling.bitrate : Infinity;
		const order = [...streams].sort((a, b) => b.priority - a.priority || cost(a, a.rung) - cost(b, b.rung));
		for (const stream of order) {
			const now = cost(stream, stream.rung);
			const next = stream.bitrates.findIndex((bitrate, rung) => rung > stream.rung && bitrate > now);
			if (next < 0 || taken - now + cost(stream, next) > ceiling) continue;
			this.#changedAt = at;
			this.#cleanSince = undefined;
			this.#attemptAt = at;
			return new Map([[stream.id, next]]);
		}
		return new Map();
	}
}
