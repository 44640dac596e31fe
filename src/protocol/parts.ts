/** A room, and one of its users. */
export interface MemberData {
	/** The id of the room. */
	roomId: string;
	/** The id of the user. */
	userId: string;
}

/** An offer as `RTCPeerConnection.setLocalDescription()` makes it. */
export interface OfferSdp {
	/** The type of the description. */
	type: 'offer';
	/** The SDP. */
	sdp: string;
}

/** An answer as `RTCPeerConnection.setLocalDescription()` makes it. */
export interface AnswerSdp {
	/** The type of the description. */
	type: 'answer';
	/** The SDP. */
	sdp: string;
}

/** The success data that all requests but `heartbeat` have. */
export interface Success<Method extends string> {
	/** Always 0. */
	code: 0;
	/** For people to read. */
	message: `${Method} success`;
	/**
	 * The fields of the request that the server does not know, such as `specs.0.pusherId`; the first ten. It has handed them to
	 * the app, and has done nothing with them. Missing if there are none, and with the option `rtcpilot`.
	 */
	unknownFields?: string[];
}

/** The data of `messageRefused`. */
export interface MessageRefusedData {
	/** The code of the error, as in the response to a request that failed. */
	errorCode: number;
	/** The reason, for people to read. */
	errorReason: string;
	/** The name of the notification. Missing if the message was none. */
	method?: string;
}

/** Why a puller of the client is paused or resumed, without the client. */
export interface PullerPauseCause {
	/** `app`: the app has done it. `bandwidth`: the link of the client does not bear the video, or bears it again. */
	cause: 'app' | 'bandwidth';
}

/** Whether anybody wants one stream of a simulcast. */
export interface WantedEncodingData {
	/** The rid of the stream in SDP. Missing for simulcast by SSRCs. */
	rid?: string;
	/** What the client is to set as `active` of the encoding by `RTCRtpSender.setParameters()`. */
	active: boolean;
}
