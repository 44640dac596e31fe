/** What the SDP of a client tells of it. */
export interface Identity {
	usernameFragment: string;
	password: string;
	fingerprint: string;
}

/** Where a client connects to. */
export interface Remote {
	usernameFragment: string;
	password: string;
	port: number;
	/** The id of the header extension of transport-wide congestion control, 0 without. */
	transportCc: number;
}

/** The SSRCs that a pusher has announced; 0 for a kind that it does not push. */
export interface Ssrcs {
	audio: number;
	video: number;
}

/** Packets since the beginning. */
export interface Counts {
	/** Those that came from the pusher. */
	received: number;
	/** Those that were sent to pullers. */
	forwarded: number;
}

/** The systems, by their names in the tables. */
export const systems = {
	'bare, no estimate': { library: false, estimate: false },
	'sfu-rooms, client offers': { library: true, estimate: false },
	'bare, with estimate': { library: false, estimate: true },
	'sfu-rooms, server offers': { library: true, estimate: true },
} as const;

export type System = keyof typeof systems;

export interface ServerOptions {
	/** Whether sfu-rooms is used, or mediasoup alone. */
	library: boolean;
	/**
	 * Whether mediasoup estimates the bandwidth of pullers, by transport-wide congestion control. With sfu-rooms it does if the
	 * server offers.
	 */
	estimate: boolean;
	/** The number of workers, over which the pullers are spread evenly. The pusher is on the first one. */
	workers: number;
	/** Whether there is video, too. */
	video: boolean;
}

/** A room with one pusher. */
export interface Server {
	/** The processes of the workers. */
	readonly workers: readonly number[];
	push(client: Identity): Promise<Remote & { ssrcs: Ssrcs }>;
	pull(client: Identity): Promise<Remote>;
	counts(): Promise<Counts>;
}
