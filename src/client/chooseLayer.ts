import type { ShownSize } from './Viewport.js';

/** So much smaller than it is shown a layer may be. */
const TOLERANCE = 0.8;
/** The longer side of a picture that has not come yet. */
const TYPICAL_SIDE = 1280;

/** The elements that show one video. */
export interface ShownVideo {
	/** How large it is shown, in each element; `null` where nobody can see it. */
	sizes: readonly ShownSize[];
	/** How many layers it has. */
	count: number;
	/** The layer that is received now. */
	layer: number | undefined;
	/** The longer side of the picture that is received now, 0 for none. */
	side: number;
}

/**
 * The lowest layer that is large enough for all elements. Each layer has twice the size of the one below.
 *
 * @returns counted from 0; the highest one if nobody can see it, since it is paused then
 */
export function chooseLayer({ sizes, count, layer = count - 1, side }: ShownVideo): number {
	const shown = sizes.filter((size) => size !== null).map(({ width, height }) => Math.max(width, height));
	if (shown.length === 0) return count - 1;
	const highest = side > 0 ? side * 2 ** (count - 1 - layer) : TYPICAL_SIDE;
	const wanted = Math.max(...shown) * TOLERANCE;
	const enough = Array.from({ length: count }, (_, index) => highest / 2 ** (count - 1 - index));
	const found = enough.findIndex((length) => length >= wanted);
	return found < 0 ? count - 1 : found;
}
