import type { Cluster } from '../../cluster/Cluster.js';
import type { SharedRoom } from '../../cluster/SharedRoom.js';
import type { Logger } from '../../Logger.js';
import { LocalDataSource } from '../../media/DataSource.js';
import type { Demand } from '../../media/Demand.js';
import { LocalSource } from '../../media/LocalSource.js';
import type { HostEnd, PipeListen, Sendable, TakeRequest } from '../../media/pipes/hostPipes.js';
import { IncomingPipes, type TellNode } from '../../media/pipes/IncomingPipes.js';
import { OutgoingPipes } from '../../media/pipes/OutgoingPipes.js';
import type { DataSizes } from '../../media/pipes/PipePair.js';
import { SfuError } from '../../SfuError.js';
import type { AnyPusher } from '../../tracks/tracks.js';
import type { ProducerLevel } from '../../media/AudioObservers.js';
import type { AppMessage } from '../AppLine.js';
import type { TextOfUser } from '../RoomEvents.js';
import { repeatedEvents } from '../repeatEvents.js';
import type { RoomOptions } from '../RoomOptions.js';
import { SharedSettings } from '../SharedSettings.js';
import type { Speakers, Speaking } from '../Speakers.js';
import type { User } from '../User.js';
import type { UserContext } from '../UserContext.js';
import { callPusher, callUser } from './calls.js';
import type { Insistence } from './Insistence.js';
import { RemoteUser } from './RemoteUser.js';
import { userState, type UserState } from './UserState.js';

/** What a room gives and takes, to be shared with other servers. */
export interface SharedPart {
	readonly roomId: string;
	/** All users, on whatever server. */
	readonly users: ReadonlyMap<string, User>;
	contextOf: (userId: string) => UserContext;
	/** Somebody has joined on another server. */
	add: (user: RemoteUser) => void;
	/** How the room was opened here. They count if no other server has it open already. */
	options: RoomOptions;
	/** Another server has changed a setting of the room. */
	settingChanged: (key: string, value: unknown) => void;
	/** Another server has told something that concerns the whole room. */
	heard: (event: RoomEvent) => void;
	speakers: Pick<Speakers, 'speaksElsewhere' | 'levelsElsewhere' | 'lose'>;
	logger: Logger;
}

/** Something that concerns a whole room, and is told once: a text, a message of the app, or that it closes. */
export type RoomEvent = { text: TextOfUser } | { message: AppMessage; except: readonly string[] } | { closed: string };

/** Something that one server tells the others once: beside that, how loud everybody is. */
type SharedEvent = RoomEvent | { levels: ProducerLevel[] };

/** The events of a user after which the other servers are told of it. */
const tellingEvents = ['changed', 'pusherAdded', 'rated', ...repeatedEvents] as const;

/** The other servers are told for so long why a pusher has closed, in ms. */
const endedTime = 10_000;

/** The part of a room that is shared with other servers: its users and their media, both ways. */
export class RoomSharing {
	readonly #part: SharedPart;
	readonly #remotes = new Map<string, RemoteUser>();
	readonly #incoming: IncomingPipes;
	readonly #outgoing: OutgoingPipes;
	readonly #tell: TellNode;
	/** What other servers can take of tracks: each stands for all who pull there. */
	readonly #takers = new Map<string, Set<Demand>>();
	#room!: SharedRoom<UserState>;

	/** Finds out who is in the room on other servers. */
	static async open(
		cluster: Cluster,
		part: SharedPart,
		insistence: Insistence,
		pipes: { listen: PipeListen; data: DataSizes },
	): Promise<RoomSharing> {
		const sharing = new RoomSharing(cluster, part, insistence, pipes);
		sharing.#room = await cluster.openRoom<UserState>(part.roomId, {
			joined: (userId, nodeId, state) => {
				sharing.#add(userId, nodeId, state);
			},
			changed: (userId, state) => {
				sharing.#remotes.get(userId)?.follow(state);
			},
			left: (userId, reason) => {
				const user = sharing.#remotes.get(userId);
				sharing.#remotes.delete(userId);
				user?.end(reason);
			},
			replaced: (userId) => {
				sharing.#own(userId)?.close('replaced');
			},
			settingChanged: part.settingChanged,
			factChanged: (nodeId, key, value) => {
				if (key === 'speaker') part.speakers.speaksElsewhere(nodeId, value as Speaking | undefined);
			},
			event: (_, data, nodeId) => {
				sharing.#hear(data as SharedEvent, nodeId);
			},
		});
		sharing.#room.setInitialSetting(SharedSettings.optionsKey, part.options);
		return sharing;
	}

	private constructor(
		cluster: Cluster,
		part: SharedPart,
		insistence: Insistence,
		{ listen, data }: { listen: PipeListen; data: DataSizes },
	) {
		this.#part = part;
		const { logger, roomId } = part;
		const ask = (nodeId: string, method: string, params: object) => this.#room.request(nodeId, method, params);
		this.#tell = (nodeId, key, method, params) => {
			insistence.tell(nodeId, `${key} ${roomId}`, method, { roomId, ...params });
		};
		this.#incoming = new IncomingPipes({ ask, tell: this.#tell, listen, data, logger });
		this.#outgoing = new OutgoingPipes(this.#tell, listen, data);
		cluster.on('nodeLost', this.#lose);
		this.close = () => {
			cluster.off('nodeLost', this.#lose);
			this.#room.close();
			for (const user of this.#remotes.values()) user.end('roomClosed');
			this.#remotes.clear();
		};
	}

	/** Ends this server's part of the room, after its users have left. */
	readonly close: () => void;

	/** How many tracks and data channels go to other servers, and how many pairs of pipes come from them. */
	get counts(): { outgoing: number; incoming: number } {
		return { outgoing: this.#outgoing.size, incoming: this.#incoming.size };
	}

	/** Ends a user of another server, in whose place somebody joins here. That server is told by the join. */
	takeOver(userId: string): void {
		const user = this.#remotes.get(userId);
		this.#remotes.delete(userId);
		user?.end('replaced');
	}

	/** Tells of a user who has joined here, until it leaves. */
	follow(user: User): void {
		const { userId } = user;
		const ended = new Map<string, string>();
		const tell = () => {
			if (!user.closed) this.#room.set(userId, userState(user, ended));
		};
		user.on('pusherClosed', ({ pusher: { pusherId }, reason }) => {
			ended.set(pusherId, reason);
			setTimeout(() => ended.delete(pusherId), endedTime).unref();
		});
		for (const event of tellingEvents) user.on(event, tell);
		user.tickets.onChanged = tell;
		user.once('closed', ({ reason }) => {
			// The room may go on elsewhere.
			this.#room.delete(userId, reason === 'roomClosed' ? 'nodeStopped' : reason);
		});
		tell();
	}

	/** Changes a setting for all servers. */
	setSetting(key: string, value: unknown): void {
		this.#room.setSetting(key, value);
	}

	/** Tells the other servers something of this one itself: `undefined` for what is so no more. */
	setFact(key: string, value: unknown): void {
		this.#room.setFact(key, value);
	}

	/** Tells the other servers something that is not kept. */
	send(event: SharedEvent): void {
		this.#room.send('room', event);
	}

	/** Answers another server. @throws {@link SfuError} (rejects) */
	async answer(method: string, params: Record<string, unknown>, nodeId: string): Promise<unknown> {
		switch (method) {
			case 'take':
				return this.#outgoing.take(nodeId, this.#sendable(String(params.pusherId)), params as unknown as TakeRequest);
			case 'connect':
				return this.#outgoing.connect(nodeId, String(params.pairId), params.end as HostEnd);
			case 'start':
				return this.#outgoing.start(nodeId, String(params.takeId));
			case 'drop':
				this.#outgoing.drop(nodeId, String(params.takeId));
				return undefined;
			case 'closePair':
				this.#outgoing.closePair(nodeId, String(params.pairId));
				return undefined;
			case 'pairGone':
				this.#incoming.pairGone(nodeId, String(params.pairId));
				return undefined;
			case 'demand':
				this.#followDemand(nodeId, params);
				return undefined;
			case 'user':
				return callUser(found(this.#own(String(params.userId))), params);
			case 'pusher':
				return callPusher(this.#ownPusher(params.pusherId), params);
			default:
				throw new SfuError('unsupported', 'the other server does not know this request');
		}
	}

	readonly #lose = ({ node: { nodeId } }: { node: { nodeId: string } }) => {
		this.#incoming.lose(nodeId);
		this.#outgoing.lose(nodeId);
		const taker = this.#takers.get(nodeId);
		this.#takers.delete(nodeId);
		if (taker) for (const demand of taker) setDemand(demand, taker, undefined, undefined);
		this.#part.speakers.lose(nodeId);
	};

	#hear(event: SharedEvent, nodeId: string): void {
		const { speakers, heard } = this.#part;
		if ('text' in event || 'message' in event || 'closed' in event) heard(event);
		else if ('levels' in event) speakers.levelsElsewhere(nodeId, event.levels);
	}

	#add(userId: string, nodeId: string, state: UserState): void {
		const tell = (method: string, params: object) => {
			this.#room.request(nodeId, method, params).catch((error: unknown) => {
				this.#part.logger.warn('another server did not do what it was asked', { nodeId, userId, method, error });
			});
		};
		const user = new RemoteUser(userId, state, this.#part.contextOf(userId), {
			nodeId,
			tell: (call, params) => {
				tell('user', { userId, call, ...params });
			},
			ask: (call, params, timeout) => this.#room.request(nodeId, 'user', { userId, call, ...params }, timeout),
			pusher: (pusherId) => ({
				ask: (call, params) => this.#room.request(nodeId, 'pusher', { pusherId, call, ...params }),
				tell: (call, params) => {
					tell('pusher', { pusherId, call, ...params });
				},
				bring: (router, payloadTypes) => this.#incoming.bringTrack(nodeId, pusherId, router, payloadTypes),
				bringData: (router) => this.#incoming.bringData(nodeId, pusherId, router),
				demand: (bitrate, spatialLayer) => {
					// JSON has no Infinity.
					this.#tell(nodeId, `demand ${pusherId}`, 'demand', {
						pusherId,
						...(bitrate < Infinity && { bitrate }),
						...(spatialLayer !== undefined && { spatialLayer }),
					});
				},
			}),
		});
		this.#remotes.set(userId, user);
		this.#part.add(user);
		user.follow(state);
	}

	#followDemand(nodeId: string, { pusherId, bitrate, spatialLayer }: Record<string, unknown>): void {
		const pusher = this.#ownPusher(pusherId);
		if (pusher.kind === 'data') return;
		const taker = this.#takers.get(nodeId) ?? new Set();
		this.#takers.set(nodeId, taker);
		const { demand } = pusher.pullSource;
		if (!taker.has(demand)) {
			taker.add(demand);
			pusher.once('closed', () => taker.delete(demand));
		}
		setDemand(demand, taker, bitrate, spatialLayer);
	}

	#sendable(pusherId: string): Sendable {
		const { pullSource } = this.#ownPusher(pusherId);
		if (pullSource instanceof LocalSource) return { router: pullSource.router, producer: pullSource.producer };
		if (pullSource instanceof LocalDataSource) return { router: pullSource.router, dataProducer: pullSource.producer };
		throw new SfuError('internal', 'the pusher is on another server');
	}

	/** A user who has joined here. */
	#own(userId: string): User | undefined {
		const user = this.#part.users.get(userId);
		return user?.isRemote === false ? user : undefined;
	}

	/** A pusher of a user who has joined here. @throws {@link SfuError} `not_found` */
	#ownPusher(pusherId: unknown): AnyPusher {
		const own = [...this.#part.users.values()].filter(({ isRemote }) => !isRemote);
		return found(own.find(({ pushers }) => pushers.has(String(pusherId)))?.pushers.get(String(pusherId)));
	}
}

/** Notes what a server can take of a track. Without both, nobody pulls it there. */
function setDemand(demand: Demand, taker: object, bitrate: unknown, spatialLayer: unknown): void {
	const isPulled = spatialLayer !== undefined || bitrate !== undefined;
	if (typeof bitrate === 'number') demand.set(taker, bitrate);
	else if (isPulled) demand.set(taker, Infinity);
	else demand.delete(taker);
	demand.setLayer(taker, typeof spatialLayer === 'number' ? spatialLayer : undefined);
}

/** @throws {@link SfuError} `not_found` */
function found<Item>(item: Item | undefined): Item {
	if (item === undefined) throw new SfuError('not_found', 'it has gone');
	return item;
}
