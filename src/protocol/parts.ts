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
}
