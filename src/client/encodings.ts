/** What a full HD camera is sent with, in bit/s. */
const FULL_HD_BITRATE = 3_000_000;
const FULL_HD_PIXELS = 1920 * 1080;
/** Twice the pixels need less than twice the bits. */
const EXPONENT = 0.75;
/** From these widths on it is worth to send a camera in so many sizes; the longer side counts. */
const THREE_LAYERS = 960;
const TWO_LAYERS = 480;
const LOWEST_BITRATE = 80_000;

/** From the lowest layer to the highest. */
const rids = ['q', 'h', 'f'];

/** What tells how a track is sent. */
export interface SentVideo {
	/** The source of the track. */
	source: string;
	/** The size of the picture, as far as the track says. */
	width?: number | undefined;
	/** The size of the picture, as far as the track says. */
	height?: number | undefined;
	/** Whether to send it in several sizes, or in which. Default: if it is a camera. */
	simulcast?: boolean | RTCRtpEncodingParameters[] | undefined;
	/** The names of the codecs, the preferred one first. */
	codecs?: readonly string[] | undefined;
	/** For the highest layer, in bit/s. */
	maxBitrate?: number | undefined;
	/** The layers of SVC. */
	scalabilityMode?: string | undefined;
}

/**
 * The `sendEncodings` for a video track, from the lowest layer to the highest. Cameras have three sizes from 960 pixels on and
 * two from 480 on; other videos have one. VP9 and AV1 have layers within one stream.
 */
export function chooseEncodings(video: SentVideo): RTCRtpEncodingParameters[] {
	const { source, width = 640, height = 480, simulcast, codecs: [codec = ''] = [], scalabilityMode } = video;
	if (Array.isArray(simulcast)) return simulcast;
	const maxBitrate = video.maxBitrate ?? bitrateOf(FULL_HD_BITRATE, (width * height) / FULL_HD_PIXELS);
	const wanted = simulcast ?? source === 'camera';
	const side = Math.max(width, height);
	if (/^(vp9|av1)$/i.test(codec)) {
		const mode = scalabilityMode ?? (wanted && side >= TWO_LAYERS ? 'L3T3_KEY' : undefined);
		return [{ maxBitrate, ...(mode !== undefined && { scalabilityMode: mode }) }];
	}
	if (!wanted || side < TWO_LAYERS) return [{ maxBitrate }];
	return rids.slice(side < THREE_LAYERS ? 1 : 0).map((rid, index, { length }) => {
		const scaleResolutionDownBy = 2 ** (length - 1 - index);
		return { rid, scaleResolutionDownBy, maxBitrate: bitrateOf(maxBitrate, scaleResolutionDownBy ** -2) };
	});
}

/** What so much of a picture needs, if the whole of it needs that. */
function bitrateOf(whole: number, share: number): number {
	return Math.max(Math.round(whole * share ** EXPONENT), LOWEST_BITRATE);
}
