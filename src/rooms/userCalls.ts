import type { Connection } from '../connections/Connection.js';
import type { PushRejection } from '../connections/rejections.js';
import { strict, validator } from '../schemas.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import type { UserCloseReason } from './UserEvents.js';

/** The answer to a push. */
export interface PushResult {
	/** The SDP answer. */
	answer: string;
	/** All pushers of the connection: tracks in the order of the m-lines, then data channels. */
	pushers: AnyPusher[];
	/** The connection that the offer belongs to. */
	connection: Connection;
	/** The m-lines that send, and that were not taken, or only in part. */
	rejected: PushRejection[];
}

/** The answer to a pull. */
export interface PullResult {
	/** The SDP answer. An m-line is `inactive` if its pusher has no codec in common with it, or has just gone. */
	answer: string;
	/** All pullers of the connection: tracks in the order of the m-lines, then data channels. */
	pullers: AnyPuller[];
	/** The connection that the offer belongs to. */
	connection: Connection;
}

/** What {@link User.autoPull} pulls. */
export interface AutoPullOptions {
	/**
	 * The most videos at a time, beside those of `webRtc.keptSources`, which always come: of whom the user pins, and of who
	 * spoke last (`audioObservers`). The others close (`notChosen`), and come back when they are chosen. Default: all.
	 */
	videos?: number;
}

export const checkAutoPullOptions = validator<AutoPullOptions>(
	strict({ videos: { type: 'integer', minimum: 0 } }),
	'options',
);

/** How to kick a user. */
export interface KickOptions {
	/** The reason, which the client is told. Default `kicked`. */
	reason?: UserCloseReason;
	/** Whether its id may not join the room again until `room.unban()` is called. Default false. */
	ban?: boolean;
}

/** The first m-line of our offers is one for audio. */
export const audioFirst = <Kind extends AnyPusher>(pushers: readonly Kind[]): Kind[] =>
	[...pushers].sort((a, b) => Number(b.kind === 'audio') - Number(a.kind === 'audio'));
