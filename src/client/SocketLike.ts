/** A handler, or none. */
export type SocketHandler<Event> =
	| {
			/** Takes an event. */
			handle(event: Event): void;
	  }['handle']
	| null;

/** A text that has come. */
export interface SocketMessage {
	/** The text. */
	data: unknown;
}

/** How a socket was closed. */
export interface SocketClosed {
	/** The code: see the close codes of the protocol. */
	code: number;
	/** The reason, for people to read. */
	reason: string;
}

/**
 * What the client needs of a socket. A WebSocket has it. Anything else that carries texts in both directions, in order, can
 * have it, too.
 */
export interface SocketLike {
	/** Sends a text. */
	send(text: string): void;
	/** Closes the socket. The server must see the code: 1000 says that the user leaves, 4001 that it comes back. */
	close(code: number): void;
	/** Is called when the socket is open. */
	onopen: SocketHandler<unknown>;
	/** Is called with each text. */
	onmessage: SocketHandler<SocketMessage>;
	/** Is called when the socket has closed, or could not be opened. */
	onclose: SocketHandler<SocketClosed>;
}
