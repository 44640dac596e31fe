import type { SentCounters } from './countSent.js';
import type { LinkRates, MeasuredStream, VideoPuller, VideoStream } from './LayerPolicy.js';
import type { LinkSignals } from './LinkHealth.js';

/** The streams of a link, and what was sent over it and reported by its receiver since the last report. */
export interface LinkReport extends LinkSignals, LinkRates {
	/** The bitrate of video that was sent, in bit/s. */
	bitrate: number;
	streams: readonly VideoStream[];
}

/** What is known of a puller. */
interface Seen {
	/** At the last look. */
	last: SentCounters;
	/** At the last look that found a report, or nothing flowing. */
	reported: SentCounters;
	/** Whether it did not flow, and nothing has been reported since: the next report will be about what was lost before that. */
	isStale: boolean;
	/** The number of the last look. */
	look: number;
}

/** The time that another spatial layer may wait for its keyframe before the worker has to choose again, in ms. */
const switchTime = 5000;

/** Reads what was sent and reported since the last look at a link. */
export class LinkReader {
	readonly #seen = new WeakMap<VideoPuller, Seen>();
	#looks = 0;
	/** The time since when a puller sends a lower spatial layer than it could. */
	readonly #lowerSince = new WeakMap<VideoPuller, number>();

	/** Whether a stream flows that did not flow at any look before. */
	isNew({ puller, counters }: MeasuredStream): boolean {
		return counters !== undefined && !this.#seen.has(puller);
	}

	/** Whether the worker has sent a lower spatial layer than the selected one for long. It has to choose again then. */
	isStuck(stream: MeasuredStream): boolean {
		const { puller, counters } = stream;
		if (!counters || this.isNew(stream) || !isLower(stream)) {
			this.#lowerSince.delete(puller);
			return false;
		}
		const since = this.#lowerSince.get(puller) ?? this.#seen.get(puller)?.last.at ?? counters.at;
		this.#lowerSince.set(puller, since);
		if (performance.now() - since < switchTime) return false;
		this.#lowerSince.delete(puller);
		return true;
	}

	/** Reads the counters of the streams. What is sent counts as soon as there is a report of it. */
	read(streams: readonly MeasuredStream[]): Omit<LinkSignals, 'at'> & Pick<LinkReport, 'bitrate'> {
		const look = ++this.#looks;
		const sum = { packets: 0, lost: 0, bitrate: 0 };
		let covered: number | undefined;
		/** What several streams of a connection report differs by chance only. */
		const roundTripTimes = new Map<string, number>();
		for (const { puller, counters } of streams) {
			if (!counters) continue;
			const before = this.#seen.get(puller);
			const { last, reported } = before ?? { last: counters, reported: counters };
			const isStale = before !== undefined && (before.isStale || before.look < look - 1);
			const isReported = counters.roundTripTime !== last.roundTripTime || counters.lost !== last.lost;
			const { isHeld } = puller.selection;
			this.#seen.set(puller, {
				last: counters,
				reported: isReported || isStale || isHeld ? counters : reported,
				isStale: isHeld || (isStale && !isReported),
				look,
			});
			if (isStale) continue;
			sum.bitrate += ((counters.bytes - last.bytes) * 8000) / Math.max(counters.at - last.at, 1);
			if (!isReported) continue;
			sum.packets += counters.packets - reported.packets;
			sum.lost += counters.lost - reported.lost;
			covered = Math.min(covered ?? Infinity, counters.at - reported.at);
			const { roundTripTime = Infinity } = counters;
			const shortest = Math.min(roundTripTime, roundTripTimes.get(puller.connectionId) ?? Infinity);
			if (shortest < Infinity) roundTripTimes.set(puller.connectionId, shortest);
		}
		return { ...sum, covered, roundTripTimes: [...roundTripTimes.values()] };
	}
}

/** Whether the worker sends a lower spatial layer than the selected one, which flows. */
function isLower({ puller: { consumer, selection }, bitrates }: MeasuredStream): boolean {
	const isThere = (bitrates[selection.step] ?? 0) > 0;
	return isThere && (consumer.currentLayers?.spatialLayer ?? Infinity) < selection.target.spatialLayer;
}
