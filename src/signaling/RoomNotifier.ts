import { SfuError, type JoinOptions, type Room, type User } from '../index.js';
import type { JoinData, TextMessage, UserData } from '../protocol/index.js';
import { quoted } from '../quoted.js';
import type { JoinGrant } from './authorize.js';
import type { ClientLimits } from './limits.js';
import { Member } from './Member.js';
import { Members } from './Members.js';
import { notifyMember } from './notifyMember.js';
import { notifyOfRoom, type RoomNotifications } from './notifyOfRoom.js';
import type { EncodeNotification, MemberSession } from './SignalingClient.js';
import { RoomListeners } from './RoomListeners.js';
import { VisibleUsers } from './VisibleUsers.js';

interface RoomNotifierOptions<Message> extends RoomNotifications {
	encode: EncodeNotification<Message>;
	limits: Readonly<ClientLimits>;
	/** Called when the room has closed. */
	closed: () => void;
}

/** A client that wants to join. */
interface Entry<Message> {
	/** The data of its message. */
	join: JoinData;
	/** How it joins. */
	grant: JoinGrant;
	session: MemberSession<Message>;
	/** Ends the wait in the lobby. */
	signal: AbortSignal;
	/** Called at once if the client waits in the lobby. */
	waits: () => void;
}

/** The user that a client speaks for, and whether it has come back to it. */
interface Entered<Message> {
	member: Member<Message>;
	resumed: boolean;
}

/** Lets clients into a room, and notifies its members. */
export class RoomNotifier<Message> {
	readonly room: Room;
	readonly #rtcpilot: boolean;
	readonly #limits: Readonly<ClientLimits>;
	readonly #encode: EncodeNotification<Message>;
	readonly #visible: VisibleUsers;
	readonly #members: Members<Message>;
	readonly #listeners: RoomListeners;
	/** The joins of which the user is not a member yet, but those that wait in the lobby. */
	readonly #joining = new Map<string, Promise<unknown>>();
	/** The sessions whose join waits in the lobby. */
	readonly #waiting = new Map<string, MemberSession<Message>>();

	/** Until when the users may stay while the server is drained, by `performance.now()`. `null` stands for as long as they like. */
	#drainedUntil: number | null | undefined;

	constructor(
		room: Room,
		{ encode, rtcpilot, audioLevels, userQuality, limits, closed }: RoomNotifierOptions<Message>,
	) {
		this.room = room;
		this.#encode = encode;
		this.#rtcpilot = rtcpilot;
		this.#limits = limits;
		const listeners = new RoomListeners(room);
		this.#listeners = listeners;
		this.#visible = new VisibleUsers(listeners, rtcpilot);
		this.#members = new Members(encode);
		notifyOfRoom(listeners, this.#members, { rtcpilot, audioLevels, userQuality });
		listeners.on('textMessage', (text) => {
			this.#tellText({ roomId: room.roomId, ...text });
		});
		listeners.on('draining', ({ timeout }) => {
			this.#drainedUntil = timeout === undefined ? null : performance.now() + timeout;
		});
		listeners.on('closed', () => {
			this.#members.clear();
			closed();
		});
	}

	/** Tells a client that has come back, after the response to its join, that the server will stop, if it will. */
	tellDraining(member: Member<Message>): void {
		const until = this.#drainedUntil;
		if (until === undefined) return;
		const timeout = until === null ? null : Math.max(Math.round(until - performance.now()), 0);
		const message = this.#encode('migrate', { roomId: this.room.roomId, timeout });
		queueMicrotask(() => {
			member.send(message);
		});
	}

	/** Makes all members leave. The room may go on without it. */
	close(): void {
		for (const member of this.#members.all) member.leave('left');
		this.#listeners.end();
	}

	/** Lets a client join, come back to its user, or take the place of another client of the user. */
	async enter({ grant, ...entry }: Entry<Message>): Promise<Entered<Message>> {
		const { userId, userName, metadata, resumeToken } = entry.join;
		const { takeOver = this.#rtcpilot, ...options } = grant;
		// A wait for the lobby ends when the client that waits is dismissed.
		if (takeOver) this.#dismissWaiting(userId);
		for (let joining = this.#joining.get(userId); joining; joining = this.#joining.get(userId)) {
			await joining.catch(() => undefined);
		}
		const before = this.#members.get(userId);
		if (before && this.#isSameClient(before, resumeToken)) return { member: before, resumed: true };
		// A room that is drained refuses the join, and then nobody is replaced.
		if (before && !this.room.draining) {
			if (!before.lost && !takeOver) throw new SfuError('conflict', `user ${quoted(userId)} is in the room already`);
			// It was in the room already, so neither lock nor lobby is asked.
			options.admitted = true;
			this.#replace(before);
		}
		if (this.#takesOverElsewhere(entry.join, takeOver)) Object.assign(options, { admitted: true, takeOver: true });
		const joining = this.#join({ userName, metadata, ...options, userId, signal: entry.signal }, entry);
		// Nobody waits for a join that may take as long as the app likes.
		if (!this.#waiting.has(userId)) this.#joining.set(userId, joining);
		try {
			const member = await joining;
			return { member, resumed: false };
		} finally {
			if (this.#joining.get(userId) === joining) this.#joining.delete(userId);
		}
	}

	/**
	 * Whether a token vouches for the client. Without any, the option `rtcpilot` does: such clients know no token. `null`
	 * stands for a client that knows tokens, and has none.
	 */
	#isSameClient(member: Member<Message>, token: string | null | undefined): boolean {
		return token === undefined ? this.#rtcpilot : token !== null && member.isResumedBy(token);
	}

	/**
	 * Whether the client takes the place of its user on another server: it vouches for itself, the socket there is lost, or the
	 * app allows it.
	 *
	 * @throws {@link SfuError} `conflict`
	 */
	#takesOverElsewhere({ userId, resumeToken }: JoinData, takeOver: boolean): boolean {
		const user = this.room.users.get(userId);
		if (!user?.isRemote || this.room.draining) return false;
		const vouches = typeof resumeToken === 'string' && user.tickets.has(resumeToken);
		if (vouches || user.tickets.lost || takeOver) return true;
		throw new SfuError('conflict', `user ${quoted(userId)} is in the room already`);
	}

	async #join(
		options: JoinOptions,
		{ session, waits }: Pick<Entry<Message>, 'session' | 'waits'>,
	): Promise<Member<Message>> {
		const { roomId } = this.room;
		const { userId } = options;
		const waitedBefore = this.room.waiting.get(userId);
		const joining = this.room.join(options);
		const waiting = this.room.waiting.get(userId);
		if (waiting && waiting !== waitedBefore) {
			this.#waiting.set(userId, session);
			session.client.send(this.#encode('waiting', { roomId, userId }));
			waits();
		}
		try {
			const user = await joining;
			if (user.closed) throw new SfuError('closed', 'the user has left meanwhile');
			const member = new Member<Message>(user, this.#limits, {
				roomId,
				encode: this.#members.encodeApp.bind(this.#members),
			});
			this.#members.add(member);
			notifyMember(member, this.#members, roomId);
			user.once('closed', ({ reason }) => {
				// The user has joined on another server.
				if (reason !== 'replaced' || member.leaving || !member.session) return;
				Member.dismiss(member.session, this.replaced(userId));
			});
			return member;
		} finally {
			if (this.#waiting.get(userId) === session) this.#waiting.delete(userId);
		}
	}

	/** Makes the user of another client leave, so that a client may begin anew in its place. */
	#replace(member: Member<Message>): void {
		const { session } = member;
		member.leave('replaced');
		if (session) Member.dismiss(session, this.replaced(member.user.userId));
	}

	#dismissWaiting(userId: string): void {
		const session = this.#waiting.get(userId);
		if (session) Member.dismiss(session, this.replaced(userId));
	}

	/** The encoded notification that a client is dismissed with. */
	replaced(userId: string): Message {
		return this.#encode('replaced', { roomId: this.room.roomId, userId });
	}

	/** The other users, as the response to `join` lists them. */
	others(user: User): UserData[] {
		return this.#visible.others(user);
	}

	/** Sends a text to all users but its author. A client that reads too slowly misses it, and keeps its socket. */
	sendText({ userId, userName, message, time }: TextMessage): void {
		this.room.relayText({ userId, userName, message, time });
	}

	#tellText(message: TextMessage): void {
		const others = this.#members.all.filter(({ user, slow }) => user.userId !== message.userId && !slow);
		this.#members.tell(others, 'textMessage', message);
	}

	/** Tells the others that the socket of a user is lost, and that the user may come back. */
	lost(user: User): void {
		const { userId } = user;
		if (this.#rtcpilot) this.#members.tellOthers(user, 'userDisconnect', { roomId: this.room.roomId, userId });
	}

	/** Tells the others that a user whose socket was lost has come back. */
	cameBack(user: User): void {
		const { userId, userName } = user;
		if (this.#rtcpilot) this.#members.tellOthers(user, 'userReconnect', { roomId: this.room.roomId, userId, userName });
	}
}
