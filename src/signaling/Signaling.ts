import { SfuError, type Room, type Sfu, type User } from '../index.js';
import { closeCodes } from '../protocol/index.js';
import { quoted } from '../quoted.js';
import { milliseconds, strict, validator } from '../schemas.js';
import { actionNames, type Authorize, type AuthorizeTable } from './authorize.js';
import { Authorizer } from './Authorizer.js';
import { ClientQuotas } from './ClientQuotas.js';
import { defaultClientLimits, limitsSchema, type ClientLimits } from './limits.js';
import type { OpenRoom } from './Joining.js';
import { RoomNotifier } from './RoomNotifier.js';
import { Session } from './Session.js';
import type { EncodeNotification, SignalingClient } from './SignalingClient.js';

/**
 * The options of every adapter.
 *
 * @typeParam Context - the value that the app gives with each client
 */
export interface SignalingOptions<Context = unknown> {
	/**
	 * Allows or refuses each join, change of a user, push, change of a pusher, pull, `autoPull` and text message: a function, or an object with
	 * a function or `true` for each action that is not refused. Default: allows all.
	 */
	authorize?: Authorize<Context> | AuthorizeTable<Context>;
	/** How long `authorize` may take, in ms. After that the action is refused. Default 10,000. */
	authorizeTimeout?: number;
	/**
	 * How long a user whose socket was lost stays in the room, in ms. Its client comes back by joining again with its
	 * `resumeToken`. A client that closes its socket itself leaves at once. Default 20,000.
	 */
	reconnectTimeout?: number;
	/**
	 * Serves RTCPilot's web client. The adapter also sends `userDisconnect`, `userReconnect` and `userLeave`. RTCPilot's
	 * client knows no `resumeToken`: a join without one takes over the user with the same id. Default false.
	 */
	rtcpilot?: boolean;
	/**
	 * Also sends `audioLevels`, how loud everybody is, every `audioObservers.interval` of the Sfu. The clients get
	 * `activeSpeaker` without this option if the Sfu has `audioObservers`. Default false.
	 */
	audioLevels?: boolean;
	/**
	 * Also sends `userQuality`, the quality of each user, to everybody in the room, with the option `qualityInterval` of the
	 * Sfu. Default `false`: a client only learns of its own, by `qualityChanged`.
	 */
	userQuality?: boolean;
	/** Limits of each client. Default {@link defaultClientLimits}. */
	limits?: Partial<ClientLimits>;
	/**
	 * Tells which client a socket belongs to: its account, or its address. The limits of offers, joins, rooms, users,
	 * connections and pullers hold for all sockets with the same key. Called once for each socket. Default: each socket is a
	 * client of its own.
	 */
	clientKey?: (context: Context) => string | undefined;
}

const checkOptions = validator<SignalingOptions<never>>(
	strict({
		authorize: {},
		authorizeTimeout: { ...milliseconds, minimum: 1 },
		reconnectTimeout: milliseconds,
		rtcpilot: { type: 'boolean' },
		audioLevels: { type: 'boolean' },
		userQuality: { type: 'boolean' },
		limits: limitsSchema,
		clientKey: {},
	}),
	'options',
);

function checkClientKey(clientKey: unknown): void {
	if (clientKey === undefined || typeof clientKey === 'function') return;
	throw new SfuError('invalid_argument', 'options.clientKey must be a function');
}

function checkAuthorize(authorize: unknown): void {
	const problem = (what: string) => new SfuError('invalid_argument', `options.authorize${what}`);
	if (authorize === undefined || typeof authorize === 'function') return;
	if (typeof authorize !== 'object' || authorize === null)
		throw problem(' must be a function, or an object of functions');
	for (const [name, decide] of Object.entries(authorize)) {
		if (!actionNames.some((known) => known === name)) throw problem(` must not have ${quoted(name)}`);
		if (decide !== undefined && decide !== true && typeof decide !== 'function') {
			throw problem(`.${name} must be a function or true`);
		}
	}
}

/** The context of a client. It may be left out if it may be `undefined`. */
export type ContextArgument<Context> = undefined extends Context ? [context?: Context] : [context: Context];

/**
 * Handles the `join` / `push` / `pull` messages of clients, for adapters of any text format and transport.
 *
 * @typeParam Message - an encoded notification
 * @typeParam Context - the value that the app gives with each client
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
export class Signaling<Message = string, Context = unknown> {
	/** The limits in force. */
	readonly limits: Readonly<ClientLimits>;
	readonly #sfu: Sfu;
	readonly #encode: EncodeNotification<Message>;
	readonly #options: SignalingOptions<Context>;
	readonly #authorizer: Authorizer<Context>;
	readonly #sessions = new Set<Session<Message, Context>>();
	readonly #contexts = new WeakMap<User, Context>();
	readonly #notifiers = new Map<Room, RoomNotifier<Message>>();
	readonly #quotas: ClientQuotas;
	#closed = false;

	/**
	 * @param sfu - the Sfu whose rooms clients join; the app closes it
	 * @param encodeNotification - called once for each notification, even if many clients receive it
	 * @param options - see {@link SignalingOptions}
	 * @throws `SfuError` `invalid_argument`; the message names the option
	 */
	constructor(sfu: Sfu, encodeNotification: EncodeNotification<Message>, options: SignalingOptions<Context> = {}) {
		this.#sfu = sfu;
		this.#encode = encodeNotification;
		checkOptions(options);
		this.#options = options;
		const { authorize, authorizeTimeout = 10_000 } = options;
		checkAuthorize(authorize);
		checkClientKey(options.clientKey);
		this.#authorizer = new Authorizer(authorize, authorizeTimeout, sfu.logger);
		this.limits = { ...defaultClientLimits, ...options.limits };
		this.#quotas = new ClientQuotas(this.limits);
	}

	/** The number of open sessions. */
	get sessions(): number {
		return this.#sessions.size;
	}

	/**
	 * Returns the value that the app gave with the client that speaks, or spoke last, for a user.
	 *
	 * @param user - the user
	 * @returns `undefined` if the user has not joined through this object
	 */
	contextOf(user: User): Context | undefined {
		return this.#contexts.get(user);
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
	open(client: SignalingClient<Message>, ...[context]: ContextArgument<Context>): Session<Message, Context> {
		const given = context as Context;
		const session = new Session<Message, Context>(client, {
			sfu: this.#sfu,
			openRoom: (roomId, options) => this.#openRoom(roomId, options),
			authorizer: this.#authorizer,
			context: given,
			quota: this.#quotas.of(this.#keyOf(given)),
			joined: (user) => this.#contexts.set(user, given),
			reconnectTimeout: this.#options.reconnectTimeout ?? 20_000,
			encode: this.#encode,
			tellsUnknownFields: this.#options.rtcpilot !== true,
			limits: this.limits,
			logger: this.#sfu.logger,
			closed: () => this.#sessions.delete(session),
		});
		this.#sessions.add(session);
		if (this.#closed) this.#end(session);
		return session;
	}

	#end(session: Session<Message, Context>): void {
		session.close(closeCodes.goingAway, 'the server is going away');
	}

	/** A key that the app cannot tell is one that all such clients share, so that none escapes the limits. */
	#keyOf(context: Context): string | undefined {
		try {
			const key: unknown = this.#options.clientKey?.(context);
			if (key === undefined || typeof key === 'string') return key;
			throw new TypeError('the key must be a string');
		} catch (error) {
			this.#sfu.logger.error('clientKey failed', { error });
			return '';
		}
	}

	async #openRoom(...[roomId, { create, quota }]: Parameters<OpenRoom<Message>>): Promise<RoomNotifier<Message>> {
		const isThere = this.#sfu.rooms.has(roomId);
		if (!create && !(await this.#sfu.hasRoom(roomId))) throw new SfuError('forbidden', 'the user may not open a room');
		const giveBack = isThere ? undefined : quota.take();
		let room: Room;
		try {
			room = await this.#sfu.getOrCreateRoom(roomId);
		} catch (error) {
			giveBack?.();
			throw error;
		}
		// Of several clients that wait for the same room, the first one has opened it.
		if (room.closed || this.#notifiers.has(room)) giveBack?.();
		else if (giveBack) room.once('closed', giveBack);
		// The app may have closed it in `roomOpened`.
		if (room.closed) throw new SfuError('closed', 'the room has been closed');
		let notifier = this.#notifiers.get(room);
		if (!notifier) {
			const { rtcpilot = false, audioLevels = false, userQuality = false } = this.#options;
			const told = { encode: this.#encode, rtcpilot, audioLevels, userQuality };
			const closed = () => void this.#notifiers.delete(room);
			notifier = new RoomNotifier(room, { ...told, limits: this.limits, closed });
			this.#notifiers.set(room, notifier);
		}
		return notifier;
	}
}
