import type { Source } from '../media/Source.js';
import type { Consumer } from 'mediasoup/types';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../Logger.js';
import { watchTrace } from '../media/watchTrace.js';
import { LayerRates } from './LayerRates.js';
import { isSameLayers, type LayerSelection } from './LayerSelection.js';
import type { LayeredStream } from './LossBasedController.js';
import { OverloadDetector, type Overload } from './OverloadDetector.js';
import { sentStats } from './sentStats.js';

/** How often it looks at what is asked for again, in ms, while anything is: less often when there is more to look at. */
const checkInterval = 25;
const streamsPerInterval = 8;

/** Until then what is asked for again may be of the time before the layers have fallen, in ms. */
const settleTime = 1500;

/** A higher layer begins with a keyframe, which may be too much for a moment, and yet get through, in ms. */
const riseTime = 600;

/**
 * What waits in the queues of an overloaded link shall be gone before the keyframe comes, in ms. The pusher makes that of
 * its next frame, which takes some more.
 */
const drainTime = 40;

/**
 * libwebrtc passes over requests for a keyframe within 300 ms of the last one, be that for another layer
 * (`EncoderRtcpFeedback`); the worker would repeat it after a second only. In ms, with some for the way.
 */
const keyframeInterval = 330;

/** What has layers, on its way to a client. */
export interface LayeredPuller {
	readonly connectionId: string;
	readonly consumer: Consumer;
	/** What the pusher sends. */
	readonly source: Source;
	readonly selection: LayerSelection;
	/** Stops it for a moment. */
	hold(held: boolean): Promise<void>;
}

interface Watched {
	/** When the pusher was last asked for a keyframe. */
	askedAt: number;
	/** What was counted when it was last looked at. */
	counted: { packets: number; bytes: number; nacked: number };
	unwatch: () => void;
	/** Hears no NACKs any more. */
	ignore: () => void;
}

/** All that has layers and goes over one connection. It takes some of them away at once when the link is overloaded. */
export abstract class Downlink {
	protected readonly logger: Logger;
	readonly #streams = new Map<LayeredPuller, Watched>();
	readonly #detector = new OverloadDetector();
	#checking = false;
	#settled = -Infinity;

	constructor(logger: Logger) {
		this.logger = logger;
	}

	get isEmpty(): boolean {
		return this.#streams.size === 0;
	}

	get streams(): LayeredPuller[] {
		return [...this.#streams.keys()];
	}

	add(stream: LayeredPuller): void {
		const { consumer } = stream;
		let spatialLayer = 0;
		const settle = () => {
			const before = spatialLayer;
			spatialLayer = consumer.currentLayers?.spatialLayer ?? spatialLayer;
			if (spatialLayer > before) this.#settled = Math.max(this.#settled, performance.now() + riseTime);
		};
		consumer.on('layerschange', settle);
		const unwatchers = [
			() => consumer.off('layerschange', settle),
			stream.source.watchKeyframeRequests(() => {
				watched.askedAt = performance.now();
			}),
		];
		const watched: Watched = {
			askedAt: -Infinity,
			counted: { packets: 0, bytes: 0, nacked: 0 },
			unwatch: () => {
				for (const unwatch of [...unwatchers, watched.ignore]) unwatch();
			},
			ignore: () => undefined,
		};
		this.#streams.set(stream, watched);
		if (!this.#checking) this.#listen(stream, watched);
	}

	delete(stream: LayeredPuller): void {
		this.#streams.get(stream)?.unwatch();
		this.#streams.delete(stream);
	}

	/** @returns the new rungs, of the streams that change */
	protected abstract overloaded(overload: Overload, streams: readonly LayeredStream[]): Map<string, number>;

	/** What flows, with what its layers take. */
	protected async measure(rates: LayerRates): Promise<{ puller: LayeredPuller; stream: LayeredStream }[]> {
		const flowing = this.streams.filter(({ consumer }) => !consumer.paused && !consumer.producerPaused);
		const measured = await Promise.all(
			flowing.map(async (puller) => {
				const { consumer, source, selection } = puller;
				const { ladder, rung } = selection;
				const [bitrates, leastBitrates, sent] = await Promise.all([
					rates.of(source, ladder),
					rates.of(
						source,
						ladder.map(({ spatialLayer }) => ({ spatialLayer, temporalLayer: 0 })),
					),
					rates.highestTemporalLayer(source),
				]);
				// Another ladder has other rungs.
				const isSame = isSameLayers(ladder.at(-1), selection.ladder.at(-1));
				if (!bitrates || !leastBitrates || !isSame || !this.#streams.has(puller)) return [];
				selection.sent = sent;
				const smooth = ladder.at(-1)?.temporalLayer ?? 0;
				const { id, priority } = consumer;
				return [{ puller, stream: { id, priority, rung, smooth, bitrates, leastBitrates } }];
			}),
		);
		return measured.flat();
	}

	/** Hears of the next NACK. A client may send any number of them, so that they are counted from then on, and not heard. */
	#listen({ consumer }: LayeredPuller, watched: Watched): void {
		watched.ignore = watchTrace(consumer, 'nack', () => void this.#check());
	}

	/** Looks at what is asked for again, until nothing is. */
	async #check(): Promise<void> {
		if (this.#checking) return;
		this.#checking = true;
		for (const { ignore } of this.#streams.values()) ignore();
		try {
			let nacked = true;
			while (nacked && !this.isEmpty) {
				nacked = await this.#sample();
				await sleep(checkInterval * Math.ceil(this.#streams.size / streamsPerInterval));
			}
		} catch (error) {
			this.logger.error('an overloaded link was not relieved', error);
		} finally {
			this.#checking = false;
			for (const [stream, watched] of this.#streams) this.#listen(stream, watched);
		}
	}

	/** @returns whether anything was asked for again */
	async #sample(): Promise<boolean> {
		const counted = await Promise.all([...this.#streams].map(([stream, watched]) => countSince(stream, watched)));
		const at = performance.now();
		const sum = (of: 'packets' | 'bytes' | 'nacked') => counted.reduce((total, one) => total + one[of], 0);
		const nacked = sum('nacked');
		const isSettled = at >= this.#settled;
		const overload = isSettled && this.#detector.add({ at, packets: sum('packets'), bytes: sum('bytes'), nacked });
		if (overload) await this.#relieve(overload);
		return nacked > 0;
	}

	async #relieve(overload: Overload): Promise<void> {
		this.#settled = overload.at + settleTime;
		const measured = await this.measure(new LayerRates());
		const changes = this.overloaded(
			overload,
			measured.map(({ stream }) => stream),
		);
		// Nobody waits for the keyframes.
		for (const { puller, stream } of measured) {
			const rung = changes.get(stream.id);
			if (rung !== undefined) void this.#restart(puller, rung);
		}
	}

	/** What is under way is lost, and would be sent again and again. So it ends here, and begins anew on other layers. */
	async #restart(puller: LayeredPuller, rung: number): Promise<void> {
		const { selection } = puller;
		selection.rung = rung;
		try {
			await puller.hold(true);
			await selection.apply();
			const askedAt = this.#streams.get(puller)?.askedAt ?? -Infinity;
			await sleep(Math.max(askedAt + keyframeInterval - performance.now(), drainTime));
		} catch (error) {
			this.logger.error('layers were not changed', error);
		} finally {
			await puller.hold(false).catch((error: unknown) => {
				this.logger.error('a puller goes on being held', error);
			});
		}
	}
}

/** What was sent, and asked for again, since it was last counted. */
async function countSince({ consumer }: LayeredPuller, watched: Watched): Promise<Watched['counted']> {
	const before = watched.counted;
	const stats = await sentStats(consumer);
	if (!stats) return { packets: 0, bytes: 0, nacked: 0 };
	const { packetCount: packets, byteCount: bytes, nackPacketCount: nacked } = stats;
	watched.counted = { packets, bytes, nacked };
	return { packets: packets - before.packets, bytes: bytes - before.bytes, nacked: nacked - before.nacked };
}
