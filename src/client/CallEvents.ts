import type { PermissionsData } from '../protocol/index.js';
import type { Quality } from './Link.js';
import type { LocalTrack } from './LocalTrack.js';
import type { RemoteChannel } from './RemoteChannel.js';
import type { RemoteTrack } from './RemoteTrack.js';
import type { RemoteUser } from './RemoteUser.js';
import type { RoomError } from './RoomError.js';

/** Whether there is a connection to the server. Media may flow without one. */
export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'closed';

/**
 * Why a call is over.
 *
 * | reason | meaning |
 * | --- | --- |
 * | `left` | `leave()` was called |
 * | `kicked` | the app made the user leave |
 * | `roomClosed` | the room was closed |
 * | `duplicateUser` | the same user has joined elsewhere |
 * | `forbidden` | the server has refused to let the user come back |
 * | `gaveUp` | `retry` has returned false |
 */
export type CloseReason = 'left' | 'kicked' | 'roomClosed' | 'duplicateUser' | 'forbidden' | 'gaveUp';

/** The events of a {@link Call}, with what their listeners get. */
export interface CallEvents {
	/** The connection to the server is lost, or there again. `resumed`: everything is as before. */
	state: { state: ConnectionState; resumed?: boolean };
	/** The call is over. No other event follows but `change`. */
	closed: { reason: CloseReason; message: string };
	/** Somebody has joined. The tracks follow, each with `trackAdded`. */
	userJoined: RemoteUser;
	/** Somebody has left. */
	userLeft: RemoteUser;
	/** Somebody has another name, other metadata, another quality, or is away or back. */
	userChanged: RemoteUser;
	/** Somebody publishes a track. */
	trackAdded: RemoteTrack;
	/** A track is received: its `track` is there, or is another one. */
	trackReady: RemoteTrack;
	/** A track is muted or not, has stalled, has other metadata or layers, or is not received any more. */
	trackChanged: RemoteTrack;
	/** A track is not published any more. */
	trackRemoved: RemoteTrack;
	/** Somebody has opened a data channel. */
	channelAdded: RemoteChannel;
	/** A data channel has closed. */
	channelRemoved: RemoteChannel;
	/** A message has come on a data channel. */
	data: { channel: RemoteChannel; data: string | ArrayBuffer };
	/** An own track is published or not any more, is muted or not, or has another device or none. */
	localChanged: LocalTrack;
	/** Somebody else speaks: another user, this one, or nobody. The server needs `audioObservers`. */
	speaker: { user: RemoteUser | 'me' | null };
	/** The media connection of one direction is better or worse. The server needs `qualityInterval`. */
	quality: { direction: 'send' | 'receive'; quality: Quality };
	/** What this user may do has changed. */
	permissionsChanged: PermissionsData;
	/** Somebody has written. `from` is missing if the user has left meanwhile. */
	message: {
		from: RemoteUser | undefined;
		userId: string;
		userName: string;
		message: string;
		time: number | string | undefined;
	};
	/** The app on the server says something of its own. */
	appMessage: { name: string; data: unknown };
	/** The browser plays no sound before a click: call `resume()` from one. */
	audioBlocked: { resume: () => Promise<void> };
	/** Something that nobody waits for has failed. The call goes on. */
	error: RoomError;
	/** Anything has changed that a page may show. It comes after the other events, once for all of a moment. */
	change: undefined;
}
