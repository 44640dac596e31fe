import { SfuError, type AnyPuller, type AnyPusher, type JoinOptions, type Room, type User } from '../index.js';
import type { ActiveSpeakerData, JoinData, Notifications, TextMessage, UserData } from '../protocol/index.js';
import { quoted } from '../quoted.js';
import type { JoinGrant } from './authorize.js';
import type { ClientLimits } from './limits.js';
import { Member } from './Member.js';
import { dataPullerData, dataPusherData, ownDataPusherData, permissionsData, userData } from './serialize.js';
import type { EncodeNotification, MemberSession } from './SignalingClient.js';
import { VisibleUsers } from './VisibleUsers.js';

interface RoomNotifierOptions<Message> {
	encode: EncodeNotification<Message>;
	rtcpilot: boolean;
	audioLevels: boolean;
	userQuality: boolean;
	limits: Readonly<ClientLimits>;
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

/** Notifies the members of a room. Each notification is encoded once for all of its receivers. */
export class RoomNotifier<Message> {
	readonly room: Room;
	readonly #rtcpilot: boolean;
	readonly #limits: Readonly<ClientLimits>;
	readonly #encode: EncodeNotification<Message>;
	readonly #visible: VisibleUsers;
	readonly #members = new Map<string, Member<Message>>();
	/** The joins of which the user is not a member yet, but those that wait in the lobby. */
	readonly #joining = new Map<string, Promise<unknown>>();
	/** The sessions whose join waits in the lobby. */
	readonly #waiting = new Map<string, MemberSession<Message>>();

	constructor(room: Room, { encode, rtcpilot, audioLevels, userQuality, limits }: RoomNotifierOptions<Message>) {
		this.room = room;
		this.#encode = encode;
		this.#rtcpilot = rtcpilot;
		this.#limits = limits;
		this.#visible = new VisibleUsers(room, rtcpilot);
		const { roomId } = room;
		room.on('userJoined', ({ user }) => {
			this.#tellOthers(user, 'newUser', [userData(user, [], { rtcpilot })]);
		});
		room.on('userRenamed', ({ user }) => {
			const { userId, userName } = user;
			this.#tellOthers(user, 'userRenamed', { roomId, userId, userName });
		});
		room.on('permissionsChanged', ({ user, permissions, before }) => {
			if (before.hidden && !permissions.hidden) this.#tellOthers(user, 'newUser', [userData(user, [], { rtcpilot })]);
			else if (!before.hidden && permissions.hidden) this.#tellLeft(user);
			const data = { roomId, userId: user.userId, permissions: permissionsData(permissions) };
			this.#tellUser(user, 'permissionsChanged', data);
		});
		room.on('pushed', ({ user, pushers }) => {
			this.#tellOthers(user, 'newPusher', { roomId, ...userData(user, pushers, { rtcpilot }) });
		});
		room.on('pusherAdded', ({ user, pusher }) => {
			if (pusher.kind !== 'data') return;
			const { userId, userName } = user;
			this.#tellOthers(user, 'newDataPusher', { roomId, userId, userName, dataPushers: [dataPusherData(pusher)] });
		});
		room.on('pusherChanged', ({ user, pusher: { pusherId, source = null, metadata = null } }) => {
			const { userId } = user;
			this.#tellOthers(user, 'pusherChanged', { roomId, userId, pushers: [{ pusherId, source, metadata }] });
		});
		room.on('pusherClosed', ({ user, pusher, reason }) => {
			// For a user who leaves, `userLeft` is enough.
			if (reason !== 'userLeft') this.#tellOthers(user, 'pusherClosed', pusherIdData(room, user, pusher));
		});
		for (const event of ['pusherPaused', 'pusherResumed'] as const) {
			room.on(event, ({ user, pusher, cause }) => {
				const data = pusherIdData(room, user, pusher);
				// The user's own client needs to know only if the app did it.
				if (cause === 'app') this.#tellAll(event, data);
				else this.#tellOthers(user, event, data);
			});
		}
		for (const event of ['pusherStalled', 'pusherRecovered'] as const) {
			room.on(event, ({ user, pusher }) => {
				// The user's own client may not know that nothing arrives: its way back may be open.
				this.#tellAll(event, pusherIdData(room, user, pusher));
			});
		}
		room.on('activeSpeakerChanged', () => {
			this.#tellAll('activeSpeaker', this.activeSpeaker ?? { roomId, userId: null, pusherId: null });
		});
		if (audioLevels) {
			room.on('audioLevels', ({ levels }) => {
				this.#tellAll('audioLevels', {
					roomId,
					levels: levels.map(({ user, pusher, volume }) => ({
						userId: user.userId,
						pusherId: pusher.pusherId,
						volume,
					})),
				});
			});
		}
		if (userQuality) {
			room.on('userRated', ({ user, quality = null }) => {
				const data = { roomId, userId: user.userId, quality };
				if (user.permissions.hidden) this.#tellUser(user, 'userQuality', data);
				else this.#tellAll('userQuality', data);
			});
		}
		room.on('userLeft', ({ user, reason }) => {
			if (reason === 'roomClosed') return;
			if (!user.permissions.hidden) this.#tellLeft(user);
		});
		room.on('draining', ({ timeout = null }) => {
			this.#tellAll('migrate', { roomId, timeout });
		});
		room.once('closed', ({ reason }) => {
			this.#tellAll('roomClosed', { roomId, reason });
			this.#members.clear();
		});
	}

	/** The user who speaks, `undefined` if nobody does. */
	get activeSpeaker(): ActiveSpeakerData | undefined {
		const { roomId, activeSpeaker } = this.room;
		if (!activeSpeaker) return undefined;
		const { user, pusher } = activeSpeaker;
		return { roomId, userId: user.userId, pusherId: pusher.pusherId };
	}

	/** Makes all members leave. */
	close(): void {
		for (const member of [...this.#members.values()]) member.leave('left');
	}

	/** Lets a client join, come back to its user, or take the place of another client of the user. */
	async enter({ grant, ...entry }: Entry<Message>): Promise<Entered<Message>> {
		const { userId, userName, resumeToken } = entry.join;
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
		const joining = this.#join({ userName, ...options, userId, signal: entry.signal }, entry);
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
			const member = new Member<Message>(user, this.#limits);
			this.#members.set(userId, member);
			this.#follow(member);
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
	sendText(message: TextMessage): void {
		const others = [...this.#members.values()].filter(({ user, slow }) => user.userId !== message.userId && !slow);
		this.#tell(others, 'textMessage', message);
	}

	/** Tells the others that the socket of a user is lost, and that the user may come back. */
	lost(user: User): void {
		const { userId } = user;
		if (this.#rtcpilot) this.#tellOthers(user, 'userDisconnect', { roomId: this.room.roomId, userId });
	}

	/** Tells the others that a user whose socket was lost has come back. */
	cameBack(user: User): void {
		const { userId, userName } = user;
		if (this.#rtcpilot) this.#tellOthers(user, 'userReconnect', { roomId: this.room.roomId, userId, userName });
	}

	/** Notifies a member of its own pullers and connections. */
	#follow(member: Member<Message>): void {
		const { user } = member;
		const tell = <Method extends keyof Notifications>(method: Method, data: Notifications[Method]) => {
			this.#tell([member], method, data);
		};
		user.on('pusherAdded', ({ pusher }) => {
			if (pusher.kind !== 'data') return;
			tell('dataChannelPushed', { connectionId: pusher.connectionId, dataPushers: [ownDataPusherData(pusher)] });
		});
		user.on('pullerAdded', ({ puller, inBand }) => {
			if (puller.kind !== 'data' || !inBand) return;
			tell('dataChannelPulled', { connectionId: puller.connectionId, dataPullers: [dataPullerData(puller)] });
		});
		user.on('pullerClosed', ({ puller, reason }) => {
			if (reason === 'userLeft') return;
			tell('pullerClosed', { ...pullerIdData(puller), connectionId: puller.connectionId, reason });
		});
		user.on('pullerChanged', ({ puller, layers }) => {
			const { spatialLayer = null, temporalLayer = null } = layers ?? {};
			tell('layersChanged', { ...pullerIdData(puller), spatialLayer, temporalLayer });
		});
		for (const event of ['pullerPaused', 'pullerResumed'] as const) {
			user.on(event, ({ puller, cause }) => {
				if (cause === 'app' || cause === 'bandwidth') tell(event, { ...pullerIdData(puller), cause });
			});
		}
		user.on('layersWanted', ({ pusher: { pusherId }, encodings }) => {
			tell('layersWanted', { pusherId, encodings: [...encodings] });
		});
		user.on('offer', () => {
			member.bringOffer();
		});
		user.on('qualityChanged', ({ connection: { connectionId }, quality }) => {
			tell('qualityChanged', { connectionId, quality });
		});
		user.on('connectionClosed', ({ connection, reason }) => {
			const { connectionId } = connection;
			if (reason === 'workerDied') tell('mediaLost', { connectionIds: [connectionId] });
			// The client knows when its own connections end.
			else if (connection.offeredBy === 'server' && reason !== 'userLeft') {
				tell('connectionClosed', { connectionId, reason });
			}
		});
		user.once('closed', ({ reason }) => {
			// `roomClosed` tells all members at once.
			if (reason === 'roomClosed') return;
			this.#members.delete(user.userId);
			if (!member.leaving) tell('kicked', { roomId: this.room.roomId, reason });
		});
	}

	#tellUser<Method extends keyof Notifications>({ userId }: User, method: Method, data: Notifications[Method]): void {
		const member = this.#members.get(userId);
		if (member) this.#tell([member], method, data);
	}

	#tellAll<Method extends keyof Notifications>(method: Method, data: Notifications[Method]): void {
		this.#tell([...this.#members.values()], method, data);
	}

	/** Tells the others of a user, unless it is hidden. */
	#tellOthers<Method extends keyof Notifications>(user: User, method: Method, data: Notifications[Method]): void {
		if (!user.permissions.hidden) this.#tellAllBut(user, method, data);
	}

	/** Tells the others that a user has left, or is hidden from now on. */
	#tellLeft(user: User): void {
		const { userId } = user;
		this.#tellAllBut(user, 'userLeft', [userId]);
		if (this.#rtcpilot) this.#tellAllBut(user, 'userLeave', { roomId: this.room.roomId, userId });
	}

	#tellAllBut<Method extends keyof Notifications>(user: User, method: Method, data: Notifications[Method]): void {
		this.#tell(
			[...this.#members.values()].filter((member) => member.user !== user),
			method,
			data,
		);
	}

	#tell<Method extends keyof Notifications>(
		members: Member<Message>[],
		method: Method,
		data: Notifications[Method],
	): void {
		const receivers = members.filter(({ listening }) => listening);
		if (receivers.length === 0) return;
		const message = this.#encode(method, data);
		for (const receiver of receivers) receiver.send(message);
	}
}

const pusherIdData = ({ roomId }: Room, { userId }: User, { pusherId }: AnyPusher) => ({
	roomId,
	userId,
	pusherIds: [pusherId],
});

const pullerIdData = ({ pullerId, pusherId, targetUserId: userId }: AnyPuller) => ({ pullerId, pusherId, userId });
