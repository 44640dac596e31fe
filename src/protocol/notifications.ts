/** The parameters that were negotiated with a pusher, in the pusher's own numbers. 0 stands for none. */
export interface RtpParam {
	av_type: 'audio' | 'video';
	/** The encoding name of SDP, for example `opus`, `VP8` or `H264`. */
	codec: string;
	clock_rate: number;
	/** The number of channels. Audio only. */
	channel?: number;
	payload_type: number;
	/** The value of `a=fmtp` in the answer, `""` for none. */
	fmtp_param: string;
	/** As in SDP, for example `nack pli` or `transport-cc`. */
	rtcp_features: string[];
	ssrc: number;
	rtx_ssrc: number;
	rtx_payload_type: number;
	use_nack: boolean;
	/** Whether PLI or FIR was negotiated. Video only. */
	key_request?: boolean;
	mid_ext_id: number;
	tcc_ext_id: number;
	/** Only for simulcast with rids, the lowest first; `ssrc` is 0 then. */
	encodings?: { rid: string }[];
}

/** A track that a user sends. */
export interface PusherData {
	pusherId: string;
	rtpParam: RtpParam;
	/** Only while it is paused. */
	paused?: true;
	/** `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own. Only when its user has said so. */
	source?: string;
	/** The app's own. Only when there is any. */
	metadata?: unknown;
}

/** How a data channel was opened, in the words of `createDataChannel()`. */
export interface ChannelData {
	label: string;
	protocol: string;
	ordered: boolean;
	/** In ms. Only when it has that limit. */
	maxPacketLifeTime?: number;
	/** Only when it has that limit. */
	maxRetransmits?: number;
}

/** A data channel that a user sends on. */
export interface DataPusherData extends ChannelData {
	pusherId: string;
	/** Only while it is paused. */
	paused?: true;
	/** As that of {@link PusherData}. */
	source?: string;
	/** The app's own. Only when there is any. */
	metadata?: unknown;
}

/** A user, and what it pushes. */
export interface UserData {
	userId: string;
	userName: string;
	/** Video before audio. */
	pushers: PusherData[];
	/** Only when there are any. They are not among `pushers`, since clients look for the codec of each of those. */
	dataPushers?: DataPusherData[];
}

/** A data channel that the client itself sends on. */
export interface OwnDataPusherData {
	pusherId: string;
	/** The id of the RTCDataChannel. */
	id: number;
	label: string;
}

/** A data channel that the client receives. */
export interface DataPullerData {
	pullerId: string;
	pusherId: string;
	/** The user that pushes it. */
	userId: string;
	/** The id of the RTCDataChannel. */
	id: number;
}

/** A text that a user wrote to the others. */
export interface TextMessage {
	roomId: string;
	userId: string;
	userName: string;
	message: string;
	/** The client's own time, as it wrote it. */
	time?: number | string | undefined;
}

/** The user who speaks, and its pusher; `null` when nobody does. */
export interface ActiveSpeakerData {
	roomId: string;
	userId: string | null;
	pusherId: string | null;
}

/** Some pushers of one user. */
export interface PusherIdsData {
	roomId: string;
	userId: string;
	pusherIds: string[];
}

/** A puller of the client, and the user that pushes what it receives. */
export interface PullerOfUserData {
	pullerId: string;
	pusherId: string;
	userId: string;
}

/** The notifications of the server. */
export interface Notifications {
	/** Users have joined. */
	newUser: UserData[];
	/** A user pushes more: only the new pushers. */
	newPusher: UserData & { roomId: string };
	/** A user pushes more data channels: only the new ones. */
	newDataPusher: { roomId: string; userId: string; userName: string; dataPushers: DataPusherData[] };
	/** The client has opened these data channels, and the server pushes them now. */
	dataChannelPushed: { connectionId: string; dataPushers: OwnDataPusherData[] };
	/** Data channels come without an offer over an RTCPeerConnection for which the server offers. */
	dataChannelPulled: { connectionId: string; dataPullers: DataPullerData[] };
	/** The ids of users who have left. */
	userLeft: string[];
	/** A user has stopped pushing these. Not sent for a user who leaves. */
	pusherClosed: PusherIdsData;
	/** A user has paused these. The user's own client is told only when the app has done it. */
	pusherPaused: PusherIdsData;
	/** As `pusherPaused`. */
	pusherResumed: PusherIdsData;
	/** The values from now on; `null` for none. */
	pusherChanged: {
		roomId: string;
		userId: string;
		pushers: { pusherId: string; source: string | null; metadata: unknown }[];
	};
	/** The client receives other layers than before. Both are `null` when it receives none. */
	layersChanged: PullerOfUserData & { spatialLayer: number | null; temporalLayer: number | null };
	/** The app has paused it. */
	pullerPaused: PullerOfUserData;
	/** The app has resumed it. */
	pullerResumed: PullerOfUserData;
	/** The client receives this no more. */
	pullerClosed: PullerOfUserData & { connectionId: string; reason: string };
	/** Another user speaks, or nobody does. */
	activeSpeaker: ActiveSpeakerData;
	/** The loudest first; `volume` in dBov, -127 to 0. */
	audioLevels: { roomId: string; levels: { userId: string; pusherId: string; volume: number }[] };
	/** The quality of one of the client's own connections. */
	qualityChanged: { connectionId: string; quality: 'excellent' | 'good' | 'poor' | 'lost' };
	/** A media worker has died, and these connections with it. Push and pull again on new RTCPeerConnections. */
	mediaLost: { connectionIds: string[] };
	/** A connection for which the server offers is over, but not because the client has left or a media worker died. */
	connectionClosed: { connectionId: string; reason: string };
	/** The room has been closed for everybody. */
	roomClosed: { roomId: string; reason: string };
	/** The app has made the user leave. */
	kicked: { roomId: string; reason: string };
	textMessage: TextMessage;
	/** With the option `rtcpilot`: the socket of a user was lost, who may come back. */
	userDisconnect: { roomId: string; userId: string };
	/** With the option `rtcpilot`: a user whose socket was lost has come back. */
	userReconnect: { roomId: string; userId: string; userName: string };
	/** With the option `rtcpilot`: a user has left. */
	userLeave: { roomId: string; userId: string };
}
