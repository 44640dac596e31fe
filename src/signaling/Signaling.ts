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
	/** Decides on every join, push, change of a pusher, pull, `autoPull` and text message. Default: everything is allowed. */
	authorize?: Authorize;
	/**
	 * How long a user whose socket was lost stays in the room, to come back by joining again, in ms. A client that
	 * closes its socket itself leaves at once. Default 20,000.
	 */
	reconnectTimeout?: number;
	/** Sends `userDisconnect`, `userReconnect` and `userLeave`, too, for RTCPilot's web client. Default false. */
	rtcpilot?: boolean;
	/**
	 * Also tells the clients how loud everybody is (`audioLevels`), as often as the Sfu's `audioObservers.interval` says.
	 * They are told who speaks (`activeSpeaker`) anyway, when the Sfu has `audioObservers`. Default false.
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
	 * @param encodeNotification - called once for each notification, however many clients receive it
	 * @throws {@link SfuError} `invalid_argument`, naming the option
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

	/** Closes all sessions (1001); their users leave. The Sfu stays open. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const session of this.#sessions) this.#end(session);
		// Users whose socket was lost have no session.
		for (const notifier of this.#notifiers.values()) notifier.close();
	}

	/**
	 * Serves a client until its session closes. After {@link Signaling.close} the session is closed at once (1001).
	 *
	 * @param context - anything that the app knows of the client, for example its HTTP request; given to `authorize`
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
