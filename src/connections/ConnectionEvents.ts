import type { Quality } from '../stats/quality.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';

/** Why a connection has closed. */
export type ConnectionCloseReason =
	/** {@link Connection.close} was called without a reason. */
	| 'closed'
	/** Its user has left. */
	| 'userLeft'
	/** The client closed its RTCPeerConnection, or the DTLS handshake failed. */
	| 'dtlsClosed'
	/** The DTLS handshake did not finish within `webRtc.connectTimeout`. */
	| 'connectTimeout'
	/** The client was silent for `webRtc.consentTimeout`, and did not come back within `webRtc.disconnectTimeout`. */
	| 'disconnected'
	/** Its first offer could not be made or answered. */
	| 'negotiationFailed'
	/** The client refused an offer of the server, or its answer could not be applied. */
	| 'offerFailed'
	/** The client did not answer the first offer of the server within `webRtc.answerTimeout`. */
	| 'answerTimeout'
	/** Its media worker died. */
	| 'workerDied'
	/** The client has begun again on another connection, and said so (`replaces`). */
	| 'replaced'
	| (string & {});

/** The state of the transport. */
export type ConnectionState = 'new' | 'connected' | 'disconnected' | 'closed';

/** The events of a connection. */
export type ConnectionEvents = {
	/** The state has changed to `connected` or `disconnected`. */
	stateChanged: (event: { state: Exclude<ConnectionState, 'closed'> }) => void;
	/** The quality has changed, or is known for the first time. */
	qualityChanged: (event: { quality: Quality }) => void;
	/** The client sends more than before: tracks that one offer added, or a data channel. */
	pushersAdded: (event: { pushers: readonly AnyPusher[] }) => void;
	/**
	 * The client receives more than before. `inBand` is true for a data channel that no offer and no answer tells of: the
	 * client only gets `ondatachannel`.
	 */
	pullersAdded: (event: { pullers: readonly AnyPuller[]; inBand: boolean }) => void;
	/** The connection has closed. Emitted once, last. */
	closed: (event: { reason: ConnectionCloseReason }) => void;
};
