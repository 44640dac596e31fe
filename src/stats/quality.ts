/**
 * The quality of a connection. `excellent`: nobody notices a fault. `good`: some people do. `poor`: most people do. `lost`:
 * the client is silent: it sends no reports about what it is sent, or it is disconnected.
 */
export type Quality = 'excellent' | 'good' | 'poor' | 'lost';

/** The last measurement of one stream. */
export interface MeasuredStream {
	/** The share of lost packets, 0 to 1. */
	fractionLost: number;
	/** The interarrival jitter, in ms. */
	jitter: number;
	/** The round trip time, in ms. */
	roundTripTime: number | undefined;
}

/** A measurement of a connection. */
export interface Measurement {
	/** The time since something came from the client, in ms. It does not run while the client is sent nothing. */
	silence: number;
	/** The streams that flow, in either direction. */
	streams: readonly MeasuredStream[];
}

/** A client asks for consent every 4 to 6 seconds (RFC 7675, section 5.1). One that is silent for longer, in ms, is lost. */
export const longestSilence = 8000;

// A worse level must be measured this many times in a row before it is told, and a better level more often. So the level
// does not flicker. `lost` is told at once, because it took long enough.
const timesToFall = 2;
const timesToRise = 3;

const order: readonly Quality[] = ['lost', 'poor', 'good', 'excellent'];

/**
 * Rates a connection by the worst of its streams. It uses the simplified E-model (ITU-T G.107) that is common for Internet
 * telephony: R = 93.2, minus the impairments by delay and loss. From 80 on users are satisfied, from 70 on some are not,
 * and below 70 many are not (ITU-T G.109, table 1). So 5 % of loss or a round trip of 400 ms are `good`; 10 % or 600 ms are
 * `poor`.
 */
export function rate({ silence, streams }: Measurement): Quality {
	if (silence > longestSilence) return 'lost';
	const worst = Math.min(...streams.map(transmissionRating), 93.2);
	if (worst >= 80) return 'excellent';
	return worst >= 70 ? 'good' : 'poor';
}

function transmissionRating({ fractionLost, jitter, roundTripTime = 0 }: MeasuredStream): number {
	// A jitter buffer adds a delay of about twice the jitter.
	const delay = roundTripTime / 2 + 2 * jitter;
	const delayImpairment = delay < 160 ? delay / 40 : (delay - 120) / 10;
	return 93.2 - delayImpairment - 2.5 * 100 * fractionLost;
}

/** The worst of some qualities. Those that are not known do not count. */
export const worstOf = (qualities: readonly (Quality | undefined)[]): Quality | undefined =>
	order.find((quality) => qualities.includes(quality));

/** The level of a connection. It follows the measurements, but not every single one. */
export class QualityLevel {
	#level: Quality | undefined;
	/** The worse levels, and the better ones, that were measured in a row. */
	#worse: Quality[] = [];
	#better: Quality[] = [];

	/** Undefined before the first measurement. */
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

/** The best or the worst of the measured levels. */
function extreme(measured: readonly Quality[], which: 'best' | 'worst'): Quality | undefined {
	const sorted = [...measured].sort((a, b) => order.indexOf(a) - order.indexOf(b));
	return which === 'best' ? sorted.at(-1) : sorted[0];
}
