import type { VideoPuller } from './LayerPolicy.js';
import type { Layers } from './LayerSelection.js';

type LayeredSource = VideoPuller['source'];
type SourceStats = Awaited<ReturnType<LayeredSource['getStats']>>;

/** The bitrates of the layers that one source sends. */
export class LayerRates {
	readonly #source: LayeredSource;
	readonly #stats: SourceStats;

	/** @param stats - the statistics of the source */
	constructor(source: LayeredSource, stats: SourceStats) {
		this.#source = source;
		this.#stats = stats;
	}

	/** The highest temporal layer that flows, which SDP does not tell; `Infinity` if the packets do not tell it either. */
	get highestTemporalLayer(): number {
		const layers = this.#stats.flatMap(({ bitrateByLayer }) => Object.entries(bitrateByLayer));
		const flowing = layers.flatMap(([layer, bitrate]) => (bitrate > 0 ? [Number(layer.split('.')[1])] : []));
		return Math.max(0, ...flowing) || Infinity;
	}

	/** The bitrate of all that flows in bit/s. */
	get total(): number {
		return this.#stats.reduce((sum, { bitrate }) => sum + bitrate, 0);
	}

	/** The bitrate of a layer in bit/s. */
	get({ spatialLayer, temporalLayer }: Layers): number {
		const { encodings = [] } = this.#source.rtpParameters;
		if (encodings.length === 1) return this.#stats[0]?.bitrateByLayer[`${spatialLayer}.${temporalLayer}`] ?? 0;
		const { rid, ssrc } = encodings[spatialLayer] ?? {};
		const stream = this.#stats.find((one) => (rid === undefined ? one.ssrc === ssrc : one.rid === rid));
		// The packets of some streams do not tell their temporal layer.
		const bitrate = stream?.bitrateByLayer[`0.${temporalLayer}`] ?? 0;
		return bitrate > 0 ? bitrate : (stream?.bitrate ?? 0);
	}
}

/** Creates a function that asks each source for its statistics once. It resolves to `undefined` if the source has gone. */
export function layerRatesReader(): (source: LayeredSource) => Promise<LayerRates | undefined> {
	const asked = new Map<string, Promise<LayerRates | undefined>>();
	return (source) => {
		const rates =
			asked.get(source.pusherId) ??
			source.getStats().then(
				(stats) => new LayerRates(source, stats),
				() => undefined,
			);
		asked.set(source.pusherId, rates);
		return rates;
	};
}
