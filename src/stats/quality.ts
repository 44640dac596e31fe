/**
 * How well a connection carries what it carries: `excellent`, nobody notices anything; `good`, some do; `poor`, most do;
 * `lost`, the client is not heard of.
 */
export type Quality = 'excellent' | 'good' | 'poor' | 'lost';

/** One stream of a connection, lately. */
export interface MeasuredStream {
	/** 0 to 1. */
	fractionLost: number;
	/** In ms. */
	jitter: number;
	/** In ms. */
	roundTripTime: number | undefined;
}

/** A connection, at one time. */
export interface Measurement {
	/** For how long the client has not been heard of, in ms. */
	silence: number;
	/** What flows, in either direction. */
	streams: readonly MeasuredStream[];
}

/** Clients ask for consent every 4 to 6 seconds (RFC 7675, section 5.1), so one that is there is heard of within this. */
export const longestSilence = 8000;

// Each worse one is told when it was measured this many times in a row, each better one when it was more often, so that
// a level does not flicker. A client that is not heard of is lost at once: that took long enough.
const timesToFall = 2;
const timesToRise = 3;

const order: readonly Quality[] = ['lost', 'poor', 'good', 'excellent'];

/**
 * Rates a connection by the worst of its streams, in the simplified form of the E-model (ITU-T G.107) that is common for
 * Internet telephony: R = 93.2, less what delay and loss take away. From 80 on users are satisfied, from 70 on some are
 * not, below many are not (ITU-T G.109, table 1). So 5 % of loss are `good`, and 10 % `poor`; and 400 ms of round trip,
 * too, are `good`, and 600 `poor`.
 */
export function rate({ silence, streams }: Measurement): Quality {
	if (silence > longestSilence) return 'lost';
	const worst = Math.min(...streams.map(transmissionRating), 93.2);
	if (worst >= 80) return 'excellent';
	return worst >= 70 ? 'good' : 'poor';
}

function transmissionRating({ fractionLost, jitter, roundTripTime = 0 }: MeasuredStream): number {
	// A jitter buffer delays by about twice the jitter.
	const delay = roundTripTime / 2 + 2 * jitter;
	const delayImpairment = delay < 160 ? delay / 40 : (delay - 120) / 10;
	return 93.2 - delayImpairment - 2.5 * 100 * fractionLost;
}

/** The level of a connection, which follows what is measured, but not each time. */
export class QualityLevel {
	#level: Quality | undefined;
	/** How often in a row a worse one, or a better one, was measured. */
	#worse: Quality[] = [];
	#better: Quality[] = [];

	/** `undefined` before the first measurement. */
	get level(): Quality | undefined {
		return this.#level;
	}

	/** @returns whether the level has changed */
	add(measured: Quality): boolean {
		const before = this.#level;
		const difference = before === undefined ? 0 : order.indexOf(measured) - order.indexOf(before);
		this.#worse = difference < 0 ? [...this.#worse, measured] : [];
		this.#better = difference > 0 ? [...this.#better, measured] : [];
		if (before === undefined || measured === 'lost') this.#level = measured;
		else if (this.#worse.length >= timesToFall) this.#level = extreme(this.#worse, 'best');
		else if (this.#better.length >= timesToRise) this.#level = extreme(this.#better, 'worst');
		if (this.#level === before) return false;
		this.#worse = [];
		this.#better = [];
		return true;
	}
}

/** The nearest one to the level before, of those that were measured. */
function extreme(measured: readonly Quality[], which: 'best' | 'worst'): Quality | undefined {
	const sorted = [...measured].sort((a, b) => order.indexOf(a) - order.indexOf(b));
	return which === 'best' ? sorted.at(-1) : sorted[0];
}
