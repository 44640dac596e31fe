/** What was sent over a link, and asked for again, since the time before. */
export interface LinkSample {
	/** When, in ms, by any clock that only goes forward. */
	at: number;
	packets: number;
	bytes: number;
	/** Packets that the receiver asked for again by NACK (RFC 4585, section 6.2.1). */
	nacked: number;
}

/** What a link lets through while it is overloaded. */
export interface Overload {
	/** When it was noticed. */
	at: number;
	/** In bit/s. */
	passed: number;
}

/** So long a time is judged at least, and at most, in ms. */
const shortest = 75;
const longest = 250;

/**
 * So large a share of what is sent is asked for again when much more is sent than gets through: of what is lost, and of
 * what is sent again and lost again. Random loss of a sixth, all of it asked for three times, is still no more.
 */
const overloadedShare = 0.5;

/** Fewer packets say nothing of a share. */
const fewestPackets = 15;

/** Not all that is lost is known by then: of what seems to get through, so much is taken to, and a tenth at least. */
const certainty = 0.5;
const leastPassed = 0.1;

/**
 * Notices within a quarter of a second that a link is overloaded. Receivers report loss once a second, and an estimate
 * needs several steps to fall far; but a NACK comes as soon as the next packet does. And what is sent again for it is sent
 * on top of what is too much already, up to ten times by libwebrtc, which keeps the link overloaded for seconds.
 */
export class OverloadDetector {
	#samples: LinkSample[] = [];

	/** @returns what gets through, when the link is overloaded; it begins anew then */
	add(sample: LinkSample): Overload | undefined {
		const { at } = sample;
		this.#samples = [...this.#samples, sample].filter((one) => at - one.at <= longest);
		const [first, ...rest] = this.#samples;
		const span = at - (first?.at ?? at);
		if (!first || span < shortest) return undefined;
		// What the first one has sent was sent before, but the NACKs for that come with it.
		const sum = (of: (one: LinkSample) => number) => rest.reduce((total, one) => total + of(one), 0);
		const packets = sum((one) => one.packets);
		const nacked = first.nacked + sum((one) => one.nacked);
		if (nacked < fewestPackets || nacked < packets * overloadedShare) return undefined;
		this.#samples = [];
		const share = Math.max(1 - nacked / Math.max(packets, 1), leastPassed);
		return { at, passed: ((sum((one) => one.bytes) * 8000) / span) * share * certainty };
	}
}
