import type { Consumer } from 'mediasoup/types';
import type { Logger } from '../Logger.js';
import { Downlink, type LayeredPuller } from './Downlink.js';
import type { LayerRates } from './LayerRates.js';
import { LossBasedController, startingRung, type LayeredStream } from './LossBasedController.js';
import type { Overload } from './OverloadDetector.js';
import { sentStats } from './sentStats.js';

/** How long another layer may wait for its keyframe before it is asked for again, in ms. */
const switchTime = 5000;

interface Counters {
	at: number;
	packets: number;
	lost: number;
	bytes: number;
	/** Since when lower layers are sent than could be. */
	lowerSince?: number | undefined;
}

/**
 * A link for which mediasoup has no bandwidth estimate, since its client takes no header extension that it needs: layers
 * follow the loss that it reports.
 */
export class ReportedLink extends Downlink {
	readonly #control = new LossBasedController();
	/** What was counted when it was last looked at. */
	readonly #counters = new WeakMap<LayeredPuller, Counters>();
	readonly #initialBitrate: number;

	/** @param initialBitrate - what it is first taken to bear, in bit/s */
	constructor(initialBitrate: number, logger: Logger) {
		super(logger);
		this.#initialBitrate = initialBitrate;
	}

	protected override overloaded(overload: Overload, streams: readonly LayeredStream[]): Map<string, number> {
		return this.#control.overloaded(overload, streams);
	}

	/** Changes layers as what was reported since the last time demands. */
	async look(rates: LayerRates): Promise<void> {
		const sum = { packets: 0, lost: 0, bitrate: 0 };
		const layered: LayeredStream[] = [];
		const pullers = new Map<string, LayeredPuller>();
		for (const { puller, stream } of await this.measure(rates)) {
			const { consumer, selection } = puller;
			const now = await count(consumer);
			if (!now || consumer.paused) continue;
			const before = this.#counters.get(puller);
			this.#counters.set(puller, now);
			if (!before) {
				const others = layered.reduce((taken, { rung, bitrates }) => taken + (bitrates[rung] ?? 0), 0);
				selection.rung = startingRung(stream.bitrates, stream.smooth, this.#initialBitrate - others);
			} else {
				sum.packets += now.packets - before.packets;
				sum.lost += now.lost - before.lost;
				sum.bitrate += ((now.bytes - before.bytes) * 8000) / Math.max(now.at - before.at, 1);
				now.lowerSince = await renewIfLower(puller, stream.bitrates, before);
			}
			await selection.apply();
			pullers.set(stream.id, puller);
			layered.push({ ...stream, rung: selection.rung });
		}
		if (layered.length === 0) return;
		const changes = this.#control.decide({ at: performance.now(), ...sum, streams: layered });
		for (const [id, rung] of changes) {
			const puller = pullers.get(id);
			if (!puller) continue;
			puller.selection.rung = rung;
			await puller.selection.apply();
		}
	}
}

/**
 * What is sent may stay below what could be, when that was not there yet.
 *
 * @returns since when it does
 */
async function renewIfLower(
	{ consumer: { currentLayers }, selection }: LayeredPuller,
	bitrates: readonly number[],
	{ at, lowerSince = at }: Counters,
): Promise<number | undefined> {
	const isThere = (bitrates[selection.rung] ?? 0) > 0;
	if (!isThere || !currentLayers || currentLayers.spatialLayer >= selection.target.spatialLayer) return undefined;
	if (performance.now() - lowerSince < switchTime) return lowerSince;
	await selection.renew();
	return undefined;
}

async function count(consumer: Consumer): Promise<Counters | undefined> {
	const stats = await sentStats(consumer);
	if (!stats) return undefined;
	const { packetCount, packetsLost, byteCount } = stats;
	return { at: performance.now(), packets: packetCount, lost: packetsLost, bytes: byteCount };
}
