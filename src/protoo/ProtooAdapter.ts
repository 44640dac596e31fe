import type { Sfu } from '../index.js';
import { Signaling, type SignalingOptions } from '../signaling/index.js';
import { writeNotification } from './envelope.js';
import { Peer } from './Peer.js';
import type { Socket } from './Socket.js';

/** The options of a {@link ProtooAdapter}: those of every adapter. */
export type ProtooOptions = SignalingOptions;

/**
 * Speaks the `join` / `push` / `pull` messages, in the envelope of protoo 4, over any {@link Socket}.
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

	/** @throws {@link SfuError} `invalid_argument`, naming the option */
	constructor(sfu: Sfu, options: ProtooOptions = {}) {
		this.#sfu = sfu;
		this.#signaling = new Signaling(sfu, writeNotification, options);
	}

	/** The number of open sockets. */
	get sockets(): number {
		return this.#signaling.sessions;
	}

	/** Closes all sockets (1001); their users leave. The Sfu stays open. */
	close(): void {
		this.#signaling.close();
	}

	/**
	 * Serves a socket until it closes. After {@link ProtooAdapter.close} the socket is closed at once (1001).
	 *
	 * @param context - anything that the app knows of the socket, for example its HTTP request; given to `authorize`
	 */
	accept(socket: Socket, context?: unknown): void {
		new Peer(socket, this.#signaling, context, this.#sfu.logger);
	}
}
