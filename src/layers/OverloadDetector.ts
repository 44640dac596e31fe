import type { SentCounters } from './countSent.js';

/** The counters of a link since the sample before. */
export type LinkSample = Omit<SentCounters, 'lost' | 'roundTripTime'>;

/** A link that gets more than it bears. */
export interface Overload {
	/** The time when it was noticed in ms, by the clock of the samples. */
	at: number;
	/** The bitrate that seems to get through, in bit/s. */
	passed: number;
	/** The bitrate that certainly gets through, in bit/s. */
	throughput: number;
	/** The packets requested again, as a share of those sent. It can be above 1. */
	share: number;
}

/** The shortest and the longest time to judge a link by, in ms. */
const shortest = 75;
const longest = 250;

/**
 * The packets requested again, as a fraction of the packets sent, that mean overload: more than what gets through is lost,
 * and lost again when it is retransmitted. With random loss of one in six, and each lost packet requested three times, it is
 * still no more.
 */
export const overloadedFraction = 0.5;

/** A fraction of fewer packets means nothing. */
const fewestPackets = 15;

/**
 * More is lost than was requested yet. So only this fraction of what seems to get through counts, and at least `leastPassed`
 * of what was sent seems to.
 */
const certainty = 0.5;
const leastPassed = 0.1;

/** Notices an overloaded link within a quarter of a second, by its NACKs. */
export class OverloadDetector {
	#samples: LinkSample[] = [];

	/**
	 * Adds a sample.
	 *
	 * @returns the overload, if there is one; the detector then starts anew
	 */
	add(sample: LinkSample): Overload | undefined {
		const { at } = sample;
		this.#samples = [...this.#samples, sample].filter((one) => at - one.at <= longest);
		const [first, ...rest] = this.#samples;
		const span = at - (first?.at ?? at);
		if (!first || span < shortest) return undefined;
		const sum = (key: 'packets' | 'bytes' | 'nacked') => rest.reduce((total, one) => total + one[key], 0);
		const packets = sum('packets');
		// The packets of the first sample were sent before this time, but their NACKs came within it.
		const nacked = first.nacked + sum('nacked');
		if (nacked < fewestPackets || nacked < packets * overloadedFraction) return undefined;
		this.#samples = [];
		const passed = Math.max(1 - nacked / Math.max(packets, 1), leastPassed);
		const bitrate = ((sum('bytes') * 8000) / span) * passed;
		return { at, passed: bitrate, throughput: bitrate * certainty, share: nacked / Math.max(packets, 1) };
	}
}
