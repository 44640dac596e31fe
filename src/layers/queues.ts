import { totalBitrate, type VideoStream } from './LayerPolicy.js';
import { heldStep } from './LayerSelection.js';

/** No queue of a link is expected to be longer than this, in ms. A longer delay than `nearlyFull` cannot wait. */
export const longestQueue = 1000;
export const nearlyFull = 700;

/** A queue that is longer than this, in ms, has to drain fast. */
export const longDelay = 400;

/** A queue that is no longer full drains in about so many times its length. */
const drains = 2;

/** The time for a queue to drain that was reported to be `delay` ms long, in ms. */
export const timeToDrain = (delay: number): number => Math.min(delay, longestQueue) * drains;

/**
 * The share of what a full link seems to bear that it gets: with a short queue, with a long one, and with one that is nearly
 * full and hides how much too little the link bears.
 */
const drained = 0.8;
const drainedFast = 0.6;
const drainedUnknown = 0.35;

/**
 * The share of what a full link seems to bear that it gets, so that its queue drains.
 *
 * @param isKnown - whether it was found out before what the link bears
 */
export function drainedShare(delay: number, isKnown: boolean): number {
	if (delay > nearlyFull && !isKnown) return drainedUnknown;
	return delay > longDelay ? drainedFast : drained;
}

/**
 * How far streams with layers fall so that the queue of a full link drains: they keep their frame rates if all of them fit
 * with their lowest resolutions.
 *
 * @param bears - what the link seems to bear, in bit/s
 */
export function lowestFor(
	bears: number,
	streams: readonly VideoStream[],
): ((stream: VideoStream) => number) | undefined {
	const lowest = ({ step, isLayered, fullFrameRateStep }: VideoStream) =>
		isLayered ? Math.min(step, fullFrameRateStep) : heldStep;
	const steps = new Map(streams.map((stream) => [stream.id, lowest(stream)]));
	return totalBitrate(streams, steps) > bears * drained ? undefined : lowest;
}
