import type { MediaKind, RtpParameters, RtpStreamRecvStats } from 'mediasoup/types';
import type { Demand } from './Demand.js';

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
