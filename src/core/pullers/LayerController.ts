import type { Consumer, Producer } from 'mediasoup/types';
import type { Logger } from '../../Logger.js';
import type { LayerSelection, Layers } from './LayerSelection.js';
import { LinkControl, startingRung, type LayeredStream } from './LinkControl.js';

/** How often it looks, in ms: twice for each report of a receiver. */
const interval = 500;

/** How long another layer may wait for its keyframe before it is asked for again, in ms. */
const switchTime = 5000;

/** A layered stream over a link without a bandwidth estimate. */
export interface ControlledStream {
	readonly connectionId: string;
	readonly consumer: Consumer;
	/** What the pusher sends. */
	readonly producer: Producer;
	readonly selection: LayerSelection;
}

interface Counters {
	at: number;
	packets: number;
	lost: number;
	bytes: number;
	/** Since when lower layers are sent than could be. */
	lowerSince?: number | undefined;
}

interface Link {
	readonly control: LinkControl;
	/** With what was counted when it was last looked at. */
	readonly streams: Map<ControlledStream, Counters | undefined>;
}

/**
 * Chooses the layers of what is pulled over links for which mediasoup has no bandwidth estimate, since their clients take
 * no header extension that it needs. One timer looks at all of them, and there is none while there are none.
 */
export class LayerController {
	readonly #links = new Map<string, Link>();
	readonly #initialBitrate: number;
	readonly #logger: Logger;
	#timer: NodeJS.Timeout | undefined;
	#looking = false;

	/** @param initialBitrate - what a link is first taken to bear, in bit/s */
	constructor(initialBitrate: number, logger: Logger) {
		this.#initialBitrate = initialBitrate;
		this.#logger = logger;
	}

	/** @returns a function that takes it out again */
	add(stream: ControlledStream): () => void {
		const { connectionId } = stream;
		const link = this.#links.get(connectionId) ?? { control: new LinkControl(), streams: new Map() };
		this.#links.set(connectionId, link);
		link.streams.set(stream, undefined);
		this.#timer ??= setInterval(() => void this.#look(), interval);
		return () => {
			link.streams.delete(stream);
			if (link.streams.size === 0) this.#links.delete(connectionId);
			if (this.#links.size > 0) return;
			clearInterval(this.#timer);
			this.#timer = undefined;
		};
	}

	async #look(): Promise<void> {
		if (this.#looking) return;
		this.#looking = true;
		try {
			const rates = new ProducerRates();
			await Promise.all([...this.#links.values()].map((link) => this.#control(link, rates)));
		} catch (error) {
			this.#logger.error('layers could not be chosen', error);
		} finally {
			this.#looking = false;
		}
	}

	async #control({ control, streams }: Link, rates: ProducerRates): Promise<void> {
		const flowing = [...streams.keys()].filter(({ consumer }) => !consumer.paused && !consumer.producerPaused);
		const sum = { packets: 0, lost: 0, bitrate: 0 };
		const layered: LayeredStream[] = [];
		const selections = new Map<string, LayerSelection>();
		for (const stream of flowing) {
			const { consumer, selection, producer } = stream;
			const [now, bitrates, sent] = await Promise.all([
				count(consumer),
				rates.of(producer, selection.ladder),
				rates.highestTemporalLayer(producer),
			]);
			if (!now || !bitrates || !streams.has(stream)) continue;
			selection.sent = sent;
			const before = streams.get(stream);
			const smooth = selection.ladder.at(-1)?.temporalLayer ?? 0;
			streams.set(stream, now);
			if (!before) {
				const others = layered.reduce((taken, { rung, bitrates: rungs }) => taken + (rungs[rung] ?? 0), 0);
				selection.rung = startingRung(bitrates, smooth, this.#initialBitrate - others);
			} else {
				sum.packets += now.packets - before.packets;
				sum.lost += now.lost - before.lost;
				sum.bitrate += ((now.bytes - before.bytes) * 8000) / Math.max(now.at - before.at, 1);
				now.lowerSince = await renewIfLower(stream, bitrates, before);
			}
			await selection.apply();
			selections.set(consumer.id, selection);
			layered.push({ id: consumer.id, priority: consumer.priority, rung: selection.rung, smooth, bitrates });
		}
		if (layered.length === 0) return;
		const changes = control.decide({ at: performance.now(), ...sum, streams: layered });
		for (const [id, rung] of changes) {
			const selection = selections.get(id);
			if (!selection) continue;
			selection.rung = rung;
			await selection.apply();
		}
	}
}

/**
 * What is sent may stay below what could be, when that was not there yet.
 *
 * @returns since when it does
 */
async function renewIfLower(
	{ consumer: { currentLayers }, selection }: ControlledStream,
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
	try {
		const stats = (await consumer.getStats()).find(({ type }) => type === 'outbound-rtp');
		if (!stats) return undefined;
		const { packetCount, packetsLost, byteCount } = stats;
		return { at: performance.now(), packets: packetCount, lost: packetsLost, bytes: byteCount };
	} catch {
		// It was closed meanwhile.
		return undefined;
	}
}

/** What the layers of pushers take, each asked for once. */
class ProducerRates {
	readonly #stats = new Map<Producer, ReturnType<Producer['getStats']>>();

	/** Of each of the layers; `undefined` when the pusher has gone. */
	async of(producer: Producer, layers: readonly Layers[]): Promise<number[] | undefined> {
		try {
			const streams = await this.#ask(producer);
			const { encodings = [] } = producer.rtpParameters;
			return layers.map(({ spatialLayer, temporalLayer }) => {
				if (encodings.length === 1) return streams[0]?.bitrateByLayer[`${spatialLayer}.${temporalLayer}`] ?? 0;
				const { rid, ssrc } = encodings[spatialLayer] ?? {};
				const stream = streams.find((candidate) =>
					rid === undefined ? candidate.ssrc === ssrc : candidate.rid === rid,
				);
				// Not every stream says which temporal layer a packet is of.
				const { bitrate = 0, bitrateByLayer = {} } = stream ?? {};
				const ofLayer = bitrateByLayer[`0.${temporalLayer}`] ?? 0;
				return ofLayer > 0 ? ofLayer : bitrate;
			});
		} catch {
			return undefined;
		}
	}

	/**
	 * The highest temporal layer that is sent: SDP does not say it, and Firefox has fewer of them in its simulcast than
	 * Chromium. `Infinity` when packets do not say which one they are of, or the pusher has gone.
	 */
	async highestTemporalLayer(producer: Producer): Promise<number> {
		try {
			const streams = await this.#ask(producer);
			const flowing = streams.flatMap(({ bitrateByLayer }) =>
				Object.entries(bitrateByLayer).flatMap(([layers, bitrate]) => (bitrate > 0 ? [layers] : [])),
			);
			const highest = Math.max(0, ...flowing.map((layers) => Number(layers.split('.')[1])));
			return highest > 0 ? highest : Infinity;
		} catch {
			return Infinity;
		}
	}

	#ask(producer: Producer): ReturnType<Producer['getStats']> {
		const asked = this.#stats.get(producer) ?? producer.getStats();
		this.#stats.set(producer, asked);
		return asked;
	}
}
