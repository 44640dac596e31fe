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

/** The data of `state`. */
export interface StateChange {
	/** The state from now on. */
	state: ConnectionState;
	/** When it is connected: whether everything is as before. False also for the first time. */
	resumed?: boolean;
}

/** The data of `closed`. */
export interface CallClosed {
	/** Why the call is over. */
	reason: CloseReason;
	/** More of that, for people to read. */
	message: string;
}

/** A message on a data channel. */
export interface ReceivedData {
	/** The channel. */
	channel: RemoteChannel;
	/** The message. */
	data: string | ArrayBuffer;
}

/** The data of `quality`. */
export interface QualityChange {
	/** Which of the two RTCPeerConnections. */
	direction: 'send' | 'receive';
	/** How it carries its media from now on. */
	quality: Quality;
}

/** What somebody has written. */
export interface ReceivedText {
	/** Who has written it. Missing if the user has left meanwhile. */
	from: RemoteUser | undefined;
	/** The id of that user. */
	userId: string;
	/** The name of that user. */
	userName: string;
	/** The text. */
	message: string;
	/** The time, as the client of that user wrote it. */
	time: number | string | undefined;
}

/** A message of the app's own. */
export interface AppMessage {
	/** What kind of message it is. */
	name: string;
	/** What it carries. */
	data: unknown;
}

/** Sound that the browser does not play. */
export interface BlockedAudio {
	/** Plays it; to be called from a click. */
	resume: () => Promise<void>;
}

/** The events of a {@link Call}, with what their listeners get. */
export interface CallEvents {
	/** The connection to the server is lost, or there again. `resumed`: everything is as before. */
	state: StateChange;
	/** The call is over. No other event follows but `change`. */
	closed: CallClosed;
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
	data: ReceivedData;
	/** An own track is published or not any more, is muted or not, or has another device or none. */
	localChanged: LocalTrack;
	/** Somebody else speaks: another user, this one, or nobody. The server needs `audioObservers`. */
	speaker: RemoteUser | 'me' | null;
	/** The media connection of one direction is better or worse. The server needs `qualityInterval`. */
	quality: QualityChange;
	/** What this user may do has changed. */
	permissionsChanged: PermissionsData;
	/** Somebody has written. */
	message: ReceivedText;
	/** The app on the server says something of its own. */
	appMessage: AppMessage;
	/** The browser plays no sound before a click: call `resume()` from one. */
	audioBlocked: BlockedAudio;
	/** Something that nobody waits for has failed. The call goes on. */
	error: RoomError;
	/** Anything has changed that a page may show. It comes after the other events, once for all of a moment. */
	change: undefined;
}
