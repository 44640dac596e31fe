import type { Quality } from './Link.js';

/** Another user of the room, without what it publishes. */
export interface Publisher {
	/** Unique in the room. */
	readonly userId: string;
	/** For people to read. */
	readonly userName: string;
	/** Any JSON value of the app's own. */
	readonly metadata: unknown;
	/** False while the user's socket is lost. Known only if the server tells it (`rtcpilot`). */
	readonly online: boolean;
	/** Whether this user speaks. The server needs `audioObservers`. */
	readonly speaking: boolean;
	/** How loud the user is, from 0 to 1. The server needs `audioLevels`. */
	readonly level: number;
	/** How well the user is connected, `null` if it is not known. The server needs `userQuality`. */
	readonly quality: Quality | null;
}
