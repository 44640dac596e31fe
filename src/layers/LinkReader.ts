import type { SentCounters } from './countSent.js';
import type { LinkRates, MeasuredStream, VideoPuller, VideoStream } from './LayerPolicy.js';
import type { LinkSignals } from './LinkHealth.js';

/** The streams of a link, and what was sent over it and reported by its receiver since the last report. */
export interface LinkReport extends LinkSignals, LinkRates {
	/** The bitrate of video that was sent, in bit/s. */
	bitrate: number;
	streams: readonly VideoStream[];
}

/** What is known of a puller from the last look. */
interface Seen extends SentCounters {
	/** Whether it was held, and nothing has been reported since: the next report will be about what was lost before that. */
	isStale: boolean;
}

/** The time that another spatial layer may wait for its keyframe before the worker has to choose again, in ms. */
const switchTime = 5000;

/** Reads what was sent and reported since the last look at a link. */
export class LinkReader {
	readonly #seen = new WeakMap<VideoPuller, Seen>();
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
		const since = this.#lowerSince.get(puller) ?? this.#seen.get(puller)?.at ?? counters.at;
		this.#lowerSince.set(puller, since);
		if (performance.now() - since < switchTime) return false;
		this.#lowerSince.delete(puller);
		return true;
	}

	/** Reads the counters of the streams. */
	read(streams: readonly MeasuredStream[]): Pick<LinkReport, 'packets' | 'lost' | 'roundTripTimes' | 'bitrate'> {
		const sum = { packets: 0, lost: 0, bitrate: 0 };
		const roundTripTimes: number[] = [];
		for (const { puller, counters } of streams) {
			if (!counters) continue;
			const before = this.#seen.get(puller);
			const isReported = before !== undefined && counters.roundTripTime !== before.roundTripTime;
			const isStale = puller.selection.isHeld || (before?.isStale === true && !isReported);
			this.#seen.set(puller, { ...counters, isStale });
			if (!before || before.isStale) continue;
			sum.packets += counters.packets - before.packets;
			sum.lost += counters.lost - before.lost;
			sum.bitrate += ((counters.bytes - before.bytes) * 8000) / Math.max(counters.at - before.at, 1);
			if (isReported && counters.roundTripTime !== undefined) roundTripTimes.push(counters.roundTripTime);
		}
		return { ...sum, roundTripTimes };
	}
}

/** Whether the worker sends a lower spatial layer than the selected one, which flows. */
function isLower({ puller: { consumer, selection }, bitrates }: MeasuredStream): boolean {
	const isThere = (bitrates[selection.step] ?? 0) > 0;
	return isThere && (consumer.currentLayers?.spatialLayer ?? Infinity) < selection.target.spatialLayer;
}
