import type { AppMessageData, AppRequestSuccess, AppResponse, ClientAppMessageData } from './appMessages.js';
import type { DataPullerData } from './dataChannels.js';
import type { IceServer } from './iceServers.js';
import type { ActiveSpeakerData } from './notifications.js';
import type { AnswerSdp, MemberData, OfferSdp, Success } from './parts.js';
import type { PushData, PusherIdData, PushSuccess, UnpushData, UpdatePusherData } from './pushes.js';
import type { UserData } from './users.js';

/** The data of `join`. */
export interface JoinData extends MemberData {
	/** The name of the user, for people to read. */
	userName: string;
	/**
	 * A value of the app's own that the others are told, any JSON value. `null` stands for none. A client that comes back
	 * keeps what it has if it leaves it out.
	 */
	metadata?: unknown;
	/** Asks to be hidden: a viewer whom no client is told of. The app may decide otherwise. */
	audience?: boolean;
	/**
	 * The token of the client's last `join`, by which it comes back. `null` if it has none. A client that leaves it out
	 * knows no tokens.
	 */
	resumeToken?: string | null;
}

/** One pusher to pull. */
export interface PullSpecData {
	/** The kind of the pusher. */
	type: 'audio' | 'video' | 'data';
	/** The id of the pusher. */
	pusher_id: string;
	/** Whether the client opens the data channel itself, with `negotiated: true`. Default false. */
	negotiated?: boolean;
}

/** The data of `pull` with the client's own offer. */
export interface PullData extends MemberData {
	/** The user to pull from. */
	targetUserId: string;
	/** The pushers to pull. With an offer, each one takes the next m-line of its kind that receives. */
	specs: PullSpecData[];
	/** The offer. */
	sdp: OfferSdp;
	/** The id of the connection that the offer belongs to, if there is one already. Default: the offer tells. */
	connectionId?: string;
}

/** The data of `pull` without an offer: the server makes one. */
export interface PullOfferedData extends Omit<PullData, 'sdp' | 'connectionId'> {
	/** Left out. */
	sdp?: never;
}

/** How much an automatic pull takes at most. */
export interface AutoPullLimits {
	/** The most videos of cameras at a time. */
	videos: number;
}

/** The data of `pull` for everything that the others push, now and later. The server sends requests `offer`. */
export interface AutoPullData extends MemberData {
	/** Asks for everything, or for so many videos of cameras at most: of whom the client pins, and of who spoke last. */
	autoPull: true | AutoPullLimits;
}

/** The data of `pin` and `unpin`. */
export interface PinData extends MemberData {
	/** The user whose videos are preferred. */
	targetUserId: string;
}

/** The data of `answer`. */
export interface AnswerData extends MemberData {
	/** The id of the connection. */
	connectionId: string;
	/** The answer. */
	sdp: AnswerSdp;
}

/** The data of `restartIce`. */
export interface ConnectionIdData extends MemberData {
	/** The id of the connection. */
	connectionId: string;
}

/** The data of requests about one puller. */
export interface PullerIdData extends MemberData {
	/** The id of the puller. */
	pullerId: string;
}

/** The data of `setPreferredLayers`. Layers count from 0, the lowest. */
export interface PreferredLayersData extends PullerIdData {
	/** The spatial layer or the simulcast layer. */
	spatialLayer: number;
	/** The temporal layer. Default: the highest. */
	temporalLayer?: number;
}

/** The data of `unpull`. */
export interface UnpullData extends MemberData {
	/** The ids of the pullers, at most 1000. */
	pullerIds: string[];
}

/** The data of the request and the notification `textMessage`, from a client. */
export interface TextMessageData extends MemberData {
	/** Ignored. The others get the name that the user joined with. */
	userName?: string;
	/** The text. */
	message: string;
	/** The client's own time, in any form. */
	time?: number | string;
}

/** The success data of `join`. */
export interface JoinSuccess extends Success<'join'> {
	/** All other users of the room. */
	users: UserData[];
	/** Whether the client has come back to its user, told by its `resumeToken`. Its pushers and pullers go on. */
	resumed: boolean;
	/**
	 * What the client has on the server, if it has come back. A socket may have broken between a push and its response. Missing if
	 * there is nothing.
	 */
	connections?: OwnConnectionData[];
	/** A secret for the next `join`. Each join gets another one. */
	resumeToken: string;
	/** The user who speaks. Missing if nobody does. */
	activeSpeaker?: ActiveSpeakerData;
	/** The `iceServers` for RTCPeerConnections of the client. Missing if the server has none. Each join gets fresh ones. */
	iceServers?: IceServer[];
	/** The client's own name. Missing if it is the one that its `join` has. */
	userName?: string;
	/** The client's own metadata, `null` for none. Missing if they are those that its `join` has. */
	metadata?: unknown;
}

/** The data of `updateUser`. A field that is left out stays as it is. */
export interface UpdateUserData extends MemberData {
	/** The new name. */
	userName?: string;
	/** The new metadata, any JSON value. `null` removes it. */
	metadata?: unknown;
}

/** A connection of the client itself, and all that goes over it. */
export interface OwnConnectionData extends Pick<PushSuccess, 'pushers' | 'dataPushers'>, Omit<OfferData, 'sdp'> {
	/** Who makes the offers on it. */
	offeredBy: 'client' | 'server';
}

/** The success data of `heartbeat`. */
export interface HeartbeatSuccess extends MemberData {
	/** Always 0. */
	code: 0;
	/** Always `ok`. */
	message: 'ok';
}

/** One track that the client receives. */
export interface PullerData {
	/** The id of the puller. */
	pullerId: string;
	/** The id of the pusher that it receives. */
	pusherId: string;
	/** The user that sends. */
	userId: string;
	/** The mid of its m-line. */
	mid: string | undefined;
	/** The same as `source` of its pusher. Missing if it has none. */
	source?: string;
	/** The same as `metadata` of its pusher. Missing if it has none. */
	metadata?: unknown;
}

/** The success data of `pull` with the client's own offer. */
export interface PullSuccess extends Success<'pull'> {
	/** The answer: a string, not an object. */
	sdp: string;
	/** The id of the connection. */
	connectionId: string;
	/** All media pullers of the connection. */
	pullers: PullerData[];
	/** All data channels that the connection pulls. Missing if there are none. */
	dataPullers?: DataPullerData[];
}

/** An offer of the server: the data of the request `offer`, and part of the success data of `pull`. */
export interface OfferData {
	/** The id of the connection. */
	connectionId: string;
	/** The offer. */
	sdp: OfferSdp;
	/** All media pullers that the connection has after the answer. */
	pullers: PullerData[];
	/** All data channels that the connection pulls after the answer. Missing if there are none. */
	dataPullers?: DataPullerData[];
}

/** The success data of `pull` without an offer. */
export interface PullOffered extends OfferData, Success<'pull'> {}

/** The success data of `pull` with `autoPull`. */
export interface AutoPullSuccess extends Success<'pull'> {
	/** The connection that the server's offers will be for. */
	connectionId: string;
}

/** The success data of requests that pause and resume. */
export interface PausedSuccess<Method extends string> extends Success<Method> {
	/** Whether the pusher or puller is paused now. A resume does not end a pause by the app. */
	paused: boolean;
}

/** The success data of `setPreferredLayers`: the layers from now on. */
export interface PreferredLayersSuccess extends Success<'setPreferredLayers'> {
	/** The spatial layer or the simulcast layer. */
	spatialLayer: number;
	/** The temporal layer. */
	temporalLayer?: number;
}

/** The types of one request. */
export interface RequestTypes<Data, Response> {
	/** The data of the request. */
	data: Data;
	/** The data of its success. */
	response: Response;
}

/** The requests that a client may send, by their names. Each names the room and the user that joined on the socket. */
export interface ClientRequests {
	/** Joins a room, or comes back to it. */
	join: RequestTypes<JoinData, JoinSuccess>;
	/** Leaves the room. The socket may join again. */
	leave: RequestTypes<MemberData, Success<'leave'>>;
	/** Changes the name or the metadata of the client's own user. */
	updateUser: RequestTypes<UpdateUserData, Success<'updateUser'>>;
	/** Asks the app something of its own. */
	appRequest: RequestTypes<ClientAppMessageData, AppRequestSuccess>;
	/** Sends a text to the others. As a notification it has no response. */
	textMessage: RequestTypes<TextMessageData, Success<'textMessage'>>;
	/** Used by RTCPilot's web client. Other clients do not need it, since the server pings each WebSocket. */
	heartbeat: RequestTypes<MemberData, HeartbeatSuccess>;
	/** Offers a connection that sends, or changes it. */
	push: RequestTypes<PushData, PushSuccess>;
	/** Closes pushers. */
	unpush: RequestTypes<UnpushData, Success<'unpush'>>;
	/** Pauses a pusher. */
	pausePusher: RequestTypes<PusherIdData, PausedSuccess<'pausePusher'>>;
	/** Resumes a pusher that the client has paused. */
	resumePusher: RequestTypes<PusherIdData, PausedSuccess<'resumePusher'>>;
	/** Changes the source or the metadata of a pusher. */
	updatePusher: RequestTypes<UpdatePusherData, Success<'updatePusher'>>;
	/** Pulls pushers: with the client's own offer, with an offer of the server, or everything automatically. */
	pull:
		| RequestTypes<PullData, PullSuccess>
		| RequestTypes<PullOfferedData, PullOffered>
		| RequestTypes<AutoPullData, AutoPullSuccess>;
	/** Prefers the videos of a user, when `autoPull` has a limit. */
	pin: RequestTypes<PinData, Success<'pin'>>;
	/** Prefers them no more. */
	unpin: RequestTypes<PinData, Success<'unpin'>>;
	/** Closes pullers. */
	unpull: RequestTypes<UnpullData, Success<'unpull'>>;
	/** Pauses a puller. */
	pausePuller: RequestTypes<PullerIdData, PausedSuccess<'pausePuller'>>;
	/** Resumes a puller that the client has paused. */
	resumePuller: RequestTypes<PullerIdData, PausedSuccess<'resumePuller'>>;
	/** Asks the sender of a video puller for a keyframe. */
	requestKeyframe: RequestTypes<PullerIdData, Success<'requestKeyframe'>>;
	/** Sets the highest layers that a video puller receives. */
	setPreferredLayers: RequestTypes<PreferredLayersData, PreferredLayersSuccess>;
	/** Answers an offer of the server. */
	answer: RequestTypes<AnswerData, Success<'answer'>>;
	/** Closes a connection, with all that goes over it. */
	closeConnection: RequestTypes<ConnectionIdData, Success<'closeConnection'>>;
	/** Restarts ICE on a connection for which the server offers. An offer follows. */
	restartIce: RequestTypes<ConnectionIdData, Success<'restartIce'>>;
}

/** The data of a client's request. */
export type RequestData<Method extends keyof ClientRequests> = ClientRequests[Method]['data'];

/** The success data of a client's request. For `pull` it depends on the form of `Data`. */
export type ResponseData<
	Method extends keyof ClientRequests,
	Data extends RequestData<Method> = RequestData<Method>,
> = ClientRequests[Method] extends infer Form
	? Form extends RequestTypes<infer Accepted, infer Response>
		? [Extract<Data, Accepted>] extends [never]
			? never
			: Response
		: never
	: never;

/** The data of each notification that a client may send, by its name. */
export interface ClientNotifications {
	/** Sends a text to the others. */
	textMessage: TextMessageData;
	/** Tells the app something of its own. */
	appMessage: ClientAppMessageData;
}

/** The success data of the server's request `offer`. */
export interface OfferResponse {
	/** The answer. */
	sdp: AnswerSdp;
}

/** The requests that the server may send, by their names. */
export interface ServerRequests {
	/** Offers a new or changed connection. If the client responds with a failure, the pullers that it adds close. */
	offer: RequestTypes<OfferData, OfferResponse>;
	/** Asks the client something of the app's own. A client that does not know the name responds with the failure 404. */
	appRequest: RequestTypes<AppMessageData, AppResponse>;
}
