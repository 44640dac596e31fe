import type { Quality } from '../stats/quality.js';
import type { PauseCause, PauseOrigin } from '../tracks/Pauses.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import type { AnyPusher } from '../tracks/tracks.js';
import type { WaitingOutcome, WaitingUser } from './Lobby.js';
import type { Permissions } from './Permissions.js';
import type { AudioLevel } from './Speakers.js';
import type { User } from './User.js';
import type { UserCloseReason } from './UserEvents.js';

/** A text, and who has sent it. */
export interface TextOfUser {
	/** The id of its author. */
	userId: string;
	/** The name of its author. */
	userName: string;
	/** The text. */
	message: string;
	/** When it was sent, as its author says. */
	time?: number | string | undefined;
}

/** Why a room has closed. */
export type RoomCloseReason =
	/** `room.close()` was called without a reason. */
	| 'closed'
	/** Nobody was in the room for `emptyRoomTimeout`. */
	| 'empty'
	/** The Sfu has been closed. */
	| 'sfuClosed'
	| (string & {});

/** The events of a room. */
export type RoomEvents = {
	/** A user has joined. */
	userJoined: (event: { user: User }) => void;
	/** A user has left. Its connections have closed already. */
	userLeft: (event: { user: User; reason: UserCloseReason }) => void;
	/** A user has another name. `userChanged` comes, too. */
	userRenamed: (event: { user: User; before: string }) => void;
	/** The name or the metadata of a user have changed, on behalf of its client or of the app. */
	userChanged: (event: { user: User; before: { userName: string; metadata: unknown }; cause: PauseOrigin }) => void;
	/** The client of a user has sent a message to the app. Nothing of `data` is checked but its size. Not on other servers. */
	appMessage: (event: { user: User; name: string; data: unknown }) => void;
	/** The permissions of a user have changed. What they no longer allow has closed already. */
	permissionsChanged: (event: {
		user: User;
		permissions: Readonly<Permissions>;
		before: Readonly<Permissions>;
	}) => void;
	/** A user waits in the lobby for the app to admit or to refuse it. */
	userWaiting: (event: { waiting: WaitingUser }) => void;
	/** The wait of a user has ended. When it is admitted, `userJoined` comes before, unless its join fails after all. */
	waitingEnded: (event: { waiting: WaitingUser; outcome: WaitingOutcome }) => void;
	/** A push with tracks was accepted. It comes once, after `pusherAdded` for each track. */
	pushed: (event: { user: User; pushers: readonly Pusher[] }) => void;
	/** A user sends a new track, or has opened or announced a data channel. */
	pusherAdded: (event: { user: User; pusher: AnyPusher }) => void;
	/** A pusher sends nothing anymore, because the client or the app has paused it. */
	pusherPaused: (event: { user: User; pusher: AnyPusher; cause: PauseCause }) => void;
	/** A pusher sends again. */
	pusherResumed: (event: { user: User; pusher: AnyPusher; cause: PauseCause }) => void;
	/** Nothing of a track has arrived at two looks in a row (`stallInterval`), though nobody has paused it. */
	pusherStalled: (event: { user: User; pusher: Pusher }) => void;
	/** A track that had stalled arrives again, or somebody has paused it. */
	pusherRecovered: (event: { user: User; pusher: Pusher }) => void;
	/** The source or the metadata of a pusher has changed. */
	pusherChanged: (event: { user: User; pusher: AnyPusher }) => void;
	/** A pusher has closed. When a user leaves, it comes for each of its pushers (`userLeft`), before the event `userLeft`. */
	pusherClosed: (event: { user: User; pusher: AnyPusher; reason: PusherCloseReason }) => void;
	/** A user has sent a text to the others. */
	textMessage: (event: TextOfUser) => void;
	/** Another user speaks. Both are undefined if nobody speaks. Only with the option `audioObservers`. */
	activeSpeakerChanged: (event: { user: User | undefined; pusher: Pusher | undefined }) => void;
	/**
	 * The levels of all who are louder than `audioObservers.threshold`, every `audioObservers.interval`, the loudest first.
	 * When nobody is anymore, it comes once without levels. Only with the option `audioObservers`.
	 */
	audioLevels: (event: { levels: readonly AudioLevel[] }) => void;
	/**
	 * The quality of a user has changed: that of the worst of its connections. `undefined` when none of them is left. Only
	 * with the option `qualityInterval`.
	 */
	userRated: (event: { user: User; quality: Quality | undefined }) => void;
	/**
	 * Nobody new may join any more, because the Sfu will stop: {@link Sfu.drain}. `timeout` is how long the users may stay, in
	 * ms; undefined for as long as they like.
	 */
	draining: (event: { timeout: number | undefined }) => void;
	/** The room has closed. Emitted once, last. */
	closed: (event: { reason: RoomCloseReason }) => void;
};
