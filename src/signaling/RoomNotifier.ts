import type { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import { OfferingConnection } from '../connections/OfferingConnection.js';
import type { PauseCause } from '../tracks/Pauses.js';
import type { Room } from '../rooms/Room.js';
import type { User } from '../rooms/User.js';
import { SfuError } from '../SfuError.js';
import { Member } from './Member.js';
import type { ActiveSpeakerData, Notifications, TextMessage, UserData } from '../protocol/messages.js';
import type { PeerLimits } from '../protoo/Peer.js';
import type { JoinData } from './schemas.js';
import { dataPullerData, dataPusherData, ownDataPusherData, userData } from './serialize.js';

/** Tells the sockets in a room what happens in it. */
export class RoomNotifier {
	readonly room: Room;
	readonly #rtcpilot: boolean;
	readonly #limits: PeerLimits;
	readonly #members = new Map<string, Member>();
	readonly #joining = new Map<string, Promise<unknown>>();

	constructor(
		room: Room,
		{ rtcpilot, audioLevels, limits }: { rtcpilot: boolean; audioLevels: boolean; limits: PeerLimits },
	) {
		this.room = room;
		this.#rtcpilot = rtcpilot;
		this.#limits = limits;
		room.on('userJoined', ({ user }) => {
			this.#tellOthers(user, 'newUser', [userData(user, [])]);
		});
		room.on('pushed', ({ user, pushers }) => {
			this.#tellOthers(user, 'newPusher', { roomId: room.roomId, ...userData(user, pushers) });
		});
		const tellClosed = (user: User, { pusherId }: Pusher | DataPusher, reason: string) => {
			// Those of a user who leaves go with the user.
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
			{ userId }: User,
			{ pusherId }: Pusher | DataPusher,
			cause: PauseCause,
		) => {
			const data = { roomId: room.roomId, userId, pusherIds: [pusherId] };
			this.#tellOthers({ userId }, method, data);
			// Its own client has done it itself, or must be told.
			if (cause === 'app') this.#members.get(userId)?.notify(method, data);
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

	/** All who came by this adapter leave. */
	close(): void {
		for (const member of [...this.#members.values()]) member.leave('left');
	}

	/** The member of that user id: a new one, or the one that comes back. */
	async enter({ userId, userName }: JoinData): Promise<Member> {
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
			const member = new Member(user, this.#limits);
			this.#members.set(userId, member);
			this.#follow(member);
			return member;
		} finally {
			this.#joining.delete(userId);
		}
	}

	/** Who speaks, `undefined` when nobody does. */
	get activeSpeaker(): ActiveSpeakerData | undefined {
		const { roomId, activeSpeaker } = this.room;
		if (!activeSpeaker) return undefined;
		const { user, pusher } = activeSpeaker;
		return { roomId, userId: user.userId, pusherId: pusher.pusherId };
	}

	/** What somebody who joins is told of the others. */
	others(user: User): UserData[] {
		return [...this.room.users.values()]
			.filter((other) => other !== user)
			.map((other) => userData(other, other.pushers.values(), other.dataPushers.values()));
	}

	sendText(user: User, message: TextMessage): void {
		this.#tellOthers(user, 'textMessage', message);
	}

	/** The socket of a user is lost, who may come back yet. */
	lost({ userId }: User): void {
		if (this.#rtcpilot) this.#tellOthers({ userId }, 'userDisconnect', { roomId: this.room.roomId, userId });
	}

	/** A user whose socket was lost has come back. */
	cameBack({ userId, userName }: User): void {
		if (this.#rtcpilot) this.#tellOthers({ userId }, 'userReconnect', { roomId: this.room.roomId, userId, userName });
	}

	/** What concerns the member alone. */
	#follow(member: Member): void {
		const { user } = member;
		const tellPullerClosed = (puller: Puller | DataPuller, reason: string) => {
			if (reason === 'userLeft') return;
			const { pullerId, pusherId, targetUserId: userId, connectionId } = puller;
			member.notify('pullerClosed', { pullerId, pusherId, userId, connectionId, reason });
		};
		user.on('pullerClosed', ({ puller, reason }) => {
			tellPullerClosed(puller, reason);
		});
		user.on('dataPullerClosed', ({ dataPuller, reason }) => {
			tellPullerClosed(dataPuller, reason);
		});
		user.on('dataPusherAdded', ({ dataPusher }) => {
			const { connectionId } = dataPusher;
			member.notify('dataChannelPushed', { connectionId, dataPushers: [ownDataPusherData(dataPusher)] });
		});
		user.on('dataPullerAdded', ({ dataPuller }) => {
			const { connectionId } = dataPuller;
			member.notify('dataChannelPulled', { connectionId, dataPullers: [dataPullerData(dataPuller)] });
		});
		user.on('layersChanged', ({ puller: { pullerId, pusherId, targetUserId: userId }, layers }) => {
			const { spatialLayer = null, temporalLayer = null } = layers ?? {};
			member.notify('layersChanged', { pullerId, pusherId, userId, spatialLayer, temporalLayer });
		});
		const tellPaused = (
			method: 'pullerPaused' | 'pullerResumed',
			{ pullerId, pusherId, targetUserId: userId }: Puller | DataPuller,
			cause: PauseCause,
		) => {
			if (cause === 'app') member.notify(method, { pullerId, pusherId, userId });
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
			member.notify('qualityChanged', { connectionId, quality });
		});
		user.on('connectionClosed', ({ connection, reason }) => {
			const { connectionId } = connection;
			if (reason === 'workerDied') member.notify('mediaLost', { connectionIds: [connectionId] });
			// What the server offers, the client cannot know to be over.
			else if (connection instanceof OfferingConnection && reason !== 'userLeft') {
				member.notify('connectionClosed', { connectionId, reason });
			}
		});
		user.once('closed', ({ reason }) => {
			// All are told together, by the room, why it was closed.
			if (reason === 'roomClosed') return;
			this.#members.delete(user.userId);
			if (!member.leaving) member.notify('kicked', { roomId: this.room.roomId, reason });
		});
	}

	#tellAll<Method extends keyof Notifications>(method: Method, data: Notifications[Method]): void {
		for (const member of this.#members.values()) member.notify(method, data);
	}

	#tellOthers<Method extends keyof Notifications>(
		{ userId }: { userId: string },
		method: Method,
		data: Notifications[Method],
	): void {
		for (const member of this.#members.values()) {
			if (member.user.userId !== userId) member.notify(method, data);
		}
	}
}
