import type { Quality } from './Link.js';
import type { Publisher } from './Publisher.js';
import type { RemoteChannel } from './RemoteChannel.js';
import type { RemoteTrack } from './RemoteTrack.js';

/** Another user of the room. It is the same object for as long as the user is in the room. */
export class RemoteUser implements Publisher {
	readonly userId: string;
	readonly userName: string;
	readonly metadata: unknown;
	readonly online: boolean = true;
	readonly speaking: boolean = false;
	readonly level: number = 0;
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
