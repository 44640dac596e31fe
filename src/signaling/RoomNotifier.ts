import {
	SfuError,
	type DataPuller,
	type DataPusher,
	type PauseCause,
	type Puller,
	type Pusher,
	type Room,
	type User,
} from '../index.js';
import type { ActiveSpeakerData, JoinData, Notifications, TextMessage, UserData } from '../protocol/index.js';
import type { ClientLimits } from './limits.js';
import { Member } from './Member.js';
import { dataPullerData, dataPusherData, ownDataPusherData, userData } from './serialize.js';
import type { EncodeNotification } from './SignalingClient.js';

interface RoomNotifierOptions<Message> {
	encode: EncodeNotification<Message>;
	rtcpilot: boolean;
	audioLevels: boolean;
	limits: ClientLimits;
}

/** Notifies the members of a room. Each notification is encoded once for all of its receivers. */
export class RoomNotifier<Message> {
	readonly room: Room;
	readonly #rtcpilot: boolean;
	readonly #encode: EncodeNotification<Message>;
	readonly #limits: ClientLimits;
	readonly #members = new Map<string, Member<Message>>();
	readonly #joining = new Map<string, Promise<unknown>>();

	constructor(room: Room, { encode, rtcpilot, audioLevels, limits }: RoomNotifierOptions<Message>) {
		this.room = room;
		this.#encode = encode;
		this.#rtcpilot = rtcpilot;
		this.#limits = limits;
		room.on('userJoined', ({ user }) => {
			this.#tellOthers(user, 'newUser', [userData(user, [])]);
		});
		room.on('pushed', ({ user, pushers }) => {
			this.#tellOthers(user, 'newPusher', { roomId: room.roomId, ...userData(user, pushers) });
		});
		const tellClosed = (user: User, { pusherId }: Pusher | DataPusher, reason: string) => {
			// `userLeft` tells of these.
			if (reason === 'userLeft') return;
			const { userId } = user;
			this.#tellOthers(user, 'pusherClosed', { roomId: room.roomId, userId, pusherIds: [pusherId] });
		};
		room.on('pusherClosed', ({ user, pusher, reason }) => {
			tellClosed(user, pusher, reason);
		});
		room.on('dataPusherClosed', ({ user, dataPusher, reason }) => {
			tellClosed(user, dataPusher, reason);
		});
		const tellPaused = (
			method: 'pusherPaused' | 'pusherResumed',
			user: User,
			{ pusherId }: Pusher | DataPusher,
			cause: PauseCause,
		) => {
			const data = { roomId: room.roomId, userId: user.userId, pusherIds: [pusherId] };
			// The user's own client has done it itself, or must be told.
			if (cause === 'app') this.#tellAll(method, data);
			else this.#tellOthers(user, method, data);
		};
		room.on('pusherPaused', ({ user, pusher, cause }) => {
			tellPaused('pusherPaused', user, pusher, cause);
		});
		room.on('pusherResumed', ({ user, pusher, cause }) => {
			tellPaused('pusherResumed', user, pusher, cause);
		});
		room.on('dataPusherPaused', ({ user, dataPusher, cause }) => {
			tellPaused('pusherPaused', user, dataPusher, cause);
		});
		room.on('dataPusherResumed', ({ user, dataPusher, cause }) => {
			tellPaused('pusherResumed', user, dataPusher, cause);
		});
		const tellChanged = (user: User, { pusherId, source, metadata }: Pusher | DataPusher) => {
			this.#tellOthers(user, 'pusherChanged', {
				roomId: room.roomId,
				userId: user.userId,
				pushers: [{ pusherId, source: source ?? null, metadata: metadata ?? null }],
			});
		};
		room.on('pusherChanged', ({ user, pusher }) => {
			tellChanged(user, pusher);
		});
		room.on('dataPusherChanged', ({ user, dataPusher }) => {
			tellChanged(user, dataPusher);
		});
		room.on('dataPusherAdded', ({ user, dataPusher }) => {
			const { userId, userName } = user;
			const dataPushers = [dataPusherData(dataPusher)];
			this.#tellOthers(user, 'newDataPusher', { roomId: room.roomId, userId, userName, dataPushers });
		});
		room.on('activeSpeakerChanged', () => {
			this.#tellAll('activeSpeaker', this.activeSpeaker ?? { roomId: room.roomId, userId: null, pusherId: null });
		});
		if (audioLevels) {
			room.on('audioLevels', ({ levels }) => {
				this.#tellAll('audioLevels', {
					roomId: room.roomId,
					levels: levels.map(({ user, pusher, volume }) => ({
						userId: user.userId,
						pusherId: pusher.pusherId,
						volume,
					})),
				});
			});
		}
		room.on('userLeft', ({ user, reason }) => {
			if (reason === 'roomClosed') return;
			this.#tellOthers(user, 'userLeft', [user.userId]);
			if (rtcpilot) this.#tellOthers(user, 'userLeave', { roomId: room.roomId, userId: user.userId });
		});
		room.once('closed', ({ reason }) => {
			this.#tellAll('roomClosed', { roomId: room.roomId, reason });
			this.#members.clear();
		});
	}

	/** The user who speaks, `undefined` when nobody does. */
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

	/** Lets a user join, or come back. */
	async enter({ userId, userName }: JoinData): Promise<Member<Message>> {
		for (;;) {
			const member = this.#members.get(userId);
			if (member) return member;
			const joining = this.#joining.get(userId);
			if (!joining) break;
			await joining.catch(() => undefined);
		}
		const joining = this.room.join({ userId, userName });
		this.#joining.set(userId, joining);
		try {
			const user = await joining;
			if (user.closed) throw new SfuError('closed', 'the room has been closed');
			const member = new Member<Message>(user, this.#limits);
			this.#members.set(userId, member);
			this.#follow(member);
			return member;
		} finally {
			this.#joining.delete(userId);
		}
	}

	/** The other users, as somebody who joins sees them. */
	others(user: User): UserData[] {
		return [...this.room.users.values()]
			.filter((other) => other !== user)
			.map((other) => userData(other, other.pushers.values(), other.dataPushers.values()));
	}

	/** Sends a text to all but its author. */
	sendText(user: User, message: TextMessage): void {
		this.#tellOthers(user, 'textMessage', message);
	}

	/** Tells that the socket of a user is lost, who may come back. */
	lost({ userId }: User): void {
		if (this.#rtcpilot) this.#tellOthers({ userId }, 'userDisconnect', { roomId: this.room.roomId, userId });
	}

	/** Tells that a user whose socket was lost has come back. */
	cameBack({ userId, userName }: User): void {
		if (this.#rtcpilot) this.#tellOthers({ userId }, 'userReconnect', { roomId: this.room.roomId, userId, userName });
	}

	/** Notifies a member of its own pullers and connections. */
	#follow(member: Member<Message>): void {
		const { user } = member;
		const tell = <Method extends keyof Notifications>(method: Method, data: Notifications[Method]) => {
			this.#tell([member], method, data);
		};
		const tellPullerClosed = (puller: Puller | DataPuller, reason: string) => {
			if (reason === 'userLeft') return;
			const { pullerId, pusherId, targetUserId: userId, connectionId } = puller;
			tell('pullerClosed', { pullerId, pusherId, userId, connectionId, reason });
		};
		user.on('pullerClosed', ({ puller, reason }) => {
			tellPullerClosed(puller, reason);
		});
		user.on('dataPullerClosed', ({ dataPuller, reason }) => {
			tellPullerClosed(dataPuller, reason);
		});
		user.on('dataPusherAdded', ({ dataPusher }) => {
			const { connectionId } = dataPusher;
			tell('dataChannelPushed', { connectionId, dataPushers: [ownDataPusherData(dataPusher)] });
		});
		user.on('dataPullerAdded', ({ dataPuller }) => {
			const { connectionId } = dataPuller;
			tell('dataChannelPulled', { connectionId, dataPullers: [dataPullerData(dataPuller)] });
		});
		user.on('layersChanged', ({ puller: { pullerId, pusherId, targetUserId: userId }, layers }) => {
			const { spatialLayer = null, temporalLayer = null } = layers ?? {};
			tell('layersChanged', { pullerId, pusherId, userId, spatialLayer, temporalLayer });
		});
		const tellPaused = (
			method: 'pullerPaused' | 'pullerResumed',
			{ pullerId, pusherId, targetUserId: userId }: Puller | DataPuller,
			cause: PauseCause,
		) => {
			if (cause === 'app') tell(method, { pullerId, pusherId, userId });
		};
		user.on('pullerPaused', ({ puller, cause }) => {
			tellPaused('pullerPaused', puller, cause);
		});
		user.on('pullerResumed', ({ puller, cause }) => {
			tellPaused('pullerResumed', puller, cause);
		});
		user.on('dataPullerPaused', ({ dataPuller, cause }) => {
			tellPaused('pullerPaused', dataPuller, cause);
		});
		user.on('dataPullerResumed', ({ dataPuller, cause }) => {
			tellPaused('pullerResumed', dataPuller, cause);
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
			// The client itself sees the end of the others.
			else if (connection.offeredBy === 'server' && reason !== 'userLeft') {
				tell('connectionClosed', { connectionId, reason });
			}
		});
		user.once('closed', ({ reason }) => {
			// The room tells all at once.
			if (reason === 'roomClosed') return;
			this.#members.delete(user.userId);
			if (!member.leaving) tell('kicked', { roomId: this.room.roomId, reason });
		});
	}

	#tellAll<Method extends keyof Notifications>(method: Method, data: Notifications[Method]): void {
		this.#tell([...this.#members.values()], method, data);
	}

	#tellOthers<Method extends keyof Notifications>(
		{ userId }: { userId: string },
		method: Method,
		data: Notifications[Method],
	): void {
		this.#tell(
			[...this.#members.values()].filter((member) => member.user.userId !== userId),
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
