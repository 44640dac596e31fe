import type { Logger } from '../Logger.js';
import type { PusherDetails, PushOptions } from '../core/PushOptions.js';
import { quote } from '../quote.js';
import { checkLength } from '../validation.js';
import { SfuError } from '../SfuError.js';
import type { Authorize, AuthorizeAction } from './authorize.js';
import {
	checkData,
	type JoinSuccess,
	type MemberData,
	type PullSuccess,
	type PushData,
	type PushSuccess,
} from './messages.js';
import type { Member } from './Member.js';
import { Peer, type PeerLimits, type Reply } from './Peer.js';
import type { RoomChannel } from './RoomChannel.js';
import type { Socket } from './Socket.js';

export interface SessionContext {
	/** @throws {@link SfuError} */
	openChannel: (roomId: string) => Promise<RoomChannel>;
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
	#joined: { channel: RoomChannel; member: Member } | undefined;

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
	}

	/** Closes the socket; its user leaves. */
	close(code: number, reason: string): void {
		this.#joined?.member.leave('left');
		this.#peer.close(code, reason);
	}

	#request(method: string, data: unknown): Promise<Reply> {
		switch (method) {
			case 'join':
				return this.#join(data);
			case 'push':
				return this.#push(data);
			case 'pull':
				return this.#pull(data);
			case 'leave':
				return this.#leave(data);
			case 'unpush':
				return this.#unpush(data);
			case 'unpull':
				return this.#unpull(data);
			case 'pausePusher':
			case 'resumePusher':
				return this.#pausePusher(data, method === 'pausePusher');
			case 'updatePusher':
				return this.#updatePusher(data);
			case 'pausePuller':
			case 'resumePuller':
				return this.#pausePuller(data, method === 'pausePuller');
			case 'heartbeat':
				return this.#heartbeat(data);
			default:
				return Promise.reject(new SfuError('not_found', `no method ${quote(method)}`));
		}
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
			return { code: 0, message: 'join success', users: channel.others(member.user), resumed };
		};
	}

	async #push(data: unknown): Promise<Reply> {
		const push = checkData.push(data);
		const { roomId, userId } = push;
		const { member } = this.#memberOf(push);
		member.countOffer();
		const { sdp } = push.sdp;
		const options = pushOptions(push);
		await this.#authorize({ action: 'push', roomId, userId, sdp, ...options });
		const { answer, pushers, connection } = await member.user.push(sdp, options);
		return (): PushSuccess => ({
			code: 0,
			message: 'push success',
			sdp: answer,
			connectionId: connection.connectionId,
			pushers: pushers.map(({ pusherId, mid, kind }) => ({ pusherId, mid, kind })),
		});
	}

	async #pull(data: unknown): Promise<Reply> {
		const pull = checkData.pull(data);
		const { roomId, userId, targetUserId } = pull;
		const { member } = this.#memberOf(pull);
		member.countOffer();
		const specs = pull.specs.map(({ type, pusher_id }) => ({ kind: type, pusherId: pusher_id }));
		await this.#authorize({ action: 'pull', roomId, userId, targetUserId, specs });
		const { answer, pullers, connection } = await member.user.pull({ targetUserId, specs, offer: pull.sdp.sdp });
		return (): PullSuccess => ({
			code: 0,
			message: 'pull success',
			sdp: answer,
			connectionId: connection.connectionId,
			pullers: pullers.map(({ pullerId, pusherId, mid }) => ({ pullerId, pusherId, userId: targetUserId, mid })),
		});
	}

	#leave(data: unknown): Promise<Reply> {
		return settle(() => {
			const { member } = this.#memberOf(checkData.leave(data));
			this.#joined = undefined;
			member.leave('left');
			return () => ({ code: 0, message: 'leave success' });
		});
	}

	#unpush(data: unknown): Promise<Reply> {
		return settle(() => {
			const unpush = checkData.unpush(data);
			const { user } = this.#memberOf(unpush).member;
			const pushers = unpush.pusherIds.map((pusherId) => find(user.pushers, pusherId, 'pusher'));
			for (const pusher of pushers) pusher.close('unpushed');
			return () => ({ code: 0, message: 'unpush success' });
		});
	}

	#unpull(data: unknown): Promise<Reply> {
		return settle(() => {
			const unpull = checkData.unpull(data);
			const { user } = this.#memberOf(unpull).member;
			const pullers = unpull.pullerIds.map((pullerId) => find(user.pullers, pullerId, 'puller'));
			for (const puller of pullers) puller.close('unpulled');
			return () => ({ code: 0, message: 'unpull success' });
		});
	}

	async #pausePusher(data: unknown, pause: boolean): Promise<Reply> {
		const request = checkData.pusher(data);
		const pusher = find(this.#memberOf(request).member.user.pushers, request.pusherId, 'pusher');
		await (pause ? pusher.pause() : pusher.resume());
		return () => ({ code: 0, message: pause ? 'pausePusher success' : 'resumePusher success' });
	}

	async #updatePusher(data: unknown): Promise<Reply> {
		const request = checkData.updatePusher(data);
		const { roomId, userId, pusherId } = request;
		const { user } = this.#memberOf(request).member;
		find(user.pushers, pusherId, 'pusher');
		const details = detailsOf(request);
		await this.#authorize({ action: 'updatePusher', roomId, userId, pusherId, details });
		find(user.pushers, pusherId, 'pusher').update(details);
		return () => ({ code: 0, message: 'updatePusher success' });
	}

	async #pausePuller(data: unknown, pause: boolean): Promise<Reply> {
		const request = checkData.puller(data);
		const puller = find(this.#memberOf(request).member.user.pullers, request.pullerId, 'puller');
		await (pause ? puller.pause() : puller.resume());
		return () => ({ code: 0, message: pause ? 'pausePuller success' : 'resumePuller success' });
	}

	#heartbeat(data: unknown): Promise<Reply> {
		return settle(() => {
			const { roomId, userId } = checkData.heartbeat(data);
			this.#memberOf({ roomId, userId });
			return () => ({ code: 0, message: 'ok', roomId, userId });
		});
	}

	/** The socket's user, unless it has left by other means. */
	#current(): { channel: RoomChannel; member: Member } | undefined {
		return this.#joined?.member.user.closed ? undefined : this.#joined;
	}

	/** A message speaks for the user that joined on this socket, and for no other. */
	#memberOf({ roomId, userId }: MemberData): { channel: RoomChannel; member: Member } {
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

const settle = <Result>(run: () => Result): Promise<Result> =>
	new Promise((resolve) => {
		resolve(run());
	});

function pushOptions({ media }: PushData): PushOptions {
	if (!media) return {};
	const mids = media.map(({ mid }) => mid);
	const twice = mids.find((mid, index) => mids.indexOf(mid) !== index);
	if (twice !== undefined) throw new SfuError('invalid_argument', `data.media names mid ${quote(twice)} twice`);
	return { media: Object.fromEntries(media.map((of) => [of.mid, detailsOf(of)])) };
}

/** Of a message, which may have more than we know. */
const detailsOf = ({ source, metadata }: { source?: string | null; metadata?: unknown }): PusherDetails => ({
	...(source !== undefined && { source }),
	...(metadata !== undefined && { metadata }),
});

function find<Item>(items: ReadonlyMap<string, Item>, id: string, what: string): Item {
	const item = items.get(id);
	if (!item) throw new SfuError('not_found', `the user has no ${what} ${quote(id)}`);
	return item;
}
