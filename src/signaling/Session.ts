import { SfuError, type Logger, type User } from '../index.js';
import { closeCodes, type MemberData, type RequestData, type Success } from '../protocol/index.js';
import { quoted } from '../quoted.js';
import { checkLength } from '../schemas.js';
import type { Asked, Authorizer } from './Authorizer.js';
import type { AuthorizeAction } from './authorize.js';
import { Joining, type Joined } from './Joining.js';
import type { ClientLimits } from './limits.js';
import { RateLimit } from './RateLimit.js';
import { offering } from './requests/offering.js';
import { pulling } from './requests/pulling.js';
import { pushing } from './requests/pushing.js';
import { texting } from './requests/texting.js';
import type { Outcome, Reply, RequestContext, RequestHandler } from './requests/RequestContext.js';
import type { RequestResult, Respond } from './RequestResult.js';
import type { RoomNotifier } from './RoomNotifier.js';
import { checkData } from './schemas.js';
import type { SignalingClient } from './SignalingClient.js';

/** @internal */
export interface SessionContext<Message, Context> {
	/** @throws {@link SfuError} */
	openRoom: (roomId: string, options: { create: boolean }) => Promise<RoomNotifier<Message>>;
	authorizer: Authorizer<Context>;
	/** The value that the app gave with the client. */
	context: Context;
	/** Called when the client speaks for a user. */
	joined: (user: User) => void;
	reconnectTimeout: number;
	/** The maximum length of room ids, user ids and user names. */
	idLength: number;
	limits: Readonly<ClientLimits>;
	logger: Logger;
	closed: () => void;
}

// A client that closes its socket without a code leaves, too (RFC 6455, section 7.4.1).
const leavingCodes: readonly number[] = [closeCodes.normal, closeCodes.goingAway, closeCodes.noCode];

/**
 * The session of one client, from its connection to its end, and the user that joined in it. It handles messages one
 * after the other. Only a pull that waits for another offer of the server, and a join that waits in the lobby, let later
 * messages pass.
 */
export class Session<Message = string, Context = unknown> {
	/** @internal */
	readonly client: SignalingClient<Message>;
	readonly #context: SessionContext<Message, Context>;
	readonly #requests = new Map<string, RequestHandler>([
		['join', (data) => this.#join(data)],
		['leave', (data) => this.#leave(data)],
		['heartbeat', (data) => this.#heartbeat(data)],
		...Object.entries({ ...pushing, ...pulling, ...offering, ...texting }),
	]);
	readonly #requestContext: RequestContext;
	readonly #rate: RateLimit;
	#excessInARow = 0;
	#queue: Promise<void> = Promise.resolve();
	#waiting = 0;
	#joined: Joined<Message> | undefined;
	#joining: Joining<Message> | undefined;
	readonly #gone = new AbortController();
	#open = true;

	/** @internal */
	constructor(client: SignalingClient<Message>, context: SessionContext<Message, Context>) {
		this.client = client;
		this.#context = context;
		this.#rate = new RateLimit(context.limits.messageBurst, context.limits.messagesPerSecond);
		this.#requestContext = {
			limits: context.limits,
			session: this,
			memberOf: (data) => this.#memberOf(data).member,
			sendText: (message) => this.#joined?.notifier.sendText(message),
			authorize: (action, data) => this.#authorize(action, data),
		};
	}

	/** Whether the client is still connected. */
	get open(): boolean {
		return this.#open;
	}

	/** Whether the client speaks for a user, or its join is under way. */
	get joined(): boolean {
		return this.#joining !== undefined || this.#current() !== undefined;
	}

	/**
	 * Closes the client's socket, and makes its user leave.
	 *
	 * @param code - one of `closeCodes`
	 * @param reason - the reason, for people to read
	 */
	close(code: number, reason: string): void {
		const joined = this.#current();
		if (joined?.member.session === this) joined.member.leave('left');
		this.#drop(code, reason);
	}

	/**
	 * Ends the session, since the client's socket has closed. After 1000, 1001 and 1005 its user leaves at once, otherwise
	 * when `reconnectTimeout` has passed.
	 *
	 * @param code - the code of the WebSocket, or the one of `closeCodes` that fits
	 */
	closed(code: number): void {
		if (!this.#open) return;
		const joined = this.#current();
		this.#open = false;
		this.#joined = undefined;
		this.#joining?.abort();
		this.#gone.abort();
		this.#context.closed();
		// Another session may have taken the user over.
		if (joined?.member.session !== this) return;
		const { notifier, member } = joined;
		if (leavingCodes.includes(code)) {
			member.leave('left');
			return;
		}
		member.detach(this.#context.reconnectTimeout);
		notifier.lost(member.user);
	}

	/**
	 * Handles a request of the client.
	 *
	 * @param method - the name of the request
	 * @param data - the data of the request, unchecked
	 * @param respond - sends the response
	 */
	request(method: string, data: unknown, respond: Respond): void {
		const refusal = this.count() ?? this.#overload();
		if (refusal) respond({ error: refusal });
		else this.#enqueue(() => this.#handleRequest(method, data, respond));
	}

	/**
	 * Handles a notification of the client. Drops it if it is invalid.
	 *
	 * @param method - the name of the notification
	 * @param data - the data of the notification, unchecked
	 */
	notification(method: string, data: unknown): void {
		if (!(this.count() ?? this.#overload())) this.#enqueue(() => this.#handleNotification(method, data));
	}

	/**
	 * Counts a message that the adapter handles itself: a response, or a message that the adapter refuses. The session
	 * counts requests and notifications.
	 *
	 * @returns the error to refuse the message with if the client sends too many
	 */
	count(): SfuError | undefined {
		if (this.#rate.take()) {
			this.#excessInARow = 0;
			return undefined;
		}
		this.#excessInARow++;
		if (this.#excessInARow > this.#context.limits.messageBurst) {
			this.#drop(closeCodes.policyViolation, 'too many messages');
		}
		return new SfuError('limit_exceeded', 'too many messages in too short a time');
	}

	#overload(): SfuError | undefined {
		const { pendingRequests } = this.#context.limits;
		if (this.#waiting < pendingRequests) return undefined;
		return new SfuError('limit_exceeded', `more than ${pendingRequests} requests at a time are not allowed`);
	}

	/** Closes the client's socket. Its user may come back, unless the code means that it has left. */
	#drop(code: number, reason: string): void {
		if (!this.#open) return;
		this.client.close(code, reason);
		this.closed(code);
	}

	#enqueue(handle: () => Promise<void>): void {
		this.#waiting++;
		this.#queue = this.#queue.then(handle).then(() => {
			this.#waiting--;
		});
	}

	/** Resolves when the next message may be handled. */
	async #handleRequest(method: string, data: unknown, respond: Respond): Promise<void> {
		let outcome: Outcome;
		try {
			this.#assertOpen();
			const handle = this.#requests.get(method);
			if (!handle) throw new SfuError('not_found', `no method ${quoted(method)}`);
			outcome = await handle(data, this.#requestContext);
		} catch (error) {
			this.#respond(respond, { error: this.#knownError(error, method) });
			return;
		}
		if ('later' in outcome) {
			this.#waiting++;
			void this.#reply(method, outcome.later, respond).then(() => this.#waiting--);
		} else {
			await this.#reply(method, outcome, respond);
		}
	}

	async #reply(method: string, reply: Reply | Promise<Reply>, respond: Respond): Promise<void> {
		let result: RequestResult;
		try {
			const read = await reply;
			this.#assertOpen();
			result = { data: read() };
		} catch (error) {
			result = { error: this.#knownError(error, method) };
		}
		this.#respond(respond, result);
	}

	#respond(respond: Respond, result: RequestResult): void {
		try {
			respond(result);
		} catch (error) {
			this.#context.logger.error('a response could not be sent', { error });
		}
	}

	async #handleNotification(method: string, data: unknown): Promise<void> {
		try {
			this.#assertOpen();
			if (method !== 'textMessage') throw new SfuError('not_found', `no notification ${quoted(method)}`);
			await texting.textMessage(data, this.#requestContext);
		} catch (error) {
			this.#context.logger.debug('a notification was dropped', { method, error: this.#knownError(error, method) });
		}
	}

	#knownError(error: unknown, method: string): SfuError {
		if (error instanceof SfuError) return error;
		const { notifier, member } = this.#joined ?? {};
		this.#context.logger.error('a message could not be handled', {
			method,
			roomId: notifier?.room.roomId,
			userId: member?.user.userId,
			error,
		});
		return new SfuError('internal', 'internal error', { cause: error });
	}

	async #join(data: unknown): Promise<Outcome> {
		const join: RequestData<'join'> = checkData.join(data);
		const { idLength, openRoom } = this.#context;
		if (this.#current() || this.#joining) throw new SfuError('conflict', 'this socket has joined already');
		for (const key of ['roomId', 'userId', 'userName'] as const) checkLength(join[key], `data.${key}`, idLength);
		const joining = new Joining(join, {
			session: this,
			authorize: async ({ roomId, userId, userName }) => {
				const { authorizer, context } = this.#context;
				const action = { action: 'join', roomId, userId, userName, data: data as Record<string, unknown> } as const;
				return authorizer.grantOf(action, { context, signal: this.#gone.signal });
			},
			openRoom,
			joined: (joined) => {
				this.#joined = joined;
				this.#context.joined(joined.member.user);
			},
		});
		this.#joining = joining;
		const ended = () => {
			if (this.#joining === joining) this.#joining = undefined;
		};
		try {
			const outcome = await joining.run();
			if ('later' in outcome) return { later: outcome.later.finally(ended) };
			ended();
			return outcome;
		} catch (error) {
			ended();
			throw error;
		}
	}

	#leave(data: unknown): Reply<Success<'leave'>> {
		const leave = checkData.leave(data);
		const joining = this.#joining;
		if (joining && isOf(leave, joining.who)) {
			this.#joining = undefined;
			joining.abort();
		} else {
			const { member } = this.#memberOf(leave);
			this.#joined = undefined;
			member.leave('left');
		}
		return () => ({ code: 0, message: 'leave success' });
	}

	#heartbeat(data: unknown): Reply {
		const { roomId, userId } = checkData.heartbeat(data);
		// A client that waits in the lobby is alive, too.
		if (!this.#joining || !isOf({ roomId, userId }, this.#joining.who)) this.#memberOf({ roomId, userId });
		return () => ({ code: 0, message: 'ok', roomId, userId });
	}

	/** The user of this session, `undefined` if there is none or it has left. */
	#current(): Joined<Message> | undefined {
		return this.#joined?.member.user.closed ? undefined : this.#joined;
	}

	/** Checks that a message names the user that joined in this session. */
	#memberOf({ roomId, userId }: MemberData): Joined<Message> {
		const joined = this.#current();
		if (!joined) throw new SfuError('conflict', 'this socket has not joined');
		if (roomId !== joined.notifier.room.roomId)
			throw new SfuError('forbidden', 'roomId must be that of the joined room');
		if (userId !== joined.member.user.userId) throw new SfuError('forbidden', 'userId must be that of the joined user');
		joined.member.confirm();
		return joined;
	}

	async #authorize(action: Asked<Exclude<AuthorizeAction, { action: 'join' }>>, data: unknown): Promise<void> {
		const { authorizer, context } = this.#context;
		await authorizer.assertAllowed(
			{ ...action, data: data as Record<string, unknown> },
			{ context, signal: this.#gone.signal },
		);
		this.#assertOpen();
	}

	/** Stops the handling of a message whose client is gone. */
	#assertOpen(): void {
		if (!this.#open) throw closed();
	}
}

const isOf = (one: MemberData, other: MemberData) => one.roomId === other.roomId && one.userId === other.userId;

const closed = () => new SfuError('closed', 'the socket has been closed');
