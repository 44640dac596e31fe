/** So much smaller than it is shown a layer may be. */
const TOLERANCE = 0.8;
/** The longer side of a picture that has not come yet. */
const TYPICAL_SIDE = 1280;

/** A video with layers, and how it is shown. */
export interface ShownVideo {
	/** The longer side of the largest element that shows it, in pixels; 0 if nobody can see it. */
	shown: number;
	/** How many layers it has. */
	count: number;
	/** The layer that is received now. Default: the highest. */
	layer: number | undefined;
	/** The longer side of the picture that is received now, 0 for none. */
	side: number;
}

/**
 * The lowest layer that is large enough. Each layer has twice the size of the one below.
 *
 * @returns counted from 0; the highest one if nobody can see it, since it is paused then
 */
export function chooseLayer({ shown, count, layer = count - 1, side }: ShownVideo): number {
	if (shown === 0) return count - 1;
	const highest = side > 0 ? side * 2 ** (count - 1 - layer) : TYPICAL_SIDE;
	const steps = Math.floor(Math.log2(highest / (shown * TOLERANCE)));
	return Math.min(Math.max(count - 1 - steps, 0), count - 1);
}
