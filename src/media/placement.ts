/** How busy a media worker is. */
export interface WorkerLoad {
	/** Its place among the workers, from 0. The ports of `webRtc.listen` count up with it. */
	readonly index: number;
	/** The id of its process. */
	readonly pid: number;
	/** The share of a core that it has used in the last seconds, 0 to 1. */
	readonly cpu: number;
	/** How many tracks it receives and sends, for all rooms. A track that comes from or goes to another worker counts. */
	readonly tracks: number;
	/**
	 * How many tracks and data channels it sends to another router: on another worker or server, or to its own, under other
	 * payload types.
	 */
	readonly pipes: number;
	/** How many rooms it carries. */
	readonly rooms: number;
	/** Whether it has reached `workers.fullCpu` or `workers.fullTracks`. */
	readonly isFull: boolean;
	/** Whether it carries the room already that is asked for. */
	readonly carriesRoom: boolean;
}

/** What {@link PlaceOnWorker} is asked. */
export interface Placement {
	/** The room. */
	readonly roomId: string;
	/** The user whose RTCPeerConnection needs a place. Undefined when the room opens. */
	readonly userId?: string;
	/** The running workers. */
	readonly workers: readonly WorkerLoad[];
}

/**
 * Chooses the worker of a room, or of one RTCPeerConnection of a user. It is called often, and must not take long.
 *
 * @returns the index of the worker; `undefined` leaves the choice to the library, and so does an error
 */
export type PlaceOnWorker = (placement: Placement) => number | undefined;
