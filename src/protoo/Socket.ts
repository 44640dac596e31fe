/** The functions that a socket calls. */
export interface SocketHandlers {
	/** Takes a message: text as a string, a binary frame as `undefined`, since the protocol has none. */
	message: (text: string | undefined) => void;
	/** Called once, after the socket has closed for any reason. `code` is that of WebSocket (RFC 6455, section 7.4). */
	closed: (code: number) => void;
}

/**
 * The transport that the adapter needs: reliable, ordered text messages in both directions. {@link fromWebSocket} and
 * {@link createSocketPair} make such sockets, and are examples for others.
 */
export interface Socket {
	/** The number of bytes that wait to be sent. */
	readonly bufferedAmount: number;
	/**
	 * Sends a message. Does nothing if the socket is closed, and never throws.
	 *
	 * @param text - the message
	 */
	send(text: string): void;
	/**
	 * Closes the socket. {@link SocketHandlers.closed} follows.
	 *
	 * @param code - the code for the Close frame
	 * @param reason - the reason for the Close frame
	 */
	close(code: number, reason: string): void;
	/**
	 * Takes the handlers. The adapter calls it once. If the socket is closed already, {@link SocketHandlers.closed} follows.
	 *
	 * @param handlers - the functions to call
	 */
	listen(handlers: SocketHandlers): void;
}
