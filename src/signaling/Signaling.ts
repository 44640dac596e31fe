import { SfuError, type Room, type Sfu } from '../index.js';
import { closeCodes } from '../protocol/index.js';
import { milliseconds, strict, validator } from '../schemas.js';
import type { Authorize } from './authorize.js';
import { defaultClientLimits, limitsSchema, type ClientLimits } from './limits.js';
import { RoomNotifier } from './RoomNotifier.js';
import { Session } from './Session.js';
import type { EncodeNotification, SignalingClient } from './SignalingClient.js';

/** The options of every adapter. */
export interface SignalingOptions {
	/** Allows or refuses each join, push, change of a pusher, pull, `autoPull` and text message. Default: allows all. */
	authorize?: Authorize;
	/**
	 * How long a user whose socket was lost stays in the room, in ms. The user comes back by joining again. A client that
	 * closes its socket itself leaves at once. Default 20,000.
	 */
	reconnectTimeout?: number;
	/** Also sends `userDisconnect`, `userReconnect` and `userLeave`, for RTCPilot's web client. Default false. */
	rtcpilot?: boolean;
	/**
	 * Also sends `audioLevels`, how loud everybody is, every `audioObservers.interval` of the Sfu. The clients get
	 * `activeSpeaker` without this option if the Sfu has `audioObservers`. Default false.
	 */
	audioLevels?: boolean;
	/** Limits of each client. Default {@link defaultClientLimits}. */
	limits?: Partial<ClientLimits>;
}

const checkOptions = validator<SignalingOptions>(
	strict({
		authorize: {},
		reconnectTimeout: milliseconds,
		rtcpilot: { type: 'boolean' },
		audioLevels: { type: 'boolean' },
		limits: limitsSchema,
	}),
	'options',
);

/**
 * Handles the `join` / `push` / `pull` messages of clients, for adapters of any text format and transport.
 *
 * @typeParam Message - an encoded notification
 * @example
 * ```ts
 * const signaling = new Signaling(sfu, (method, data) => JSON.stringify({ method, data }));
 * const session = signaling.open({ send, request, close });
 * session.request('join', { roomId, userId, userName }, (result) => {
 * 	if ('error' in result) send(JSON.stringify({ id, code: errorCodes[result.error.code], reason: result.error.message }));
 * 	else send(JSON.stringify({ id, data: result.data }));
 * });
 * ```
 */
export class Signaling<Message = string> {
	/** The limits in force. */
	readonly limits: Readonly<ClientLimits>;
	readonly #sfu: Sfu;
	readonly #encode: EncodeNotification<Message>;
	readonly #options: SignalingOptions;
	readonly #sessions = new Set<Session<Message>>();
	readonly #notifiers = new Map<Room, RoomNotifier<Message>>();
	#closed = false;

	/**
	 * @param sfu - the Sfu whose rooms clients join; the app closes it
	 * @param encodeNotification - called once for each notification, even if many clients receive it
	 * @param options - see {@link SignalingOptions}
	 * @throws `SfuError` `invalid_argument`; the message names the option
	 */
	constructor(sfu: Sfu, encodeNotification: EncodeNotification<Message>, options: SignalingOptions = {}) {
		this.#sfu = sfu;
		this.#encode = encodeNotification;
		this.#options = checkOptions(options);
		if (options.authorize !== undefined && typeof options.authorize !== 'function') {
			throw new SfuError('invalid_argument', 'options.authorize must be a function');
		}
		this.limits = { ...defaultClientLimits, ...options.limits };
	}

	/** The number of open sessions. */
	get sessions(): number {
		return this.#sessions.size;
	}

	/** Closes all sessions with 1001, and makes all users leave. The Sfu stays open. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const session of this.#sessions) this.#end(session);
		// Users whose socket was lost have no session.
		for (const notifier of this.#notifiers.values()) notifier.close();
	}

	/**
	 * Serves a client until its session closes. After {@link Signaling.close} it closes the session at once with 1001.
	 *
	 * @param client - the client
	 * @param context - a value for `authorize`, for example the client's HTTP request
	 */
	open(client: SignalingClient<Message>, context?: unknown): Session<Message> {
		const session = new Session<Message>(client, {
			openRoom: (roomId) => this.#openRoom(roomId),
			authorize: this.#options.authorize,
			context,
			reconnectTimeout: this.#options.reconnectTimeout ?? 20_000,
			idLength: this.#sfu.limits.idLength,
			limits: this.limits,
			logger: this.#sfu.logger,
			closed: () => this.#sessions.delete(session),
		});
		this.#sessions.add(session);
		if (this.#closed) this.#end(session);
		return session;
	}

	#end(session: Session<Message>): void {
		session.close(closeCodes.goingAway, 'the server is going away');
	}

	async #openRoom(roomId: string): Promise<RoomNotifier<Message>> {
		const room = await this.#sfu.getOrCreateRoom(roomId);
		// The app may have closed it in `roomOpened`.
		if (room.closed) throw new SfuError('closed', 'the room has been closed');
		let notifier = this.#notifiers.get(room);
		if (!notifier) {
			const { rtcpilot = false, audioLevels = false } = this.#options;
			notifier = new RoomNotifier(room, { encode: this.#encode, rtcpilot, audioLevels, limits: this.limits });
			this.#notifiers.set(room, notifier);
			room.once('closed', () => this.#notifiers.delete(room));
		}
		return notifier;
	}
}
