import type { AppMessageData } from './appMessages.js';
import type { DataPullerData, DataPusherData, OwnDataPusherData } from './dataChannels.js';
import type { MemberData, MessageRefusedData, PullerPauseCause, WantedEncodingData } from './parts.js';
import type { PermissionsData } from './permissions.js';
import type { UserData } from './users.js';

/** A text that a user wrote to the others. */
export interface TextMessage extends MemberData {
	/** The name of the user. */
	userName: string;
	/** The text. */
	message: string;
	/** The time, as the client wrote it. */
	time?: number | string | undefined;
}

/** The user who speaks. Both ids are `null` when nobody does. */
export interface ActiveSpeakerData {
	/** The id of the room. */
	roomId: string;
	/** The id of the user. */
	userId: string | null;
	/** The id of the user's audio pusher. */
	pusherId: string | null;
}

/** Some pushers of one user. */
export interface PusherIdsData extends MemberData {
	/** The ids of the pushers. */
	pusherIds: string[];
}

/** A puller of the client. */
export interface PullerOfUserData {
	/** The id of the puller. */
	pullerId: string;
	/** The id of the pusher that it receives. */
	pusherId: string;
	/** The user that sends. */
	userId: string;
}

/** The data of `newPusher`. */
export interface NewPusherData extends Omit<UserData, 'metadata'> {
	/** The id of the room. */
	roomId: string;
}

/** The data of `newDataPusher`. */
export interface NewDataPusherData extends MemberData {
	/** The name of the user. */
	userName: string;
	/** The new data channels. */
	dataPushers: DataPusherData[];
}

/** The data of `dataChannelPushed`. */
export interface DataChannelPushedData {
	/** The connection that carries the data channels. */
	connectionId: string;
	/** The new data channels. */
	dataPushers: OwnDataPusherData[];
}

/** The data of `dataChannelPulled`. */
export interface DataChannelPulledData {
	/** The connection that carries the data channels. */
	connectionId: string;
	/** The new data channels. */
	dataPullers: DataPullerData[];
}

/** The source and the metadata of a pusher. */
export interface DetailsData {
	/** The id of the pusher. */
	pusherId: string;
	/** The source, `null` for none. */
	source: string | null;
	/** The metadata, `null` for none. */
	metadata: unknown;
}

/** The data of `pusherChanged`. */
export interface PusherChangedData extends MemberData {
	/** The changed pushers. */
	pushers: DetailsData[];
}

/** The data of `layersChanged`. Both layers are `null` when the client receives none. */
export interface LayersData extends PullerOfUserData {
	/** The spatial layer, counted from 0. */
	spatialLayer: number | null;
	/** The temporal layer, counted from 0. */
	temporalLayer: number | null;
}

/** The data of `layersWanted`. */
export interface LayersWantedData {
	/** The id of the pusher. */
	pusherId: string;
	/** All streams of the simulcast, the lowest first. */
	encodings: WantedEncodingData[];
}

/** The data of `pullerClosed`. */
export interface PullerClosedData extends PullerOfUserData {
	/** The connection that carried the puller. */
	connectionId: string;
	/** The reason for the closing. */
	reason: string;
}

/** How loud one pusher is. */
export interface AudioLevelData {
	/** The id of the user. */
	userId: string;
	/** The id of the pusher. */
	pusherId: string;
	/** The volume in dBov, from -127 to 0. */
	volume: number;
}

/** The data of `audioLevels`. */
export interface AudioLevelsData {
	/** The id of the room. */
	roomId: string;
	/** The levels, the loudest first. */
	levels: AudioLevelData[];
}

/** The data of `qualityChanged`. */
export interface QualityData {
	/** The id of the connection. */
	connectionId: string;
	/** The quality from now on. */
	quality: 'excellent' | 'good' | 'poor' | 'lost';
}

/** The data of `userQuality`. */
export interface UserQualityData extends MemberData {
	/** The quality of the user's worst connection, `null` if it has none. */
	quality: QualityData['quality'] | null;
}

/** The data of `mediaLost`. */
export interface ConnectionIdsData {
	/** The ids of the connections. */
	connectionIds: string[];
}

/** The data of `connectionClosed`. */
export interface ConnectionClosedData {
	/** The id of the connection. */
	connectionId: string;
	/** The reason for the closing. */
	reason: string;
}

/** The data of `roomClosed` and `kicked`. */
export interface ClosedRoomData {
	/** The id of the room. */
	roomId: string;
	/** The reason why the room closed or the user had to leave. */
	reason: string;
}

/** The data of `migrate`. */
export interface MigrateData {
	/** The id of the room. */
	roomId: string;
	/** How long the client may stay, in ms, `null` for as long as it likes. */
	timeout: number | null;
}

/** The data of `permissionsChanged`. */
export interface PermissionsChangedData extends MemberData {
	/** The permissions from now on. */
	permissions: PermissionsData;
}

/** The data of `userReconnect` and `userRenamed`. */
export interface UserReconnectData extends MemberData {
	/** The name of the user. */
	userName: string;
}

/** The data of `userChanged`. */
export interface UserChangedData extends MemberData {
	/** The name of the user. */
	userName: string;
	/** The metadata of the user. Missing if there is none. */
	metadata?: unknown;
}

/** The data of each notification of the server, by its name. */
export interface Notifications {
	/** Users have joined. */
	newUser: UserData[];
	/** A user pushes more. The data has only the new pushers. */
	newPusher: NewPusherData;
	/** A user pushes more data channels. The data has only the new ones. */
	newDataPusher: NewDataPusherData;
	/** The client has opened data channels, and the server pushes them now. */
	dataChannelPushed: DataChannelPushedData;
	/** Data channels come without an offer over an RTCPeerConnection for which the server offers. */
	dataChannelPulled: DataChannelPulledData;
	/** Users have left. The data is an array of their ids. */
	userLeft: string[];
	/** A user has stopped pushing these. Not sent for a user who leaves. */
	pusherClosed: PusherIdsData;
	/** Pushers are paused. The user's own client is told only if the app has paused them. */
	pusherPaused: PusherIdsData;
	/** Pushers flow again. The user's own client is told only if the app has resumed them. */
	pusherResumed: PusherIdsData;
	/** Nothing of these tracks arrives at the server, though nobody has paused them. */
	pusherStalled: PusherIdsData;
	/** These tracks arrive again, or are paused now. */
	pusherRecovered: PusherIdsData;
	/** The source or the metadata of pushers has changed. The data has the new values. */
	pusherChanged: PusherChangedData;
	/** The client receives other layers than before. */
	layersChanged: LayersData;
	/** Those who pull a simulcast of the client want more or fewer of its streams. It may stop sending the others. */
	layersWanted: LayersWantedData;
	/** The app has paused a puller, or the link of the client does not bear it: `bandwidth`. */
	pullerPaused: PullerOfUserData & PullerPauseCause;
	/** The app has resumed a puller, or the link bears it again. */
	pullerResumed: PullerOfUserData & PullerPauseCause;
	/** A puller has closed: the client no longer receives from its pusher. */
	pullerClosed: PullerClosedData;
	/** Another user speaks, or nobody does. */
	activeSpeaker: ActiveSpeakerData;
	/** The users are this loud. Sent only with the option `audioLevels`. */
	audioLevels: AudioLevelsData;
	/** The quality of one of the client's own connections has changed. */
	qualityChanged: QualityData;
	/** The quality of a user has changed. Sent only with the option `userQuality`, and also to the user's own client. */
	userQuality: UserQualityData;
	/** A media worker has died, and these connections with it. Push and pull again on new RTCPeerConnections. */
	mediaLost: ConnectionIdsData;
	/** A connection for which the server offers is over, but not because the client has left or a media worker died. */
	connectionClosed: ConnectionClosedData;
	/** The server will stop soon. Join again over another connection, as balancers lead it to another server. */
	migrate: MigrateData;
	/** The room has been closed for everybody. */
	roomClosed: ClosedRoomData;
	/** A user has another name. `userChanged` comes, too. */
	userRenamed: UserReconnectData;
	/** A user has another name or other metadata. The user's own client is told only if the app has changed them. */
	userChanged: UserChangedData;
	/** The app has made the user leave. */
	kicked: ClosedRoomData;
	/** The server has dropped a message of the client that has no response: a notification, or what is no message. */
	messageRefused: MessageRefusedData;
	/** The client waits in the lobby until the app decides. The response to `join` comes then. */
	waiting: MemberData;
	/** Another client of the user has joined. The socket closes with 4000, and the client must not join again by itself. */
	replaced: MemberData;
	/** The app has changed what the client may do. What is no longer allowed has closed already. */
	permissionsChanged: PermissionsChangedData;
	/** Another user has sent a text. */
	textMessage: TextMessage;
	/** A message of the app's own. */
	appMessage: AppMessageData;
	/** With the option `rtcpilot`: the socket of a user was lost, and the user may come back. */
	userDisconnect: MemberData;
	/** With the option `rtcpilot`: a user whose socket was lost has come back. */
	userReconnect: UserReconnectData;
	/** With the option `rtcpilot`: a user has left. */
	userLeave: MemberData;
}
