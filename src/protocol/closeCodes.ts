/**
 * The codes that a WebSocket is closed with (RFC 6455, section 7.4.1).
 *
 * After 1006, 1008, 1009 and 1013 the user stays for `reconnectTimeout`. A client that connects and joins again with its
 * `resumeToken` within this time goes on with everything that it pushed and pulled. After 1001 from the server the user has left, and the
 * client joins anew. After 4000 the client must not connect again, since another client speaks for its user.
 */
export const closeCodes = {
	/** The client has finished, and its user leaves at once. */
	normal: 1000,
	/** From the server: it shuts down, and the user has left. From the client: its page is gone, and its user leaves. */
	goingAway: 1001,
	/** The client has closed its socket without a code, and its user leaves at once. Never sent. */
	noCode: 1005,
	/** The socket was lost without a closing handshake. The user may come back. Never sent. */
	lost: 1006,
	/** The client has sent too many messages, or too many messages that are not of the protocol. */
	policyViolation: 1008,
	/** The client has sent a message of more than sixteen times `limits.messageLength`. */
	tooLarge: 1009,
	/** The client reads too slowly: more than `limits.bufferedBytes` wait for it. */
	tooSlow: 1013,
	/** The same user has joined on another socket. The notification `replaced` comes first. */
	replaced: 4000,
} as const;
