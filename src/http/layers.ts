import type { LayersOptions, Puller, Pusher, Room } from '../index.js';
import { strict, validator } from '../schemas.js';

/** The layer that a client wants (WHEP, Video Layer Selection extension). Without any of these the server chooses. */
export interface LayerRequest {
	/** The index of the m-line. Default: the first one of video. */
	mediaId?: string;
	/** The simulcast stream. */
	rid?: string;
	spatialLayerId?: number;
	temporalLayerId?: number;
	maxSpatialLayerId?: number;
	maxTemporalLayerId?: number;
}

const id = { type: 'integer', minimum: 0, maximum: 99 } as const;

/** @throws `SfuError` `invalid_argument` */
export const checkLayerRequest = validator<LayerRequest>(
	strict({
		mediaId: { type: 'string', pattern: '^[0-9]{1,4}$' },
		rid: { type: 'string', maxLength: 256 },
		spatialLayerId: id,
		temporalLayerId: id,
		maxSpatialLayerId: id,
		maxTemporalLayerId: id,
	}),
	'body',
);

/** A layer that a pusher sends, as the event `layers` tells it. */
interface ToldLayer {
	rid?: string;
	spatialLayerId?: number;
	temporalLayerId: number;
	bitrate: number;
}

/** What a puller receives. */
export const pusherOf = (room: Room, { targetUserId, pusherId }: Puller): Pusher | undefined => {
	const pusher = room.users.get(targetUserId)?.pushers.get(pusherId);
	return pusher?.kind === 'data' ? undefined : pusher;
};

/**
 * The layers to ask for. The streams of a simulcast are told apart by their rids, and the layers within a stream by numbers.
 *
 * @returns undefined if there is no stream with the rid
 */
export function layersFor(request: LayerRequest, { media: { encodings } }: Pusher): LayersOptions | undefined {
	const { rid, spatialLayerId = Infinity, temporalLayerId = Infinity } = request;
	const { maxSpatialLayerId = Infinity, maxTemporalLayerId = Infinity } = request;
	const hasRids = encodings.length > 1 && encodings.every((encoding) => encoding.rid !== undefined);
	const index = encodings.findIndex((encoding) => encoding.rid === rid);
	if (rid !== undefined && index < 0) return undefined;
	const spatial = rid === undefined ? (hasRids ? Infinity : Math.min(spatialLayerId, maxSpatialLayerId)) : index;
	return {
		spatialLayer: Math.min(spatial, 99),
		temporalLayer: Math.min(temporalLayerId, maxTemporalLayerId, 99),
	};
}

/** The layers of what a puller receives, the highest first, with the bitrate of the stream that each belongs to. */
export async function toldLayers(puller: Puller, pusher: Pusher): Promise<ToldLayer[]> {
	const { highestLayers: highest } = puller;
	if (!highest) return [];
	const { encodings } = pusher.media;
	const { streams } = await pusher.getStats();
	const bitrateOf = ({ rid, ssrc }: Pusher['media']['encodings'][number]) =>
		streams.find((stream) => (rid === undefined ? stream.ssrc === ssrc : stream.rid === rid))?.bitrate ?? 0;
	const layers: ToldLayer[] = [];
	for (let spatial = highest.spatialLayer; spatial >= 0; spatial--) {
		const encoding = encodings[encodings.length > 1 ? spatial : 0] ?? {};
		const bitrate = encodings.length > 1 ? bitrateOf(encoding) : (streams[0]?.bitrate ?? 0);
		for (let temporal = highest.temporalLayer; temporal >= 0; temporal--) {
			layers.push({
				...(encoding.rid === undefined ? { spatialLayerId: spatial } : { rid: encoding.rid }),
				temporalLayerId: temporal,
				bitrate,
			});
		}
	}
	return layers;
}
