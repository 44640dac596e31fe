import type { Sfu } from '../index.js';
import { Signaling, type SignalingOptions } from '../signaling/index.js';
import { writeNotification } from './envelope.js';
import { Peer } from './Peer.js';
import type { Socket } from './Socket.js';

/** The options of a {@link ProtooAdapter}: those of every adapter. */
export type ProtooOptions = SignalingOptions;

/**
 * Serves clients with the `join` / `push` / `pull` messages in the envelope of protoo 4, over any {@link Socket}.
 *
 * @example
 * ```ts
 * const adapter = new ProtooAdapter(await Sfu.create());
 * webSocketServer.on('connection', (webSocket, request) => adapter.accept(fromWebSocket(webSocket), request));
 * ```
 */
export class ProtooAdapter {
	readonly #sfu: Sfu;
	readonly #signaling: Signaling;

	/**
	 * @param sfu - the Sfu whose rooms clients join; the app closes it
	 * @param options - see {@link ProtooOptions}
	 * @throws `SfuError` `invalid_argument`; the message names the option
	 */
	constructor(sfu: Sfu, options: ProtooOptions = {}) {
		this.#sfu = sfu;
		this.#signaling = new Signaling(sfu, writeNotification, options);
	}

	/** The number of open sockets. */
	get sockets(): number {
		return this.#signaling.sessions;
	}

	/** Closes all sockets with 1001, and makes all users leave. The Sfu stays open. */
	close(): void {
		this.#signaling.close();
	}

	/**
	 * Serves a socket until it closes. After {@link ProtooAdapter.close} it closes the socket at once with 1001.
	 *
	 * @param socket - the socket
	 * @param context - a value for `authorize`, for example the HTTP request of the socket
	 */
	accept(socket: Socket, context?: unknown): void {
		new Peer(socket, this.#signaling, context, this.#sfu.logger);
	}
}
