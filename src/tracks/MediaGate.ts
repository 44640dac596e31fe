import type { MediaKind } from 'mediasoup/types';
import type { PusherDetails } from './PushOptions.js';
import type { AnyPuller, AnyPusher } from './tracks.js';

/** A pusher that may come to be. */
export interface PushGrant {
	/**
	 * Takes the new pusher in charge, at once after its making.
	 *
	 * @throws {@link SfuError} `forbidden` or `limit_exceeded` if the permissions have changed meanwhile
	 */
	admit: (pusher: AnyPusher) => void;
	/** Gives the place back, when the pusher has closed or could not be made. It must be called once. */
	giveBack: () => void;
}

/**
 * The only way by which pushers and pullers of a user come to be: it asks the user's permissions, and pauses what
 * the app has paused before.
 */
export interface MediaGate {
	/** The most that each connection is asked to send, in bit/s. 0 stands for no limit. */
	readonly maxBitrate: number;
	/** @throws {@link SfuError} `forbidden` */
	assertPush(kind: MediaKind | 'data', source: string | null | undefined): void;
	/** @throws {@link SfuError} `forbidden` if the client may not change these of its pusher */
	assertUpdate(pusher: AnyPusher, details: PusherDetails): void;
	/** @throws {@link SfuError} `forbidden`, `limit_exceeded` */
	beginPush(kind: MediaKind | 'data', source: string | null | undefined): PushGrant;
	/**
	 * @returns takes the new puller in charge, at once after its making; it throws {@link SfuError} `forbidden` if the
	 *   permissions have changed meanwhile
	 * @throws {@link SfuError} `forbidden`
	 */
	beginPull(pusher: AnyPusher): (puller: AnyPuller) => void;
}
