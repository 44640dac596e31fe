import type { Worker } from 'mediasoup/types';

/** Users who come and go. */
export interface Churn {
	system: string;
	worker: Worker;
	/** How many RTCPeerConnections have been opened so far: the pushes and pulls. */
	readonly calls: number;
	/** One user comes, pushes, pulls from others, and leaves. */
	stay(): Promise<void>;
	/** Resolves when all that belonged to users has gone. Nobody comes meanwhile. */
	settle(): Promise<void>;
	/** Gives up what is left without users, but for the worker. */
	clear(): void;
	close(): void;
}

/** From so many others each user pulls. */
export const pulledUsers = 2;
