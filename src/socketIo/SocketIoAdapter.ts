import type { Sfu, User } from '../index.js';
import { Signaling, type SignalingOptions } from '../signaling/index.js';
import { measureJson } from './measureJson.js';
import { SocketIoPeer, type Notice } from './SocketIoPeer.js';
import type { SocketIoHandshake, SocketIoSocket } from './SocketIoSocket.js';

/** The options of a {@link SocketIoAdapter}: those of every adapter. */
export type SocketIoOptions<Context = SocketIoHandshake> = SignalingOptions<Context>;

/** The context of a socket. It may be left out if the handshake of Socket.IO will do. */
export type SocketIoContext<Context> = SocketIoHandshake extends Context ? [context?: Context] : [context: Context];

/**
 * Serves clients of Socket.IO 4 with the `join` / `push` / `pull` messages: an event with an acknowledgement is a request,
 * and the acknowledgement its response, in both directions. An event without one is a notification.
 *
 * It takes all events of a socket for which the app has no listener of its own. So an app with an event that the protocol
 * has, too, gives it the sockets of a namespace of their own.
 *
 * @typeParam Context - the value that the app gives with each socket; default: the handshake, with `auth`
 * @example
 * ```ts
 * const rooms = new SocketIoAdapter(await Sfu.create(), {
 * 	authorize: { join: ({ userId }, { auth }) => isTokenOf(userId, auth.token), push: true, pull: true, autoPull: true },
 * });
 * io.of('/rooms').on('connection', (socket) => rooms.accept(socket));
 * ```
 */
export class SocketIoAdapter<Context = SocketIoHandshake> {
	readonly #signaling: Signaling<Notice, Context>;

	/**
	 * @param sfu - the Sfu whose rooms clients join; the app closes it
	 * @param options - see {@link SocketIoOptions}
	 * @throws `SfuError` `invalid_argument`; the message names the option
	 */
	constructor(sfu: Sfu, options: SocketIoOptions<Context> = {}) {
		this.#signaling = new Signaling<Notice, Context>(
			sfu,
			(method, data) => ({ method, data, length: measureJson(data) ?? 0 }),
			options,
		);
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

	/** Disconnects all sockets, after `closing` with the code 1001, and makes all users leave. The Sfu stays open. */
	close(): void {
		this.#signaling.close();
	}

	/**
	 * Serves a socket until it is disconnected. After {@link SocketIoAdapter.close} it disconnects the socket at once.
	 *
	 * @param socket - the socket, in the listener for `connection`
	 * @param context - a value for `authorize`; default: `socket.handshake`
	 */
	accept(socket: SocketIoSocket, ...[context]: SocketIoContext<Context>): void {
		new SocketIoPeer(socket, this.#signaling, context ?? (socket.handshake as Context));
	}
}
