import type { Sfu, User } from '../index.js';
import { Signaling, type ContextArgument, type SignalingOptions } from '../signaling/index.js';
import { writeNotification } from './envelope.js';
import { Peer } from './Peer.js';
import type { Socket } from './Socket.js';

/** The options of a {@link ProtooAdapter}: those of every adapter. */
export type ProtooOptions<Context = unknown> = SignalingOptions<Context>;

/**
 * Serves clients with the `join` / `push` / `pull` messages in the envelope of protoo 4, over any {@link Socket}.
 *
 * @typeParam Context - the value that the app gives with each socket
 * @example
 * ```ts
 * const adapter = new ProtooAdapter(await Sfu.create());
 * webSocketServer.on('connection', (webSocket, request) => adapter.accept(fromWebSocket(webSocket), request));
 * ```
 */
export class ProtooAdapter<Context = unknown> {
	readonly #signaling: Signaling<string, Context>;

	/**
	 * @param sfu - the Sfu whose rooms clients join; the app closes it
	 * @param options - see {@link ProtooOptions}
	 * @throws `SfuError` `invalid_argument`; the message names the option
	 */
	constructor(sfu: Sfu, options: ProtooOptions<Context> = {}) {
		this.#signaling = new Signaling<string, Context>(sfu, writeNotification, options);
	}

	/** The number of open sockets. */
	get sockets(): number {
		return this.#signaling.sessions;
	}

	/**
	 * Returns the value that the app gave with the socket that speaks, or spoke last, for a user.
	 *
	 * @param user - the user
	 * @returns `undefined` if the user has not joined through this adapter
	 */
	contextOf(user: User): Context | undefined {
		return this.#signaling.contextOf(user);
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
	accept(socket: Socket, ...context: ContextArgument<Context>): void {
		new Peer(socket, this.#signaling, context);
	}
}
