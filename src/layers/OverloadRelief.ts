import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../Logger.js';
import { watchTrace } from '../media/watchTrace.js';
import { countSent, type SentCounters } from './countSent.js';
import type { VideoPuller } from './LayerPolicy.js';
import { OverloadDetector, type Overload } from './OverloadDetector.js';

/** The time between two counts while there are NACKs, in ms, for each group of so many pullers. */
const sampleInterval = 25;
const pullersPerInterval = 8;

/** NACKs within this time after a change may be for packets from before it, in ms. */
const settleTime = 1500;

/** A higher layer begins with a keyframe, which may overload a link for a moment that bears the layer, in ms. */
const riseTime = 600;

/** The time for the queues of an overloaded link to drain before the keyframe comes, in ms. The keyframe takes one frame more. */
const drainTime = 40;

/**
 * libwebrtc ignores requests for a keyframe within 300 ms of the last one, even for another layer (`EncoderRtcpFeedback`), and
 * the worker only repeats its request after a second. In ms, with some time for the way.
 */
const keyframeInterval = 330;

interface Watched {
	spatialLayer: number;
	keyframeRequestedAt: number;
	/** The counters at the last sample. */
	counted: Pick<SentCounters, 'packets' | 'bytes' | 'nacked'>;
	stopWatchingKeyframes: () => void;
	stopWatchingNacks: () => void;
}

/**
 * Relieves a link that suddenly bears much less, before the policy of its downlink can. An estimate needs several
 * steps to fall far, and receivers report loss once a second. Meanwhile they request each lost packet up to ten times, and
 * all the retransmissions overload the link further. In a measurement with simulcast in a browser and a link narrowed from 3
 * to 0.4 Mbit/s, that froze the picture for more than three seconds and lost audio. With the relief, in twelve narrowed links,
 * the longest freeze was 0.65 to 0.92 seconds.
 *
 * So when the NACKs show an overload, the pullers that have to fall stop, nothing is retransmitted anymore, and they start
 * again on lower layers when the queues have drained.
 */
export class OverloadRelief {
	readonly #watched = new Map<VideoPuller, Watched>();
	readonly #detector = new OverloadDetector();
	readonly #onOverload: (overload: Overload) => Promise<void>;
	readonly #logger: Logger;
	#isSampling = false;
	#settledAt = -Infinity;

	/** @param onOverload - lowers the steps of pullers, and calls {@link OverloadRelief.restart} for each of them */
	constructor(onOverload: (overload: Overload) => Promise<void>, logger: Logger) {
		this.#onOverload = onOverload;
		this.#logger = logger;
	}

	/** Watches a puller. */
	add(puller: VideoPuller): void {
		const { consumer, source, selection } = puller;
		const watched: Watched = {
			spatialLayer: 0,
			keyframeRequestedAt: -Infinity,
			counted: { packets: 0, bytes: 0, nacked: 0 },
			// A puller without layers is held, and not restarted.
			stopWatchingKeyframes: selection.isLayered
				? source.watchKeyframeRequests(() => {
						watched.keyframeRequestedAt = performance.now();
					})
				: () => undefined,
			stopWatchingNacks: () => undefined,
		};
		this.#watched.set(puller, watched);
		consumer.on('layerschange', (layers) => {
			const before = watched.spatialLayer;
			watched.spatialLayer = layers?.spatialLayer ?? before;
			if (watched.spatialLayer > before) this.#settledAt = Math.max(this.#settledAt, performance.now() + riseTime);
		});
		if (!this.#isSampling) this.#watchNacks(puller, watched);
	}

	/** Stops watching a puller, whose consumer is about to close. */
	delete(puller: VideoPuller): void {
		const watched = this.#watched.get(puller);
		watched?.stopWatchingKeyframes();
		watched?.stopWatchingNacks();
		this.#watched.delete(puller);
	}

	/**
	 * Stops a puller, applies its selected layers, and starts it again as soon as the keyframe can come.
	 *
	 * @throws {@link SfuError} (rejects) if one of these failed; it has tried to start the puller again then
	 */
	async restart(puller: VideoPuller): Promise<void> {
		try {
			await puller.suspend(true);
			await puller.selection.apply();
			const requestedAt = this.#watched.get(puller)?.keyframeRequestedAt ?? -Infinity;
			await sleep(Math.max(requestedAt + keyframeInterval - performance.now(), drainTime));
		} finally {
			// The link may not even bear the lower layers.
			await puller.suspend(puller.selection.isHeld);
		}
	}

	/** Passes over the NACKs that come now, for packets from before a puller was stopped. */
	settle(): void {
		this.#settledAt = Math.max(this.#settledAt, performance.now() + settleTime);
	}

	/** Waits for the next NACK. A client can send any number of them, so from then on they are counted instead. */
	#watchNacks({ consumer }: VideoPuller, watched: Watched): void {
		watched.stopWatchingNacks = watchTrace(consumer, 'nack', () => void this.#sampleWhileNacked());
	}

	async #sampleWhileNacked(): Promise<void> {
		if (this.#isSampling) return;
		this.#isSampling = true;
		for (const { stopWatchingNacks } of this.#watched.values()) stopWatchingNacks();
		try {
			let nacked = true;
			while (nacked && this.#watched.size > 0) {
				nacked = await this.#sample();
				await sleep(sampleInterval * Math.ceil(this.#watched.size / pullersPerInterval));
			}
		} catch (error) {
			this.#logger.error('an overloaded link was not relieved', { error });
		} finally {
			this.#isSampling = false;
			for (const [puller, watched] of this.#watched) this.#watchNacks(puller, watched);
		}
	}

	/** @returns whether there were NACKs since the last sample */
	async #sample(): Promise<boolean> {
		const sample = { at: 0, packets: 0, bytes: 0, nacked: 0 };
		await Promise.all(
			[...this.#watched].map(async ([{ consumer }, watched]) => {
				const now = await countSent(consumer);
				if (!now) return;
				for (const key of ['packets', 'bytes', 'nacked'] as const) sample[key] += now[key] - watched.counted[key];
				watched.counted = now;
			}),
		);
		sample.at = performance.now();
		const overload = sample.at >= this.#settledAt && this.#detector.add(sample);
		if (overload) {
			this.#settledAt = overload.at + settleTime;
			await this.#onOverload(overload);
		}
		return sample.nacked > 0;
	}
}
