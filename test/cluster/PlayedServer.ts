import assert from 'node:assert/strict';
import type { AnyPusher, Logger, Room, User } from 'sfu-rooms';
import { Sfu } from 'sfu-rooms';
import { FakeWorkers } from '../support/fakeWorkers.js';
import { anOffer } from '../support/offers.js';
import type { FakeClock } from './FakeClock.js';
import type { FaultyBus } from './FaultyBus.js';
import type { FaultyNetwork } from './FaultyNetwork.js';

/** A room without users of a server closes there after so long, in ms. */
export const emptyRoomTimeout = 20_000;

const ignore = () => undefined;

const expected = new Set(['conflict', 'forbidden', 'not_found', 'closed', 'unavailable', 'limit_exceeded']);

/** What is pushed, by its number. */
const offers = [
	{ sdp: 'chromium-sendonly-audio-video' },
	{ sdp: 'firefox-sendonly-audio' },
	{ sdp: 'chromium-sendonly-video-simulcast' },
	{ sdp: 'chromium-sendonly-audio-video-data', data: [{ id: 1, label: 'chat' }] },
];

/** An Sfu with fake media, in a cluster that has faults. What must not be is reported. */
export class PlayedServer {
	readonly nodeId: string;
	readonly bus: FaultyBus;
	readonly workers: FakeWorkers;
	sfu: Sfu | undefined;
	readonly #network: FaultyNetwork;
	readonly #clock: FakeClock;
	readonly #report: (violation: string) => void;
	readonly #logger: Logger;
	/** Who is there by what a room has told, by room and user id. */
	readonly #told = new Map<Room, Map<string, User>>();
	#closed = false;

	/** @param number - a server of a higher one has a higher id */
	constructor(
		place: number,
		number: number,
		network: FaultyNetwork,
		clock: FakeClock,
		report: (violation: string) => void,
	) {
		this.nodeId = `node${String(number).padStart(4, '0')}`;
		this.bus = network.connect(place);
		this.#network = network;
		this.#clock = clock;
		this.#report = (violation) => {
			report(`${this.nodeId}: ${violation}`);
		};
		const error = (message: string, details: unknown) => {
			const { error } = (details ?? {}) as { error?: Error };
			this.#report(`logged: ${message} ${error?.stack ?? JSON.stringify(details)}`);
		};
		// Warnings tell of faults, and there are some.
		this.#logger = { debug: ignore, info: ignore, warn: ignore, error };
		this.workers = new FakeWorkers(this.#logger, undefined, 1 + (number % 2));
	}

	/** A request of an app or a client may fail, for reasons that it is told. */
	readonly #failed = (error: unknown) => {
		const { code } = error as { code?: string };
		if (!expected.has(String(code))) this.#report(`failed: ${error instanceof Error ? String(error.stack) : ''}`);
	};

	get isAlive(): boolean {
		return this.sfu !== undefined && !this.#closed;
	}

	/** Whether it has not started yet, but will. */
	get isStarting(): boolean {
		return this.sfu === undefined && !this.#closed;
	}

	get rooms(): ReadonlyMap<string, Room> {
		return this.sfu?.rooms ?? new Map<string, Room>();
	}

	/** Rejects if the bus is lost meanwhile. */
	async start(): Promise<void> {
		const { bus } = this;
		const secret = 'a secret that the servers of this test know';
		const sfu = await Sfu.createWith(
			{
				emptyRoomTimeout,
				audioObservers: {},
				// Nobody ever connects.
				webRtc: { connectTimeout: 3_600_000 },
				cluster: { bus, secret, name: this.nodeId, listen: { ip: '127.0.0.1' } },
				logger: this.#logger,
			},
			() => Promise.resolve(this.workers.pool),
			{
				bus,
				nodeId: this.nodeId,
				now: () => this.#clock.now,
				openDirect: (options) => this.#network.openDirect(bus, options),
			},
		);
		if (this.#closed) {
			sfu.close();
			return;
		}
		this.sfu = sfu;
		sfu.on('roomOpened', ({ room }) => {
			this.#follow(room);
		});
	}

	/** Ends it: in good order, or, with a silent bus, like one that is killed. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.sfu?.close();
		this.workers.close();
	}

	async open(roomId: string): Promise<Room | undefined> {
		return this.isAlive ? this.sfu?.getOrCreateRoom(roomId).catch(ignore) : undefined;
	}

	async join(roomId: string, userId: string, takeOver: boolean): Promise<void> {
		const room = await this.open(roomId);
		await room?.join({ userId, userName: `${userId} of ${this.nodeId}`, takeOver }).catch(this.#failed);
	}

	/** A user who has joined here. */
	own(roomId: string, userId: string): User | undefined {
		const user = this.user(roomId, userId);
		return user?.isRemote === false ? user : undefined;
	}

	user(roomId: string, userId: string): User | undefined {
		return this.rooms.get(roomId)?.users.get(userId);
	}

	async push(roomId: string, userId: string, nth: number): Promise<void> {
		const { sdp, data = [] } = offers[nth % offers.length]!;
		// Too many, or the user has left.
		await this.own(roomId, userId)?.push(anOffer(sdp), { data }).catch(this.#failed);
	}

	/** Receives audio and video of another user. */
	async pull(roomId: string, userId: string, targetUserId: string): Promise<void> {
		const pushers = [...(this.user(roomId, targetUserId)?.pushers.values() ?? [])];
		const wanted = (['video', 'audio'] as const).flatMap(
			(kind) => pushers.find((pusher) => pusher.kind === kind) ?? [],
		);
		const user = this.own(roomId, userId);
		if (!user || wanted.length === 0) return;
		const specs = wanted.map(({ pusherId }) => ({ pusherId }));
		const offer = anOffer('chromium-recvonly-video-audio');
		await user.pull({ targetUserId, specs, offer }).catch(this.#failed);
	}

	/** Receives all that others send, and will send. */
	autoPull(roomId: string, userId: string): void {
		const user = this.own(roomId, userId);
		if (!user || user.pendingOffer) return;
		user.on('offer', ({ offer }) => {
			offer.expire();
		});
		user.autoPull();
	}

	/** Some pusher of a user, here or elsewhere. */
	pusher(roomId: string, userId: string, nth: number): AnyPusher | undefined {
		const pushers = [...(this.user(roomId, userId)?.pushers.values() ?? [])];
		return pushers[nth % Math.max(pushers.length, 1)];
	}

	/** A room as this server sees it, in a form that can be compared: users, what they send, who speaks, and the settings. */
	view({ users, locked, lobby, bans, activeSpeaker }: Room): unknown {
		const all = [...users.values()].map((user) => ({
			userId: user.userId,
			userName: user.userName,
			permissions: user.permissions,
			node: user.isRemote ? (user as User & { nodeId: string }).nodeId : this.nodeId,
			pushers: [...user.pushers.values()]
				.map(({ pusherId, kind, pausedBy, source, metadata }) => {
					return { pusherId, kind, pausedBy: [...pausedBy].sort(), source, metadata };
				})
				.sort((a, b) => (a.pusherId < b.pusherId ? -1 : 1)),
		}));
		return {
			users: all.sort((a, b) => (a.userId < b.userId ? -1 : 1)),
			settings: { locked, lobby, bans: [...bans].sort() },
			speaker: activeSpeaker?.pusher.pusherId,
		};
	}

	/** What comes from other servers and goes to them: tracks and data channels, by the worker's books. */
	get crossing(): { incoming: number; outgoing: number; ends: number } {
		const { producers, consumers, data, betweenServers } = this.workers.books;
		const crosses = ({ transportId }: { transportId: string }) => betweenServers.has(transportId);
		return {
			incoming: [...producers.values(), ...data.producers.values()].filter(crosses).length,
			outgoing: [...consumers.values(), ...data.consumers.values()].filter(crosses).length,
			ends: betweenServers.size,
		};
	}

	/** How many of the tracks and data channels of other servers somebody pulls here. */
	get pulled(): number {
		const users = [...this.rooms.values()].flatMap((room) => [...room.users.values()]);
		const remote = new Set(users.filter(({ isRemote }) => isRemote).flatMap(({ pushers }) => [...pushers.keys()]));
		const pulled = new Set(users.flatMap(({ pullers }) => [...pullers.values()].map(({ pusherId }) => pusherId)));
		return [...pulled].filter((pusherId) => remote.has(pusherId)).length;
	}

	/** Checks what must be so at whatever moment. */
	check(): void {
		for (const [room, told] of this.#told) {
			if (!room.closed) assert.deepEqual([...told.values()].sort(byId), [...room.users.values()].sort(byId));
		}
	}

	/** Nobody may be told twice of a join or of a leave. */
	#follow(room: Room): void {
		const { roomId } = room;
		const told = new Map(room.users);
		this.#told.set(room, told);
		const seen = new Set<User>(told.values());
		room.on('userJoined', ({ user }) => {
			if (told.has(user.userId)) this.#report(`${user.userId} joins ${roomId}, and is there already`);
			if (seen.has(user)) this.#report(`${user.userId} joins ${roomId} twice`);
			told.set(user.userId, user);
			seen.add(user);
		});
		room.on('userLeft', ({ user }) => {
			if (told.get(user.userId) !== user) this.#report(`${user.userId} leaves ${roomId}, and is not there`);
			told.delete(user.userId);
			if (user.pushers.size > 0 || user.pullers.size > 0)
				this.#report(`${user.userId} has left, and sends or receives`);
		});
		room.on('pusherAdded', ({ user, pusher }) => {
			if (told.get(user.userId) !== user) this.#report(`${user.userId} sends ${pusher.kind}, and is not there`);
		});
		room.once('closed', () => this.#told.delete(room));
	}
}

const byId = (a: User, b: User) => (a.userId < b.userId ? -1 : 1);
