/** What was negotiated with a pusher, in the pusher's own numbers. 0 stands for what there is none of. */
export interface RtpParam {
	av_type: 'audio' | 'video';
	codec: string;
	clock_rate: number;
	/** Audio only. */
	channel?: number;
	payload_type: number;
	fmtp_param: string;
	rtcp_features: string[];
	ssrc: number;
	rtx_ssrc: number;
	rtx_payload_type: number;
	use_nack: boolean;
	/** Video only: PLI or FIR is negotiated. */
	key_request?: boolean;
	mid_ext_id: number;
	tcc_ext_id: number;
	/** Only of a simulcast that has rids, lowest first; `ssrc` is 0 then. */
	encodings?: { rid: string }[];
}

export interface PusherData {
	pusherId: string;
	rtpParam: RtpParam;
	/** Only when it is paused at the moment. */
	paused?: true;
	/** What it is, as its user says: `camera`, `microphone`, `screen`, `screenAudio`, … Only when that was said. */
	source?: string;
	/** The app's own. Only when there is any. */
	metadata?: unknown;
}

/** How a data channel was opened, in the words of `createDataChannel()`. */
export interface ChannelData {
	label: string;
	protocol: string;
	ordered: boolean;
	/** Only when it has that limit. */
	maxPacketLifeTime?: number;
	/** Only when it has that limit. */
	maxRetransmits?: number;
}

/** A data channel that a user sends on. */
export interface DataPusherData extends ChannelData {
	pusherId: string;
	/** Only when it is paused at the moment. */
	paused?: true;
	source?: string;
	metadata?: unknown;
}

export interface UserData {
	userId: string;
	userName: string;
	/** Video before audio. */
	pushers: PusherData[];
	/** Only when there are any. They are not among the pushers, since clients look for the codec of each of those. */
	dataPushers?: DataPusherData[];
}

/** A data channel of the client's own. */
export interface OwnDataPusherData {
	pusherId: string;
	/** That of the RTCDataChannel. */
	id: number;
	label: string;
}

/** A data channel that is sent to the client. */
export interface DataPullerData {
	pullerId: string;
	pusherId: string;
	userId: string;
	/** That of the RTCDataChannel. */
	id: number;
}

/** What a user wrote to the others. */
export interface TextMessage {
	roomId: string;
	userId: string;
	userName: string;
	message: string;
	/** The client's own time, as it wrote it. */
	time?: number | string | undefined;
}

/** Who speaks; `null` when nobody does. */
export interface ActiveSpeakerData {
	roomId: string;
	userId: string | null;
	pusherId: string | null;
}

/** What the server tells clients unasked. */
export interface Notifications {
	newUser: UserData[];
	newPusher: UserData & { roomId: string };
	newDataPusher: { roomId: string; userId: string; userName: string; dataPushers: DataPusherData[] };
	/** To the client itself: a data channel that it has opened is pushed. */
	dataChannelPushed: { connectionId: string; dataPushers: OwnDataPusherData[] };
	/** To the client itself: data channels come over an RTCPeerConnection for which the server offers, without an offer. */
	dataChannelPulled: { connectionId: string; dataPullers: DataPullerData[] };
	userLeft: string[];
	pusherClosed: { roomId: string; userId: string; pusherIds: string[] };
	/** Told to the user's own client, too, when the app has done it. */
	pusherPaused: { roomId: string; userId: string; pusherIds: string[] };
	pusherResumed: { roomId: string; userId: string; pusherIds: string[] };
	/** What holds from now on; `null` for what there is none of. */
	pusherChanged: {
		roomId: string;
		userId: string;
		pushers: { pusherId: string; source: string | null; metadata: unknown }[];
	};
	/** The app has done it. */
	/** `null` for both when nothing is sent. */
	layersChanged: {
		pullerId: string;
		pusherId: string;
		userId: string;
		spatialLayer: number | null;
		temporalLayer: number | null;
	};
	pullerPaused: { pullerId: string; pusherId: string; userId: string };
	pullerResumed: { pullerId: string; pusherId: string; userId: string };
	/** Who speaks from now on. */
	activeSpeaker: ActiveSpeakerData;
	/** In dBov, -127 to 0, the loudest first. */
	audioLevels: { roomId: string; levels: { userId: string; pusherId: string; volume: number }[] };
	/** How well one of the client's own connections carries what it carries. */
	qualityChanged: { connectionId: string; quality: 'excellent' | 'good' | 'poor' | 'lost' };
	pullerClosed: { pullerId: string; pusherId: string; userId: string; connectionId: string; reason: string };
	mediaLost: { connectionIds: string[] };
	/** One for which the server offers is over, for any reason but the client's leaving and the end of a media worker. */
	connectionClosed: { connectionId: string; reason: string };
	roomClosed: { roomId: string; reason: string };
	kicked: { roomId: string; reason: string };
	textMessage: TextMessage;
	userDisconnect: { roomId: string; userId: string };
	userReconnect: { roomId: string; userId: string; userName: string };
	userLeave: { roomId: string; userId: string };
}

export interface JoinSuccess {
	code: 0;
	message: 'join success';
	users: UserData[];
	/** Whether the user was in the room already, and goes on with what it pushes and pulls. */
	resumed: boolean;
	/** Who speaks at the moment. Only when somebody does. */
	activeSpeaker?: ActiveSpeakerData;
}

export interface PushSuccess {
	code: 0;
	message: 'push success';
	/** The answer: a string, not an object. */
	sdp: string;
	connectionId: string;
	pushers: { pusherId: string; mid: string | undefined; kind: 'audio' | 'video' }[];
	/** Only when there are any. */
	dataPushers?: OwnDataPusherData[];
}

export interface PullSuccess {
	code: 0;
	message: 'pull success';
	/** The answer: a string, not an object. */
	sdp: string;
	connectionId: string;
	/** All that the connection carries. */
	pullers: PullerData[];
	/** Only when there are any. */
	dataPullers?: DataPullerData[];
}

export interface PullerData {
	pullerId: string;
	pusherId: string;
	/** Whose pusher it is. */
	userId: string;
	/** The m-line that carries it. */
	mid: string | undefined;
}

/** An offer of the server. */
export interface OfferData {
	connectionId: string;
	sdp: { type: 'offer'; sdp: string };
	/** All that the connection carries by it. */
	pullers: PullerData[];
	/** The same of data channels. Only when there are any. */
	dataPullers?: DataPullerData[];
}

/** A pull without an offer. */
export interface PullOffered extends OfferData {
	code: 0;
	message: 'pull success';
}

/** A pull of everything; offers come by requests of the server. */
export interface AutoPullSuccess {
	code: 0;
	message: 'pull success';
	connectionId: string;
}

/** What the server asks clients; each responds to `offer` with `{ sdp: { type: 'answer', sdp } }`. */
export interface ServerRequests {
	offer: OfferData;
}
