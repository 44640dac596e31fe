import type { Logger } from '../Logger.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { checkLength } from '../schemas.js';
import type { Authorize, AuthorizeAction } from './authorize.js';
import type { Member } from './Member.js';
import type { JoinSuccess } from '../protocol/messages.js';
import { Peer, type Outcome, type PeerLimits, type Reply } from '../protoo/Peer.js';
import { offering } from './requests/offering.js';
import { pulling } from './requests/pulling.js';
import { pushing } from './requests/pushing.js';
import type { RequestContext, RequestHandler } from './requests/RequestContext.js';
import type { RoomNotifier } from './RoomNotifier.js';
import { checkData, type MemberData } from './schemas.js';
import type { Socket } from '../protoo/Socket.js';

export interface SessionContext {
	/** @throws {@link SfuError} */
	openChannel: (roomId: string) => Promise<RoomNotifier>;
	authorize: Authorize | undefined;
	/** What the app knows of the socket. */
	context: unknown;
	reconnectTimeout: number;
	/** The greatest length of room ids, user ids and user names. */
	idLength: number;
	limits: PeerLimits;
	logger: Logger;
	closed: () => void;
}

/** Another socket has taken the user over. */
const replacedCode = 4000;

// The client has closed the socket: with a code that says so, or with a Close frame that has none (RFC 6455, 7.4.1).
const leftCodes = [1000, 1001, 1005];

/** One socket, from its first message to its last, and the user that joined on it. */
export class Session {
	readonly #context: SessionContext;
	readonly #peer: Peer;
	readonly #requests = new Map<string, RequestHandler>([
		['join', (data) => this.#join(data)],
		['leave', (data) => this.#leave(data)],
		['heartbeat', (data) => this.#heartbeat(data)],
		...Object.entries({ ...pushing, ...pulling, ...offering }),
	]);
	readonly #requestContext: RequestContext;
	#joined: { channel: RoomNotifier; member: Member } | undefined;

	constructor(socket: Socket, context: SessionContext) {
		this.#context = context;
		this.#peer = new Peer(
			socket,
			{
				request: (method, data) => this.#request(method, data),
				notification: (method, data) => this.#notification(method, data),
				closed: (code) => {
					this.#lost(code);
				},
			},
			context.limits,
			context.logger,
		);
		this.#requestContext = {
			peer: this.#peer,
			memberOf: (data) => this.#memberOf(data).member,
			authorize: (action) => this.#authorize(action),
		};
	}

	/** Closes the socket; its user leaves. */
	close(code: number, reason: string): void {
		this.#joined?.member.leave('left');
		this.#peer.close(code, reason);
	}

	async #request(method: string, data: unknown): Promise<Outcome> {
		const handle = this.#requests.get(method);
		if (!handle) throw new SfuError('not_found', `no method ${quoted(method)}`);
		return handle(data, this.#requestContext);
	}

	async #notification(method: string, data: unknown): Promise<void> {
		if (method !== 'textMessage') throw new SfuError('not_found', 'no such notification');
		const message = checkData.textMessage(data);
		const { channel, member } = this.#memberOf(message);
		const { roomId, message: text, time } = message;
		const { userId, userName } = member.user;
		await this.#authorize({ action: 'textMessage', roomId, userId, message: text });
		// Whatever the client calls itself in it, it is who it joined as.
		if (!member.user.closed) channel.sendText(member.user, { roomId, userId, userName, message: text, time });
	}

	async #join(data: unknown): Promise<Reply> {
		const join = checkData.join(data);
		const { roomId, userId, userName } = join;
		const { idLength } = this.#context;
		if (this.#current()) throw new SfuError('conflict', 'this socket has joined already');
		for (const key of ['roomId', 'userId', 'userName'] as const) checkLength(join[key], `data.${key}`, idLength);
		await this.#authorize({ action: 'join', roomId, userId, userName });
		const channel = await this.#context.openChannel(roomId);
		this.#assertOpen();
		const member = await channel.enter(join);
		if (this.#peer.closed) {
			// Nobody else has it: it was made for this socket, which was closed meanwhile.
			if (!member.peer && !member.lost) member.leave('left');
			throw new SfuError('closed', 'the socket has been closed');
		}
		if (member.user.closed) throw new SfuError('closed', 'the user has left meanwhile');
		const before = member.peer;
		const wasLost = member.lost;
		const resumed = wasLost || before !== undefined;
		member.attach(this.#peer);
		this.#joined = { channel, member };
		before?.close(replacedCode, 'joined again on another socket');
		if (wasLost) channel.cameBack(member.user);
		return (): JoinSuccess => {
			if (member.user.closed) throw new SfuError('closed', 'the user has left meanwhile');
			member.listen();
			const { activeSpeaker } = channel;
			return {
				code: 0,
				message: 'join success',
				users: channel.others(member.user),
				resumed,
				...(activeSpeaker && { activeSpeaker }),
			};
		};
	}

	#leave(data: unknown): Reply {
		const { member } = this.#memberOf(checkData.leave(data));
		this.#joined = undefined;
		member.leave('left');
		return () => ({ code: 0, message: 'leave success' });
	}

	#heartbeat(data: unknown): Reply {
		const { roomId, userId } = checkData.heartbeat(data);
		this.#memberOf({ roomId, userId });
		return () => ({ code: 0, message: 'ok', roomId, userId });
	}

	/** The socket's user, unless it has left by other means. */
	#current(): { channel: RoomNotifier; member: Member } | undefined {
		return this.#joined?.member.user.closed ? undefined : this.#joined;
	}

	/** A message speaks for the user that joined on this socket, and for no other. */
	#memberOf({ roomId, userId }: MemberData): { channel: RoomNotifier; member: Member } {
		const joined = this.#current();
		if (!joined) throw new SfuError('conflict', 'not joined');
		if (roomId !== joined.channel.room.roomId) throw new SfuError('forbidden', 'roomId is not that of the joined room');
		if (userId !== joined.member.user.userId) throw new SfuError('forbidden', 'userId is not that of the joined user');
		return joined;
	}

	async #authorize(action: AuthorizeAction): Promise<void> {
		const { authorize, context } = this.#context;
		const allowed: unknown = authorize ? await authorize(action, context) : true;
		this.#assertOpen();
		if (allowed !== true) throw new SfuError('forbidden', `${action.action} is not allowed`);
	}

	/** Nobody waits any more for what a closed socket has asked. */
	#assertOpen(): void {
		if (this.#peer.closed) throw new SfuError('closed', 'the socket has been closed');
	}

	#lost(code: number): void {
		const joined = this.#current();
		this.#joined = undefined;
		this.#context.closed();
		// When another socket has taken the user over, this one has no more to do with it.
		if (joined?.member.peer !== this.#peer) return;
		if (leftCodes.includes(code)) {
			joined.member.leave('left');
			return;
		}
		joined.member.detach(this.#context.reconnectTimeout);
		joined.channel.lost(joined.member.user);
	}
}
