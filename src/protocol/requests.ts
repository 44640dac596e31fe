import type { ActiveSpeakerData, ChannelData, DataPullerData, OwnDataPusherData, UserData } from './notifications.js';

/** An offer as `RTCPeerConnection.setLocalDescription()` makes it. */
export interface OfferSdp {
	type: 'offer';
	sdp: string;
}

/** An answer as `RTCPeerConnection.setLocalDescription()` makes it. */
export interface AnswerSdp {
	type: 'answer';
	sdp: string;
}

/** Every request names the room and the user that joined on the socket. Others are refused with 403. */
export interface MemberData {
	roomId: string;
	userId: string;
}

/** The data of `join`. */
export interface JoinData extends MemberData {
	/** For people to read. */
	userName: string;
}

/** One m-line that `push` says more about than its offer does. */
export interface PushMediaData {
	/** The mid of the m-line. */
	mid: string;
	/** `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own. `null` removes it. */
	source?: string | null;
	/** Any JSON value of the app's own. `null` removes it. */
	metadata?: unknown;
	/** The layers of VP9 or AV1, for example `L3T3_KEY`. SDP does not tell them. */
	scalabilityMode?: string;
	/** The names of the codecs to use, the preferred one first. Default: in the order of the room. */
	codecs?: readonly string[];
	/** The bitrate that the client shall not exceed, in bit/s. 0 for no bound. Default 0. */
	maxBitrate?: number;
}

/** A data channel that the client opens with `negotiated: true`, in the words of `createDataChannel()`. */
export interface PushChannelData extends Partial<ChannelData> {
	/** The `id` of the RTCDataChannel. */
	id: number;
	source?: string | null;
	metadata?: unknown;
}

/** The data of `push`. */
export interface PushData extends MemberData {
	sdp: OfferSdp;
	media?: PushMediaData[];
	/** Data channels with negotiated ids. The server notices the others when the client opens them. */
	data?: PushChannelData[];
}

/** One pusher to pull. */
export interface PullSpecData {
	type: 'audio' | 'video' | 'data';
	pusher_id: string;
	/** Whether the client opens the data channel itself, with `negotiated: true`. Default false. */
	negotiated?: boolean;
}

/** The data of `pull` with the client's own offer. */
export interface PullData extends MemberData {
	/** The user to pull from. */
	targetUserId: string;
	/** Each takes the next m-line of its kind that receives. */
	specs: PullSpecData[];
	sdp: OfferSdp;
}

/** The data of `pull` without an offer: the server makes one. */
export interface PullOfferedData extends Omit<PullData, 'sdp'> {
	sdp?: never;
}

/** The data of `pull` for all that the others push, now and later. The server offers by requests. */
export interface AutoPullData extends MemberData {
	autoPull: true;
}

/** The data of `answer`: answers an offer of the server. */
export interface AnswerData extends MemberData {
	connectionId: string;
	sdp: AnswerSdp;
}

/** The data of `restartIce`. */
export interface ConnectionIdData extends MemberData {
	connectionId: string;
}

/** The data of requests about one pusher. */
export interface PusherIdData extends MemberData {
	pusherId: string;
}

/** The data of `updatePusher`. A field that is left out stays as it is. */
export interface UpdatePusherData extends PusherIdData {
	source?: string | null;
	metadata?: unknown;
}

/** The data of requests about one puller. */
export interface PullerIdData extends MemberData {
	pullerId: string;
}

/** The data of `setPreferredLayers`. Layers count from 0, the lowest. */
export interface PreferredLayersData extends PullerIdData {
	spatialLayer: number;
	/** Default: the highest. */
	temporalLayer?: number;
}

/** The data of `unpush`. */
export interface UnpushData extends MemberData {
	/** At most 1000. */
	pusherIds: string[];
}

/** The data of `unpull`. */
export interface UnpullData extends MemberData {
	/** At most 1000. */
	pullerIds: string[];
}

/** The data of the notification `textMessage`, from a client. */
export interface TextMessageData extends MemberData {
	/** Not used: the others are told the name that the user joined with. */
	userName?: string;
	message: string;
	/** The client's own time, in any form. */
	time?: number | string;
}

/** The success data of a request that tells nothing more. */
export interface Success<Method extends string> {
	code: 0;
	message: `${Method} success`;
}

/** The success data of `join`. */
export interface JoinSuccess extends Success<'join'> {
	/** All others in the room. */
	users: UserData[];
	/** Whether the user was in the room already, and goes on with what it pushes and pulls. */
	resumed: boolean;
	/** Only when somebody speaks at the moment. */
	activeSpeaker?: ActiveSpeakerData;
}

/** The success data of `push`. */
export interface PushSuccess extends Success<'push'> {
	/** The answer: a string, not an object. */
	sdp: string;
	connectionId: string;
	/** All that the connection receives, in the order of the m-lines. */
	pushers: { pusherId: string; mid: string | undefined; kind: 'audio' | 'video' }[];
	/** Only when there are any. */
	dataPushers?: OwnDataPusherData[];
}

/** One track that the client receives. */
export interface PullerData {
	pullerId: string;
	pusherId: string;
	/** The user that pushes it. */
	userId: string;
	/** The mid of its m-line. */
	mid: string | undefined;
}

/** The success data of `pull` with the client's own offer. */
export interface PullSuccess extends Success<'pull'> {
	/** The answer: a string, not an object. */
	sdp: string;
	connectionId: string;
	/** All that the connection carries. */
	pullers: PullerData[];
	/** Only when there are any. */
	dataPullers?: DataPullerData[];
}

/** An offer of the server, as the request `offer` and the success data of `pull` have it. */
export interface OfferData {
	connectionId: string;
	sdp: OfferSdp;
	/** All that the connection carries once the offer is answered. */
	pullers: PullerData[];
	/** Only when there are any. */
	dataPullers?: DataPullerData[];
}

/** The success data of `pull` without an offer. */
export interface PullOffered extends OfferData, Success<'pull'> {}

/** The success data of `pull` for all that the others push. */
export interface AutoPullSuccess extends Success<'pull'> {
	connectionId: string;
}

/** The success data of requests that pause and resume. */
export interface PausedSuccess<Method extends string> extends Success<Method> {
	/** Whether it is paused now. The app may have paused it, too. */
	paused: boolean;
}

/** What a client may ask: the data of each request, and the data of its success. `pull` has three forms. */
export interface ClientRequests {
	join: { data: JoinData; response: JoinSuccess };
	leave: { data: MemberData; response: Success<'leave'> };
	/** Of RTCPilot's web client. Others need none, since the server pings each WebSocket. */
	heartbeat: { data: MemberData; response: MemberData & { code: 0; message: 'ok' } };
	push: { data: PushData; response: PushSuccess };
	unpush: { data: UnpushData; response: Success<'unpush'> };
	pausePusher: { data: PusherIdData; response: PausedSuccess<'pausePusher'> };
	resumePusher: { data: PusherIdData; response: PausedSuccess<'resumePusher'> };
	updatePusher: { data: UpdatePusherData; response: Success<'updatePusher'> };
	pull:
		| { data: PullData; response: PullSuccess }
		| { data: PullOfferedData; response: PullOffered }
		| { data: AutoPullData; response: AutoPullSuccess };
	unpull: { data: UnpullData; response: Success<'unpull'> };
	pausePuller: { data: PullerIdData; response: PausedSuccess<'pausePuller'> };
	resumePuller: { data: PullerIdData; response: PausedSuccess<'resumePuller'> };
	requestKeyframe: { data: PullerIdData; response: Success<'requestKeyframe'> };
	/** The response has the layers that hold from now on. */
	setPreferredLayers: {
		data: PreferredLayersData;
		response: Success<'setPreferredLayers'> & { spatialLayer: number; temporalLayer?: number };
	};
	answer: { data: AnswerData; response: Success<'answer'> };
	/** Restarts ICE on a connection for which the server offers. An offer follows. */
	restartIce: { data: ConnectionIdData; response: Success<'restartIce'> };
}

/** The data of a client's request. */
export type RequestData<Method extends keyof ClientRequests> = ClientRequests[Method]['data'];

/** The data of the success of a client's request. The form of `Data` tells which one of `pull` it is. */
export type ResponseData<
	Method extends keyof ClientRequests,
	Data extends RequestData<Method> = RequestData<Method>,
> = ClientRequests[Method] extends infer Form
	? Form extends { data: infer Accepted; response: infer Response }
		? [Extract<Data, Accepted>] extends [never]
			? never
			: Response
		: never
	: never;

/** What a client may tell, without a response. */
export interface ClientNotifications {
	textMessage: TextMessageData;
}

/** The success data of the server's request `offer`. */
export interface OfferResponse {
	sdp: AnswerSdp;
}

/** What the server may ask: the data of each request, and the data of its success. */
export interface ServerRequests {
	/** A connection for which the server offers has changed. A failure closes what the offer has added. */
	offer: { data: OfferData; response: OfferResponse };
}
