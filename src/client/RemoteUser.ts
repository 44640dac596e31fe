import type { Quality } from './Link.js';
import type { RemoteChannel } from './RemoteChannel.js';
import type { RemoteTrack } from './RemoteTrack.js';

/** What changes within the client, and for nobody else. */
export type Changes<Type> = { -readonly [Key in keyof Type]?: Type[Key] };

/** Another user of the room. It is the same object for as long as the user is in the room. */
export class RemoteUser {
	/** Unique in the room. */
	readonly userId: string;
	/** For people to read. */
	readonly userName: string;
	/** Any JSON value of the app's own. */
	readonly metadata: unknown;
	/** False while the user's socket is lost. Known only if the server tells it (`rtcpilot`). */
	readonly online: boolean = true;
	/** Whether this user speaks. The server needs `audioObservers`. */
	readonly speaking: boolean = false;
	/** How loud the user is, from 0 to 1. The server needs `audioLevels`. */
	readonly level: number = 0;
	/** How well the user is connected, `null` if it is not known. The server needs `userQuality`. */
	readonly quality: Quality | null = null;
	/** What the user publishes, by id. */
	readonly tracks: ReadonlyMap<string, RemoteTrack> = new Map<string, RemoteTrack>();
	/** The data channels of the user, by id. */
	readonly channels: ReadonlyMap<string, RemoteChannel> = new Map<string, RemoteChannel>();

	/** @internal */
	constructor(userId: string, userName: string, metadata: unknown) {
		this.userId = userId;
		this.userName = userName;
		this.metadata = metadata;
	}

	/** The track with this source. */
	get(source: string): RemoteTrack | undefined {
		return [...this.tracks.values()].find((track) => track.source === source);
	}
}
