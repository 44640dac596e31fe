import type { Socket } from '../Socket.js';

/** What is used of a socket of the `ws` package, which is also the one of @fastify/websocket. */
export interface WebSocketLike {
	readonly readyState: number;
	readonly bufferedAmount: number;
	send(data: string, callback: (error?: Error | null) => void): void;
	close(code: number, reason: string): void;
	terminate(): void;
	ping(): void;
	on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown;
	on(event: 'pong', listener: () => void): unknown;
	on(event: 'close', listener: (code: number) => void): unknown;
	on(event: 'error', listener: (error: Error) => void): unknown;
}

const open = 1;
const closedState = 3;

// How long the other side may take to answer our close, in ms. `ws` itself waits 30 s.
const closeTimeout = 5000;

export interface WebSocketOptions {
	/**
	 * How often the client's end is asked whether it is still there (RFC 6455, section 5.5.2), in ms. One that is silent
	 * for twice as long is lost. 0 asks never. Default 15,000.
	 */
	pingInterval?: number;
}

/** A `ws` WebSocket as a {@link Socket}. */
export function fromWebSocket(webSocket: WebSocketLike, { pingInterval = 15_000 }: WebSocketOptions = {}): Socket {
	return {
		get bufferedAmount() {
			return webSocket.bufferedAmount;
		},
		send: (text) => {
			// A failure to send is followed by `close`, which is where it is handled.
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
			// Without a listener it would be thrown; `close` follows it.
			webSocket.on('error', () => undefined);
			// What was closed before tells nobody any more.
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

/** A network that is cut closes no socket; a client that does not answer has gone. */
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
