import type { Consumer } from 'mediasoup/types';
import type { Source } from '../media/Source.js';
import type { SentCounters } from './countSent.js';
import type { LayerSelection } from './LayerSelection.js';
import type { Overload } from './OverloadDetector.js';

/** A puller with layers. */
export interface LayeredPuller {
	/** The connection that the puller belongs to. */
	readonly connectionId: string;
	readonly consumer: Consumer;
	/** The track that the puller receives. */
	readonly source: Pick<Source, 'pusherId' | 'rtpParameters' | 'getStats' | 'watchKeyframeRequests'>;
	readonly selection: LayerSelection;
	/** Stops the puller for a moment, or ends this, without an event. */
	hold(held: boolean): Promise<void>;
}

/** The state of a flowing puller that policies decide by. Steps are those of its {@link LayerSelection.steps}. */
export interface LayeredStream {
	/** The id of the consumer. */
	id: string;
	/** A stream with a higher priority keeps its layers longer. */
	priority: number;
	step: number;
	/** The lowest step with the full frame rate. An overload lowers no stream further at once. */
	fullFrameRateStep: number;
	/** The bitrate of each step in bit/s; 0 if the source does not send it at the moment. */
	bitrates: readonly number[];
	/** The bitrate of each step at its lowest frame rate in bit/s. */
	leastBitrates: readonly number[];
}

/** A stream just measured. */
export interface MeasuredStream extends LayeredStream {
	puller: LayeredPuller;
	/** `undefined` if the consumer has sent nothing yet. */
	counters: SentCounters | undefined;
}

/** The new steps of the streams that change, by {@link LayeredStream.id}. */
export type StepChanges = ReadonlyMap<string, number>;

/** Chooses the steps of all streams of a link. */
export interface LayerPolicy {
	/** Resolves to mediasoup's bandwidth estimate in bit/s; `undefined` if there is none. */
	readonly estimate?: () => Promise<number | undefined>;

	/**
	 * Chooses steps at one of the regular looks at a link.
	 *
	 * @param estimate - the result of {@link LayerPolicy.estimate}
	 */
	look(streams: readonly MeasuredStream[], estimate: number | undefined): StepChanges | Promise<StepChanges>;

	/** Chooses lower steps for an overloaded link. */
	fall(overload: Overload, streams: readonly LayeredStream[]): StepChanges;

	/**
	 * Called after each look and each overload. A policy without this method is to be looked at regularly.
	 *
	 * @returns the time until the next look in ms; `undefined` for none until the next overload
	 */
	scheduleLook?(pullers: readonly LayeredPuller[]): number | undefined;
}

/** The bitrate of a stream on a step, in bit/s. If the source does not send that step, a lower one flows. */
export const bitrateOn = ({ bitrates }: LayeredStream, step: number): number =>
	Math.max(0, ...bitrates.slice(0, step + 1));

/** The bitrate of all streams in bit/s, after changes. */
export const totalBitrate = (streams: readonly LayeredStream[], changes: StepChanges): number =>
	streams.reduce((sum, stream) => sum + bitrateOn(stream, changes.get(stream.id) ?? stream.step), 0);

/**
 * Lowers streams until all of them together need no more than `throughput` bit/s, but always one stream by one step if
 * possible. Streams with a low priority fall first; of equals, the largest.
 */
export function fallTo(throughput: number, streams: readonly LayeredStream[]): StepChanges {
	const changes = new Map<string, number>();
	const order = [...streams].sort((a, b) => a.priority - b.priority || bitrateOn(b, b.step) - bitrateOn(a, a.step));
	for (const { id, step, fullFrameRateStep } of order) {
		const lowest = step > fullFrameRateStep ? fullFrameRateStep : 0;
		for (let next = step - 1; next >= lowest; next--) {
			if (changes.size > 0 && totalBitrate(streams, changes) <= throughput) return changes;
			changes.set(id, next);
		}
	}
	return changes;
}
