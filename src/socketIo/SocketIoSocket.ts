/** What {@link SocketIoAdapter} gives to `authorize` of a socket by default: the handshake of Socket.IO. */
export interface SocketIoHandshake {
	/** What the client gave as `auth`. Nobody has checked it. */
	readonly auth: Readonly<Record<string, unknown>>;
	/** The headers of the request that opened the connection, with the cookies. */
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	/** The address of the client, or of the proxy before it. */
	readonly address: string;
	/** The URL of the request. */
	readonly url: string;
}

/** The members of a `Socket` of Socket.IO 4 that {@link SocketIoAdapter} uses. */
export interface SocketIoSocket {
	/** Whether it is connected. */
	readonly connected: boolean;
	/** How it was opened. */
	readonly handshake: SocketIoHandshake;
	/** The connection of Engine.IO that carries it, perhaps with sockets of other namespaces. */
	readonly conn: {
		/** Listens for the moments at which Engine.IO hands over what waits. */
		on(event: 'drain', listener: () => void): unknown;
		/** Takes a listener away. */
		off(event: 'drain', listener: () => void): unknown;
	};
	/** Emits an event to the client. */
	emit(event: string, ...args: unknown[]): unknown;
	/** Listens for the end of the socket. */
	on(event: 'disconnect', listener: (reason: string) => void): unknown;
	/** Listens for all events of the client. */
	onAny(listener: (...args: unknown[]) => void): unknown;
	/** Takes a listener for all events away. */
	offAny(listener: (...args: unknown[]) => void): unknown;
	/** The number of listeners for one event. */
	listenerCount(event: string): number;
	/** Disconnects the socket, and with `true` the connection that carries it. */
	disconnect(close?: boolean): unknown;
}
