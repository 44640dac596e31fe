import type { Connection, ConnectionCloseReason } from '../connections/Connection.js';
import type { ServerOffer } from '../connections/ServerOffer.js';
import type { DataPuller, DataPullerCloseReason } from '../tracks/DataPuller.js';
import type { DataPusher, DataPusherCloseReason } from '../tracks/DataPusher.js';
import type { PauseCause } from '../tracks/Pauses.js';
import type { Layers } from '../layers/LayerSelection.js';
import type { Puller, PullerCloseReason } from '../tracks/Puller.js';
import type { Pusher, PusherCloseReason } from '../tracks/Pusher.js';
import type { Quality } from '../stats/quality.js';

/** Why a user has left. */
export type UserCloseReason =
	/** `user.close()` without a reason. */
	| 'left'
	/** `user.kick()` without a reason. */
	| 'kicked'
	/** Its room has been closed. */
	| 'roomClosed'
	| (string & {});

export type UserEvents = {
	/** A push was accepted: before its caller has the answer. */
	pushed: (event: { pushers: readonly Pusher[] }) => void;
	/** A pusher of this user sends nothing any more, because the client or the app has paused it. */
	pusherPaused: (event: { pusher: Pusher; cause: PauseCause }) => void;
	/** It sends again. */
	pusherResumed: (event: { pusher: Pusher; cause: PauseCause }) => void;
	/** The source or the metadata of a pusher of this user has changed. */
	pusherChanged: (event: { pusher: Pusher }) => void;
	/** A pusher of this user has closed. */
	pusherClosed: (event: { pusher: Pusher; reason: PusherCloseReason }) => void;
	/** The client has opened a data channel, or announced one. */
	dataPusherAdded: (event: { dataPusher: DataPusher }) => void;
	/** Nothing that this user sends on it reaches anybody any more, because the client or the app has paused it. */
	dataPusherPaused: (event: { dataPusher: DataPusher; cause: PauseCause }) => void;
	/** It does again. */
	dataPusherResumed: (event: { dataPusher: DataPusher; cause: PauseCause }) => void;
	/** The source or the metadata of a data pusher of this user has changed. */
	dataPusherChanged: (event: { dataPusher: DataPusher }) => void;
	/** A data pusher of this user has closed. */
	dataPusherClosed: (event: { dataPusher: DataPusher; reason: DataPusherCloseReason }) => void;
	/** A data channel comes to the client that no call and no offer has told of: see `user.autoPull()`. */
	dataPullerAdded: (event: { dataPuller: DataPuller }) => void;
	/** A data puller of this user receives nothing any more, because the client or the app has paused it. */
	dataPullerPaused: (event: { dataPuller: DataPuller; cause: PauseCause }) => void;
	/** It receives again. */
	dataPullerResumed: (event: { dataPuller: DataPuller; cause: PauseCause }) => void;
	/** A data puller of this user has closed. */
	dataPullerClosed: (event: { dataPuller: DataPuller; reason: DataPullerCloseReason }) => void;
	/** The client has to answer an offer that no call has asked for: what it pulls by offers of the server has changed. */
	offer: (event: { offer: ServerOffer }) => void;
	/** A puller of this user receives nothing any more, because the client or the app has paused it. */
	pullerPaused: (event: { puller: Puller; cause: PauseCause }) => void;
	/** It receives again. */
	pullerResumed: (event: { puller: Puller; cause: PauseCause }) => void;
	/** Other layers of it are sent to this user than before; `undefined` for none. */
	layersChanged: (event: { puller: Puller; layers: Layers | undefined }) => void;
	/** A puller of this user has closed. */
	pullerClosed: (event: { puller: Puller; reason: PullerCloseReason }) => void;
	/** How well an RTCPeerConnection of this user carries what it carries has changed. */
	qualityChanged: (event: { connection: Connection; quality: Quality }) => void;
	/** An RTCPeerConnection of this user is gone. */
	connectionClosed: (event: { connection: Connection; reason: ConnectionCloseReason }) => void;
	/** The user has left the room. Emitted once, last. */
	closed: (event: { reason: UserCloseReason }) => void;
};
