import type { MediaKind, Producer, Router, RtpParameters, RtpStreamRecvStats } from 'mediasoup/types';
import type { Demand } from './Demand.js';
import type { PayloadTypes } from './remap/payloadTypes.js';

/** How the streams of a source relate: one stream, the layers of a simulcast, or the layers within one stream. */
export type SourceType = 'simple' | 'simulcast' | 'svc';

export type SourceEvents = {
	/** The source sends nothing anymore until it is resumed. */
	paused: () => void;
	/** The source sends again. */
	resumed: () => void;
	/** The source has gone. Emitted once, last. `reason` is that of its pusher. */
	closed: (event: { reason: string }) => void;
};

/** A source on a router of this process, until it is released. */
export interface Landing {
	readonly producer: Producer;
	readonly router: Router;
	/** The payload types that consumers of the producer send. */
	readonly payloadTypes: PayloadTypes;
	/** Lets it flow, if it does not flow before somebody can receive it. Calling it again does nothing. */
	readonly start?: () => void;
	/** Gives it back. Calling it again does nothing. */
	release: () => void;
}

/**
 * A track that can be pulled, wherever it is: on the same router, on another worker or on another machine. Whoever sends it
 * on attaches it to a router by `RoomRouter.attach()`, and never sees the mediasoup Producer behind it.
 */
export interface Source {
	/** The id of the pusher. */
	readonly pusherId: string;
	readonly kind: MediaKind;
	/** What the pusher's client sends, in the pusher's own numbers. */
	readonly rtpParameters: RtpParameters;
	readonly type: SourceType;
	readonly paused: boolean;
	readonly closed: boolean;
	/** What those who pull it can take. */
	readonly demand: Demand;
	/**
	 * Finds it on a router of this process, or brings it to one.
	 *
	 * @param router - where it is needed; it may be on another one already
	 * @param payloadTypes - those it is needed with; it may have others already
	 * @throws {@link SfuError} (rejects) `not_found` if it has gone, `unavailable` if it is not reached
	 */
	land(router: Router, payloadTypes: PayloadTypes): Promise<Landing>;
	/** The statistics of each stream, as mediasoup counts them where the track is received. */
	getStats(): Promise<RtpStreamRecvStats[]>;
	/**
	 * Calls `listener` whenever the pusher's client is asked for a keyframe.
	 *
	 * @returns a function that stops this
	 */
	watchKeyframeRequests(listener: () => void): () => void;
	on<Event extends keyof SourceEvents>(event: Event, listener: SourceEvents[Event]): unknown;
	off<Event extends keyof SourceEvents>(event: Event, listener: SourceEvents[Event]): unknown;
}

/** A source as its pusher has it. */
export interface PushedSource extends Source {
	/** What receives it in this process. Undefined for one of another server that nobody pulls here. */
	readonly producer: Producer | undefined;
	pause(): Promise<void>;
	resume(): Promise<void>;
	/** Asks the pusher's client for a keyframe of each of its streams. */
	requestKeyframe(): Promise<void>;
	/** Ends it, and tells those who pull it. The pusher calls this once. */
	close(reason: string): void;
}
