import type { Socket } from '../Socket.js';

/** The members of a WebSocket of `ws` that {@link fromWebSocket} uses. `@fastify/websocket` has the same class. */
export interface WebSocketLike {
	/** The state: 1 is open, 3 is closed. */
	readonly readyState: number;
	/** The number of bytes that wait to be sent. */
	readonly bufferedAmount: number;
	/** Sends a text frame, then calls `callback`. */
	send(data: string, callback: (error?: Error | null) => void): void;
	/** Begins the closing handshake. */
	close(code: number, reason: string): void;
	/** Closes the socket without a handshake. */
	terminate(): void;
	/** Sends a Ping frame. */
	ping(): void;
	/** Listens for messages. */
	on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown;
	/** Listens for Pong frames. */
	on(event: 'pong', listener: () => void): unknown;
	/** Listens for the end of the socket. */
	on(event: 'close', listener: (code: number) => void): unknown;
	/** Listens for errors. */
	on(event: 'error', listener: (error: Error) => void): unknown;
}

const open = 1;
const closedState = 3;

// How long the client may take to answer the closing handshake, in ms. `ws` itself waits 30 s.
const closeTimeout = 5000;

/** The options of {@link fromWebSocket}. */
export interface WebSocketOptions {
	/**
	 * The interval between Ping frames (RFC 6455, section 5.5.2), in ms. A client that is silent for two intervals is lost.
	 * 0 sends none. Default 15,000.
	 */
	pingInterval?: number;
}

/**
 * Makes a {@link Socket} of a WebSocket of `ws`.
 *
 * @param webSocket - the WebSocket
 * @param options - see {@link WebSocketOptions}
 */
export function fromWebSocket(webSocket: WebSocketLike, { pingInterval = 15_000 }: WebSocketOptions = {}): Socket {
	return {
		get bufferedAmount() {
			return webSocket.bufferedAmount;
		},
		send: (text) => {
			// The event `close` follows a failed send.
			if (webSocket.readyState === open) webSocket.send(text, () => undefined);
		},
		close: (code, reason) => {
			webSocket.close(code, reason);
			const timer = setTimeout(() => {
				webSocket.terminate();
			}, closeTimeout);
			webSocket.on('close', () => {
				clearTimeout(timer);
			});
		},
		listen: ({ message, closed }) => {
			webSocket.on('message', (data, isBinary) => {
				message(isBinary ? undefined : String(data));
			});
			webSocket.on('close', closed);
			// Without a listener Node would throw the error. The event `close` follows it.
			webSocket.on('error', () => undefined);
			// A closed WebSocket does not emit `close` again.
			if (webSocket.readyState === closedState) {
				queueMicrotask(() => {
					closed(1006);
				});
			} else if (pingInterval > 0) {
				keepAlive(webSocket, pingInterval);
			}
		},
	};
}

/** Terminates the socket of a client that does not answer pings, since a broken network does not close it. */
function keepAlive(webSocket: WebSocketLike, interval: number): void {
	let unanswered = 0;
	const timer = setInterval(() => {
		if (unanswered >= 2) webSocket.terminate();
		else if (webSocket.readyState === open) webSocket.ping();
		unanswered++;
	}, interval);
	const answered = () => {
		unanswered = 0;
	};
	webSocket.on('pong', answered);
	webSocket.on('message', answered);
	webSocket.on('close', () => {
		clearInterval(timer);
	});
}
