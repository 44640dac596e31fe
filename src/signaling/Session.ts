import { SfuError } from '../index.js';
import { closeCodes, type MemberData, type RequestData, type Success } from '../protocol/index.js';
import { quoted } from '../quoted.js';
import { jsonCopy } from '../json.js';
import { checkLength } from '../schemas.js';
import type { Asked } from './Authorizer.js';
import type { AuthorizeAction } from './authorize.js';
import { Joining, type Joined } from './Joining.js';
import { MessageRate } from './MessageRate.js';
import { messaging } from './requests/messaging.js';
import { offering } from './requests/offering.js';
import { pulling } from './requests/pulling.js';
import { pushing } from './requests/pushing.js';
import { texting } from './requests/texting.js';
import { updating } from './requests/updating.js';
import { RequestRunner } from './RequestRunner.js';
import type { Outcome, Reply, RequestContext, RequestHandler } from './requests/RequestContext.js';
import type { Respond } from './RequestResult.js';
import { checkData, isMethod } from './schemas.js';
import { refusalData } from './serialize.js';
import type { SessionContext } from './SessionContext.js';
import type { SignalingClient } from './SignalingClient.js';

// A client that closes its socket without a code leaves, too (RFC 6455, section 7.4.1).
const leavingCodes: readonly number[] = [closeCodes.normal, closeCodes.goingAway, closeCodes.noCode];

/** The notifications of clients, by their names. */
const notifications: Readonly<Record<string, RequestHandler>> = {
	textMessage: texting.textMessage,
	appMessage: messaging.appMessage,
};

/**
 * The session of one client, from its connection to its end, and the user that joined in it. It handles messages one
 * after the other. Only a pull that waits for another offer of the server, and a join that waits in the lobby, let later
 * messages pass.
 */
export class Session<Message = string, Context = unknown> {
	/** @internal */
	readonly client: SignalingClient<Message>;
	readonly #context: SessionContext<Message, Context>;
	readonly #runner: RequestRunner;
	readonly #requestContext: RequestContext;
	readonly #rate: MessageRate;
	#queue: Promise<void> = Promise.resolve();
	#waiting = 0;
	#toldExcess = false;
	#joined: Joined<Message> | undefined;
	#joining: Joining<Message> | undefined;
	readonly #gone = new AbortController();
	#open = true;

	/** @internal */
	constructor(client: SignalingClient<Message>, context: SessionContext<Message, Context>) {
		this.client = client;
		this.#context = context;
		context.quota.sockets++;
		this.#rate = new MessageRate(context.limits);
		this.#requestContext = {
			limits: context.limits,
			session: this,
			memberOf: (data) => this.#memberOf(data).member,
			countOffer: () => {
				const isWithin = context.quota.offers.take() && this.#joined?.member.takeOffer() !== false;
				if (!isWithin) throw new SfuError('limit_exceeded', 'too many offers in too short a time');
			},
			sendText: (message) => this.#joined?.notifier.sendText(message),
			authorize: (action, data) => this.#authorize(action, data),
			askApp: async (user, name, data) => {
				const room = this.#joined?.notifier.room;
				if (!room) throw closed();
				return context.sfu.answerClient({ user, room, gone: this.#gone.signal }, name, data);
			},
		};
		this.#runner = new RequestRunner(this.#requestContext, {
			handlers: {
				join: (data) => this.#join(data),
				leave: (data) => this.#leave(data),
				heartbeat: (data) => this.#heartbeat(data),
				...pushing,
				...pulling,
				...offering,
				...texting,
				...updating,
				appRequest: messaging.appRequest,
			},
			assertOpen: this.#assertOpen.bind(this),
			failed: this.failed.bind(this),
			who: () => this.#who(),
			tellsUnknownFields: context.tellsUnknownFields,
			logger: context.logger,
		});
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
		this.#context.quota.sockets--;
		this.#context.closed();
		// Another session may have taken the user over.
		if (joined?.member.session !== this) return;
		const { notifier, member } = joined;
		if (leavingCodes.includes(code)) {
			member.leave('left');
			return;
		}
		const { quota, reconnectTimeout } = this.#context;
		try {
			member.detach(reconnectTimeout, quota.lost.take());
		} catch {
			// So many are lost already that this one is not waited for.
			member.leave('disconnected');
			return;
		}
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
		if (!refusal) this.#enqueue(() => this.#runRequest(method, data, respond));
		else {
			this.failed(refusal, method);
			respond({ error: refusal });
		}
	}

	/**
	 * Handles a notification of the client. Drops it if it is invalid.
	 *
	 * @param method - the name of the notification
	 * @param data - the data of the notification, unchecked
	 */
	notification(method: string, data: unknown): void {
		const refusal = this.count() ?? this.#overload();
		if (!refusal) this.#enqueue(() => this.#handleNotification(method, data));
		// The first one is told, so that a flood is not answered with a flood.
		else if (!this.#toldExcess) this.refused(refusal, method);
		else this.failed(refusal, method);
		this.#toldExcess = refusal !== undefined;
	}

	/**
	 * Tells the client that a message of it was dropped which has no response.
	 *
	 * @param error - the reason
	 * @param method - the name of the notification, if it was one
	 */
	refused(error: SfuError, method?: string): void {
		// A name may be as long as a message.
		const name = method?.slice(0, 64);
		this.#context.logger.debug('a message was dropped', { method: name, error });
		this.failed(error, method);
		if (!this.#open) return;
		this.client.send(this.#context.encode('messageRefused', refusalData(error, name)));
	}

	/** Tells the observers of the Sfu of a message that the adapter has refused by a response of its own, and of no other. */
	failed(error: SfuError, method = ''): void {
		if (this.#open) this.#context.sfu.messageFailed({ method: isMethod(method) ? method : undefined, error });
	}

	/**
	 * Counts a message that the adapter handles itself: a response, or a message that the adapter refuses. The session
	 * counts requests and notifications.
	 *
	 * @returns the error to refuse the message with if the client sends too many
	 */
	count(): SfuError | undefined {
		if (this.#rate.take()) return undefined;
		if (this.#rate.hopeless) this.#drop(closeCodes.policyViolation, 'too many messages');
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
	async #runRequest(method: string, data: unknown, respond: Respond): Promise<void> {
		const later = await this.#runner.run(method, data, respond);
		if (!later) return;
		this.#waiting++;
		void later.done.then(() => this.#waiting--);
	}

	async #handleNotification(method: string, data: unknown): Promise<void> {
		try {
			this.#assertOpen();
			const handle = Object.hasOwn(notifications, method) ? notifications[method] : undefined;
			if (!handle) throw new SfuError('not_found', `no notification ${quoted(method)}`);
			await handle(data, this.#requestContext);
		} catch (error) {
			this.refused(this.#runner.knownError(error, method), method);
		}
	}

	async #join(data: unknown): Promise<Outcome> {
		const join: RequestData<'join'> = checkData.join(data);
		const { sfu, openRoom, quota } = this.#context;
		const { idLength, metadataBytes } = sfu.limits;
		if (this.#current() || this.#joining) throw new SfuError('conflict', 'this socket has joined already');
		if (!quota.joins.take()) throw new SfuError('limit_exceeded', 'too many joins in too short a time');
		for (const key of ['roomId', 'userId', 'userName'] as const) checkLength(join[key], `data.${key}`, idLength);
		if (join.metadata !== undefined) jsonCopy(join.metadata, 'data.metadata', metadataBytes);
		const joining = new Joining(join, {
			session: this,
			authorize: async ({ roomId, userId, userName, metadata }) => {
				const { authorizer, context } = this.#context;
				const said = { roomId, userId, userName, ...(metadata !== undefined && { metadata }) };
				const action = { action: 'join', ...said, data: data as Record<string, unknown> } as const;
				return authorizer.grantOf(action, { context, signal: this.#gone.signal });
			},
			openRoom,
			iceServersOf: (user) => sfu.iceServersOf(user),
			quota,
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

	#who(): MemberData | undefined {
		const { notifier, member } = this.#joined ?? {};
		return notifier && member && { roomId: notifier.room.roomId, userId: member.user.userId };
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
