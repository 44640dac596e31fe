/** A STUN or TURN server, as the `iceServers` of an RTCPeerConnection take it (W3C WebRTC, RTCIceServer). */
export interface IceServer {
	/** One or more URLs, such as `stun:stun.example.com` and `turns:turn.example.com?transport=tcp` (RFC 7064, RFC 7065). */
	urls: string | string[];
	/** The name that the client gives. A TURN server has one. */
	username?: string;
	/** The password that the client gives. A TURN server has one. */
	credential?: string;
}
