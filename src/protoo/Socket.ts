/** What a socket tells the adapter. */
export interface SocketHandlers {
	/** A message has come. Text as a string; binary frames as `undefined`, as the protocol has none. */
	message: (text: string | undefined) => void;
	/** The socket is gone, for whatever reason; called once. `code` is one of WebSocket (RFC 6455, section 7.4). */
	closed: (code: number) => void;
}

/**
 * All that the adapter needs of a socket: reliable, ordered text messages both ways. Anything that has them can carry
 * the protocol; {@link fromWebSocket} and {@link createSocketPair} show how little there is to write.
 */
export interface Socket {
	/** The bytes that {@link Socket.send} has taken and the network has not. */
	readonly bufferedAmount: number;
	/** Sends a message. Does nothing when the socket is closed, and never throws. */
	send(text: string): void;
	/** Closes the socket, with a code and a reason of WebSocket. Leads to {@link SocketHandlers.closed}. */
	close(code: number, reason: string): void;
	/**
	 * Called once, by the adapter that the socket is given to. When the socket is closed already,
	 * {@link SocketHandlers.closed} is called soon after.
	 */
	listen(handlers: SocketHandlers): void;
}
