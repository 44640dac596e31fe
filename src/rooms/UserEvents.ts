import type { Connection } from '../connections/Connection.js';
import type { ConnectionCloseReason } from '../connections/ConnectionEvents.js';
import type { ServerOffer } from '../connections/ServerOffer.js';
import type { Layers } from '../layers/LayerSelection.js';
import type { Quality } from '../stats/quality.js';
import type { PauseCause, PauseOrigin } from '../tracks/Pauses.js';
import type { PullerCloseReason } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { PusherCloseReason, WantedEncoding } from '../tracks/PusherEndpoint.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import type { Permissions } from './Permissions.js';

/** Why a user has left. */
export type UserCloseReason =
	/** `user.close()` was called without a reason. */
	| 'left'
	/** `user.kick()` was called without a reason. */
	| 'kicked'
	/** Its room has been closed. */
	| 'roomClosed'
	/** Another client of the user has joined, and begins anew in its place. */
	| 'replaced'
	/** Its server was stopped. This is told on other servers only. */
	| 'nodeStopped'
	/** Nothing is heard of its server any more. This is told on other servers only. */
	| 'nodeLost'
	| (string & {});

/** The events of a user. */
export type UserEvents = {
	/** It has another name. `changed` comes, too. */
	renamed: (event: { userName: string; before: string }) => void;
	/** Its name or its metadata have changed, on behalf of its client or of the app. */
	changed: (event: { before: { userName: string; metadata: unknown }; cause: PauseOrigin }) => void;
	/** Its client has sent a message to the app. Nothing of `data` is checked but its size. Not on other servers. */
	appMessage: (event: { name: string; data: unknown }) => void;
	/** Its permissions have changed. What they no longer allow has closed already. */
	permissionsChanged: (event: { permissions: Readonly<Permissions>; before: Readonly<Permissions> }) => void;
	/** A push with tracks was accepted. It comes once, after `pusherAdded` for each track, before the caller has the answer. */
	pushed: (event: { pushers: readonly Pusher[] }) => void;
	/** The user sends a new track, or has opened or announced a data channel. */
	pusherAdded: (event: { pusher: AnyPusher }) => void;
	/** A pusher sends nothing anymore, because the client or the app has paused it. */
	pusherPaused: (event: { pusher: AnyPusher; cause: PauseCause }) => void;
	/** A pusher sends again. */
	pusherResumed: (event: { pusher: AnyPusher; cause: PauseCause }) => void;
	/** Nothing of a track has arrived at two looks in a row (`stallInterval`), though nobody has paused it. */
	pusherStalled: (event: { pusher: Pusher }) => void;
	/** A track that had stalled arrives again, or somebody has paused it. */
	pusherRecovered: (event: { pusher: Pusher }) => void;
	/** Those who pull a simulcast want more or fewer of its streams than before. The client may stop sending the others. */
	layersWanted: (event: { pusher: Pusher; encodings: readonly WantedEncoding[] }) => void;
	/** The source or the metadata of a pusher has changed. */
	pusherChanged: (event: { pusher: AnyPusher }) => void;
	/** A pusher has closed. */
	pusherClosed: (event: { pusher: AnyPusher; reason: PusherCloseReason }) => void;
	/**
	 * The user receives a new track or data channel. `inBand` is true for a data channel that no offer and no answer tells
	 * of: the client only gets `ondatachannel`.
	 */
	pullerAdded: (event: { puller: AnyPuller; inBand: boolean }) => void;
	/** A puller receives nothing anymore, because the client or the app has paused it. */
	pullerPaused: (event: { puller: AnyPuller; cause: PauseCause }) => void;
	/** A puller receives again. */
	pullerResumed: (event: { puller: AnyPuller; cause: PauseCause }) => void;
	/** Other layers of a track are sent to the user than before. `layers` is undefined if none is sent. */
	pullerChanged: (event: { puller: AnyPuller; layers: Layers | undefined }) => void;
	/** A puller has closed. */
	pullerClosed: (event: { puller: AnyPuller; reason: PullerCloseReason }) => void;
	/** The client must answer an offer that no call has asked for, because the room has changed. */
	offer: (event: { offer: ServerOffer }) => void;
	/** The user has a new connection. It has no transport yet. */
	connectionOpened: (event: { connection: Connection }) => void;
	/** The quality of a connection has changed. */
	qualityChanged: (event: { connection: Connection; quality: Quality }) => void;
	/** The quality of the user has changed: that of its worst connection. */
	rated: (event: { quality: Quality | undefined }) => void;
	/** A connection has closed. This is not told of one whose first offer failed. */
	connectionClosed: (event: { connection: Connection; reason: ConnectionCloseReason }) => void;
	/** The user has left the room. Emitted once, last. */
	closed: (event: { reason: UserCloseReason }) => void;
};
