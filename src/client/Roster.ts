import type { PusherIdsData, UserData } from '../protocol/index.js';
import type { CallEvents } from './CallEvents.js';
import type { Changes } from './Changes.js';
import type { Pulled, Wanted } from './Downlink.js';
import { RemoteChannel } from './RemoteChannel.js';
import { detailsOf, RemoteTrack, type RemoteTrackContext } from './RemoteTrack.js';
import { RemoteUser } from './RemoteUser.js';
import type { NotificationHandlers } from './Wire.js';

/** What the roster needs of the call. */
export interface RosterContext {
	/** This user, whom a server may tell of while the client moves to another one. */
	userId: string;
	emit: <Event extends keyof CallEvents>(event: Event, payload: CallEvents[Event]) => void;
	track: Omit<RemoteTrackContext, 'emit'>;
	/** There is a new track, which may have to be asked for. */
	added: (track: RemoteTrack) => void;
	/** There may be something to ask for by name. */
	pull(): Promise<void>;
}

/** What a notification says of a user, with what it pushes. */
type News = Omit<UserData, 'pushers' | 'metadata'> & Partial<Pick<UserData, 'pushers' | 'metadata'>>;

/** The others in the room, and what they publish. */
export class Roster {
	readonly users = new Map<string, RemoteUser>();
	/** The pusher ids that are to be asked for by name. */
	readonly named = new Set<string>();
	/** Takes the notifications about the others. */
	readonly handlers: NotificationHandlers;
	readonly #context: RosterContext;
	#speaker: RemoteUser | undefined;

	constructor(context: RosterContext) {
		this.#context = context;
		const add = (user: News) => {
			this.#add(user);
		};
		const setUser = (changes: Changes<RemoteUser>) => (data: { userId: string }) => {
			this.#setUser(data.userId, changes);
		};
		const setPushers =
			(changes: Changes<RemoteTrack>) =>
			({ userId, pusherIds }: PusherIdsData) => {
				this.#setPushers(userId, pusherIds, changes);
			};
		this.handlers = {
			newUser: (users) => {
				users.forEach(add);
			},
			newPusher: add,
			newDataPusher: add,
			userLeft: (userIds) => {
				userIds.forEach((userId) => {
					this.#removeUser(userId);
				});
			},
			userChanged: ({ userId, userName, metadata }) => {
				this.#setUser(userId, { userName, metadata });
			},
			userDisconnect: setUser({ online: false }),
			userReconnect: setUser({ online: true }),
			userQuality: ({ userId, quality }) => {
				this.#setUser(userId, { quality });
			},
			pusherClosed: ({ userId, pusherIds }) => {
				this.#removePushers(userId, pusherIds);
			},
			pusherPaused: setPushers({ muted: true }),
			pusherResumed: setPushers({ muted: false }),
			pusherStalled: setPushers({ stalled: true }),
			pusherRecovered: setPushers({ stalled: false }),
			pusherChanged: ({ userId, pushers }) => {
				for (const { pusherId, source, metadata } of pushers) {
					this.#setPushers(userId, [pusherId], { source: source ?? undefined, metadata: metadata ?? undefined });
				}
			},
			pullerPaused: ({ userId, pusherId, cause: pausedBy }) => {
				this.#setPushers(userId, [pusherId], { pausedBy });
			},
			pullerResumed: ({ userId, pusherId }) => {
				this.#setPushers(userId, [pusherId], { pausedBy: null });
			},
			layersChanged: ({ userId, pusherId, spatialLayer: spatial, temporalLayer }) => {
				const layers = spatial === null ? null : { spatial, temporal: temporalLayer ?? 0 };
				this.#setPushers(userId, [pusherId], { layers });
				this.users.get(userId)?.tracks.get(pusherId)?.choose();
			},
			audioLevels: ({ levels }) => {
				for (const user of this.users.values()) Object.assign(user, { level: 0 });
				for (const { userId, volume } of levels) {
					const user = this.users.get(userId);
					if (user) Object.assign(user, { level: Math.max(user.level, 10 ** (volume / 20)) });
				}
			},
		};
	}

	/** Takes the list of the users who are in the room now, and tells what is different. */
	replace(users: readonly UserData[]): void {
		const current = new Map(users.map((user) => [user.userId, user]));
		for (const { userId, tracks, channels } of this.users.values()) {
			const user = current.get(userId);
			const ids = [...(user?.pushers ?? []), ...(user?.dataPushers ?? [])].map(({ pusherId }) => pusherId);
			this.#removePushers(
				userId,
				[...tracks.keys(), ...channels.keys()].filter((id) => !ids.includes(id)),
			);
			if (!user) this.#removeUser(userId);
		}
		for (const user of users) {
			this.#add(user);
			const { userId, userName, metadata } = user;
			this.#setUser(userId, { userName, metadata, online: true });
			for (const pusher of user.pushers) this.#setPushers(userId, [pusher.pusherId], detailsOf(pusher));
		}
	}

	/** @returns the user who speaks, if it is one of the others */
	setSpeaker(userId: string | null): RemoteUser | null {
		if (this.#speaker) Object.assign(this.#speaker, { speaking: false });
		this.#speaker = this.users.get(userId ?? '');
		return this.#speaker ? Object.assign(this.#speaker, { speaking: true }) : null;
	}

	/** What is received is this. `isComplete`: nothing else. */
	setPulled(pulled: ReadonlyMap<string, Pulled>, isComplete: boolean): void {
		for (const track of this.tracks()) {
			const one = pulled.get(track.id);
			if (one || isComplete) track.setPulled(one);
		}
	}

	/** What is to be asked for by name, but for what there is. */
	wanted(isPulled: (pusherId: string) => boolean): Wanted[] {
		const isMissing = ({ id }: { id: string }) => this.named.has(id) && !isPulled(id);
		const all = [...this.users.values()].map(({ userId: targetUserId, tracks, channels }) => ({
			targetUserId,
			specs: [
				...[...tracks.values()].filter(isMissing).map(({ id, kind }) => ({ type: kind, pusher_id: id })),
				...[...channels.values()].filter(isMissing).map(({ id }) => ({ type: 'data' as const, pusher_id: id })),
			],
		}));
		return all.filter(({ specs }) => specs.length > 0);
	}

	/** All tracks of all users. */
	tracks(): RemoteTrack[] {
		return [...this.users.values()].flatMap(({ tracks }) => [...tracks.values()]);
	}

	channel(id: string): RemoteChannel | undefined {
		return [...this.users.values()].map(({ channels }) => channels.get(id)).find((channel) => channel);
	}

	#add({ userId, userName, metadata, pushers = [], dataPushers = [] }: News): void {
		if (userId === this.#context.userId) return;
		let user = this.users.get(userId);
		if (!user) {
			user = new RemoteUser(userId, userName, metadata);
			this.users.set(userId, user);
			this.#context.emit('userJoined', user);
		}
		const { tracks, channels } = user;
		const { track: context, emit, added } = this.#context;
		for (const pusher of pushers) {
			if (tracks.has(pusher.pusherId)) continue;
			const track = new RemoteTrack(user, pusher, { ...context, emit });
			(tracks as Map<string, RemoteTrack>).set(track.id, track);
			emit('trackAdded', track);
			added(track);
		}
		for (const pusher of dataPushers) {
			if (channels.has(pusher.pusherId)) continue;
			const channel = new RemoteChannel(user, pusher, () => {
				this.named.add(channel.id);
				return this.#context.pull();
			});
			(channels as Map<string, RemoteChannel>).set(channel.id, channel);
			emit('channelAdded', channel);
		}
	}

	#removeUser(userId: string): void {
		const user = this.users.get(userId);
		if (!user) return;
		this.#removePushers(userId, [...user.tracks.keys(), ...user.channels.keys()]);
		this.users.delete(userId);
		this.#context.emit('userLeft', user);
	}

	#removePushers(userId: string, pusherIds: readonly string[]): void {
		const user = this.users.get(userId);
		if (!user) return;
		const { tracks, channels } = user;
		for (const pusherId of pusherIds) {
			const track = tracks.get(pusherId);
			const channel = channels.get(pusherId);
			(tracks as Map<string, RemoteTrack>).delete(pusherId);
			(channels as Map<string, RemoteChannel>).delete(pusherId);
			this.named.delete(pusherId);
			track?.end();
			if (track) this.#context.emit('trackRemoved', track);
			if (channel) this.#context.emit('channelRemoved', channel);
		}
	}

	#setUser(userId: string, changes: Changes<RemoteUser>): void {
		const user = this.users.get(userId);
		if (user && isOther(user, changes)) this.#context.emit('userChanged', Object.assign(user, changes));
	}

	#setPushers(userId: string, pusherIds: readonly string[], changes: Changes<RemoteTrack>): void {
		const { tracks, channels } = this.users.get(userId) ?? {};
		for (const pusherId of pusherIds) {
			const track = tracks?.get(pusherId);
			const channel = channels?.get(pusherId);
			if (track && isOther(track, changes)) this.#context.emit('trackChanged', Object.assign(track, changes));
			if (channel) Object.assign(channel, changes);
		}
	}
}

/** Whether anything changes. */
function isOther(object: object, changes: object): boolean {
	return JSON.stringify({ ...object, ...changes }) !== JSON.stringify(object);
}
