import type { Consumer } from 'mediasoup/types';
import type { Source } from '../media/Source.js';
import type { SentCounters } from './countSent.js';
import { heldStep, type LayerSelection } from './LayerSelection.js';
import type { Overload } from './OverloadDetector.js';

/** A puller of video. It has several layers, or one. */
export interface VideoPuller {
	/** The user that the puller belongs to. */
	readonly userId: string;
	/** The connection that the puller belongs to. */
	readonly connectionId: string;
	readonly consumer: Consumer;
	/** The track that the puller receives. */
	readonly source: Pick<Source, 'pusherId' | 'rtpParameters' | 'getStats' | 'watchKeyframeRequests' | 'demand'>;
	readonly selection: LayerSelection;
	/** How much longer than others of its priority it is to be shown: the higher, the longer. */
	readonly rank: number;
	/** Whether somebody has paused it, other than the link. */
	readonly isPausedByOthers: boolean;
	/** Whether nothing is sent, because the client is not heard any more on this connection. */
	readonly isCut: boolean;
	/** Stops the puller, or ends this, without an event. */
	suspend(suspended: boolean): Promise<void>;
	/** Tells everybody that the link bears nothing of the puller, which is stopped already, or that this has ended. */
	hold(held: boolean): Promise<void>;
}

/** The way to a client. */
export interface Link {
	/** Whether mediasoup estimates the bandwidth, and lowers layers by that estimate. */
	readonly isEstimated: boolean;
	/** The most that may be sent in all, in bit/s. 0 stands for no limit. */
	readonly limit: number;
	/** Measures all that is sent, and mediasoup's estimate if there is one, in bit/s. */
	measure(): Promise<{ bitrate: number; estimate: number | undefined }>;
	/** Sets the least that mediasoup may estimate, in bit/s. 0 stands for none. */
	setLeastEstimate(bitrate: number): Promise<void>;
}

/** The state of a flowing or held puller that policies decide by. */
export interface VideoStream {
	/** The id of the consumer. */
	id: string;
	/** A stream with a higher priority keeps its layers longer. */
	priority: number;
	/** Of streams with the same priority, one with a higher rank keeps its layers longer. */
	rank: number;
	/** Whether there are layers to choose from. */
	isLayered: boolean;
	/** The step that flows, as {@link LayerSelection.step} counts them. mediasoup may have chosen a lower one than `limit`. */
	step: number;
	/** The highest step that may flow. */
	limit: number;
	/** The lowest step with the full frame rate. An overload lowers no stream further at once. */
	fullFrameRateStep: number;
	/** The bitrate of each step in bit/s; 0 if the source does not send it at the moment, and for {@link heldStep}. */
	bitrates: readonly number[];
	/** The bitrate of each step at its lowest frame rate in bit/s. */
	leastBitrates: readonly number[];
	/** What the source is asked to send at most at the moment, in bit/s. `Infinity` for no limit. */
	demanded: number;
	/** The time in ms before which the stream is not to come back if it is held. `-Infinity` if it may at once. */
	shownFrom: number;
}

/** A stream just measured. */
export interface MeasuredStream extends VideoStream {
	puller: VideoPuller;
	/** `undefined` if the consumer has sent nothing yet. */
	counters: SentCounters | undefined;
}

/** The new steps of the streams that change, by {@link VideoStream.id}. */
export type StepChanges = ReadonlyMap<string, number>;

export const noChanges: StepChanges = new Map();

/** What is known of a link beside its streams, in bit/s. */
export interface LinkRates {
	/** mediasoup's estimate; `undefined` if there is none. */
	estimate: number | undefined;
	/** The most that video may take. */
	limit: number;
}

/** Chooses the steps of all streams of a link. */
export interface LayerPolicy {
	/** Chooses steps at one of the regular looks at a link. */
	look(streams: readonly MeasuredStream[], rates: LinkRates): StepChanges | Promise<StepChanges>;
	/** Chooses lower steps for an overloaded link. */
	fall(overload: Overload, streams: readonly VideoStream[]): StepChanges;
	/**
	 * The most that the link bears of a stream without layers, in bit/s. `Infinity` for no limit that is known, `undefined`
	 * for a stream that has not begun.
	 */
	demandOf(id: string): number | undefined;
	/** Forgets a stream that has gone. */
	forget(id: string): void;
	/** The least that mediasoup may estimate for the link, in bit/s. 0 stands for none. */
	readonly leastEstimate: number;
	/** Whether all has flowed in full for a while, so that the link need not be looked at as often. */
	readonly isQuiet: boolean;
	/** Whether mediasoup alone chooses the layers of the link at the moment, below the highest. */
	readonly isLeftToWorker: boolean;
}

/** The bitrate of a stream on a step, in bit/s. If the source does not send that step, a lower one flows. */
export const bitrateOn = ({ bitrates }: VideoStream, step: number): number =>
	Math.max(0, ...bitrates.slice(0, step + 1));

/** The bitrate of all streams in bit/s, after changes. */
export const totalBitrate = (streams: readonly VideoStream[], changes: StepChanges = noChanges): number =>
	streams.reduce((sum, stream) => sum + bitrateOn(stream, changes.get(stream.id) ?? stream.step), 0);

/** Which of two streams gives way first: that of the lower priority, of the lower rank, or the larger. */
export const givesWay = (a: VideoStream, b: VideoStream): number =>
	a.priority - b.priority || a.rank - b.rank || bitrateOn(b, b.step) - bitrateOn(a, a.step);

/**
 * Lowers streams until all of them together need no more than `throughput` bit/s, but always one stream by one step if
 * possible. Streams with a low priority fall first.
 *
 * @param lowest - the lowest step for a stream at that step
 */
export function fallTo(
	throughput: number,
	streams: readonly VideoStream[],
	lowest = ({ step, fullFrameRateStep }: VideoStream) => (step > fullFrameRateStep ? fullFrameRateStep : heldStep),
): StepChanges {
	const changes = new Map<string, number>();
	for (const stream of [...streams].sort(givesWay)) {
		for (let next = stream.step - 1; next >= lowest(stream); next--) {
			if (changes.size > 0 && totalBitrate(streams, changes) <= throughput) return changes;
			changes.set(stream.id, next);
		}
	}
	return changes;
}

/**
 * Chooses among the streams that are held those that come back, the most important first.
 *
 * @param room - what all streams together may take, in bit/s
 */
export function takeIn(at: number, room: number, streams: readonly VideoStream[]): StepChanges {
	const changes = new Map<string, number>();
	for (const { id, step, shownFrom, fullFrameRateStep } of [...streams].sort((a, b) => -givesWay(a, b))) {
		if (step !== heldStep || at < shownFrom) continue;
		changes.set(id, fullFrameRateStep);
		if (totalBitrate(streams, changes) > room) changes.delete(id);
	}
	return changes;
}

/**
 * Raises the limit of each stream by one step if an estimate has room for it, at least at its lowest frame rate: first to the
 * full frame rate, then by one resolution. With each step the estimate can learn more. If the client counts no probes, it only
 * grows to one and a half times what flows. But a probe can also raise it far above the real bandwidth for a moment, so layers
 * do not follow it all the time.
 *
 * @param available - the estimate, in bit/s
 */
export function riseTo(available: number, streams: readonly VideoStream[]): StepChanges {
	const changes = new Map<string, number>();
	let room = available - streams.reduce((sum, { limit, leastBitrates }) => sum + (leastBitrates[limit] ?? 0), 0);
	for (const { id, limit, fullFrameRateStep, leastBitrates } of [...streams].sort((a, b) => -givesWay(a, b))) {
		if (limit === heldStep) continue;
		const next = Math.min(Math.max(limit + 1, fullFrameRateStep), leastBitrates.length - 1);
		const more = (leastBitrates[next] ?? 0) - (leastBitrates[limit] ?? 0);
		if (next <= limit || more > room) continue;
		room -= Math.max(more, 0);
		changes.set(id, next);
	}
	return changes;
}

/** A higher resolution takes about so many times the bitrate of the one below. */
const nextResolution = 3;

/**
 * Chooses the first step of a stream on a link of which nothing is known. A resolution that is not sent at the moment may be
 * sent as soon as somebody pulls it.
 *
 * @param bitrates - those of {@link VideoStream}
 * @param fullFrameRateStep - the step for when no higher one is known to fit
 * @param available - the bandwidth for this stream in bit/s
 */
export function startingStep(bitrates: readonly number[], fullFrameRateStep: number, available: number): number {
	const expected = [...bitrates];
	for (let step = fullFrameRateStep + 1; step < expected.length; step++) {
		expected[step] ||= (expected[step - 1] ?? 0) * nextResolution;
	}
	const highest = expected.findLastIndex((bitrate) => bitrate > 0 && bitrate <= available);
	return Math.max(highest, fullFrameRateStep);
}
