/** What a full HD camera is sent with, in bit/s. */
const FULL_HD_BITRATE = 3_000_000;
const FULL_HD_PIXELS = 1920 * 1080;
/** Twice the pixels need less than twice the bits. */
const EXPONENT = 0.75;
/** From these widths on it is worth to send a camera in so many sizes; the longer side counts. */
const THREE_LAYERS = 960;
const TWO_LAYERS = 480;
const LOWEST_BITRATE = 80_000;

/** From the highest layer to the lowest. */
const rids = ['f', 'h', 'q'];

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
	const maxBitrate = video.maxBitrate ?? bitrateOf(width, height);
	const wanted = simulcast ?? source === 'camera';
	const side = Math.max(width, height);
	if (/^(vp9|av1)$/i.test(codec)) {
		const mode = scalabilityMode ?? (wanted && side >= TWO_LAYERS ? 'L3T3_KEY' : undefined);
		return [{ maxBitrate, ...(mode !== undefined && { scalabilityMode: mode }) }];
	}
	const count = !wanted ? 1 : side >= THREE_LAYERS ? 3 : side >= TWO_LAYERS ? 2 : 1;
	if (count === 1) return [{ maxBitrate }];
	return rids
		.slice(0, count)
		.map((rid, step) => ({
			rid,
			scaleResolutionDownBy: 2 ** step,
			maxBitrate: Math.max(Math.round(maxBitrate / 4 ** (step * EXPONENT)), LOWEST_BITRATE),
		}))
		.reverse();
}

function bitrateOf(width: number, height: number): number {
	return Math.max(Math.round(FULL_HD_BITRATE * ((width * height) / FULL_HD_PIXELS) ** EXPONENT), LOWEST_BITRATE);
}
