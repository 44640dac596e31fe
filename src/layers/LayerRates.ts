import type { Source } from '../media/Source.js';
import type { Layers } from './LayerSelection.js';

/** What the layers of pushers take, each asked for once. */
export class LayerRates {
	readonly #stats = new Map<Source, ReturnType<Source['getStats']>>();

	/** Of each of the layers; `undefined` when the pusher has gone. */
	async of(producer: Source, layers: readonly Layers[]): Promise<number[] | undefined> {
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
	async highestTemporalLayer(producer: Source): Promise<number> {
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

	#ask(producer: Source): ReturnType<Source['getStats']> {
		const asked = this.#stats.get(producer) ?? producer.getStats();
		this.#stats.set(producer, asked);
		return asked;
	}
}
