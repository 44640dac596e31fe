import type * as ClusterModule from '../../src/cluster/Cluster.js';
import type { SharedRoom, SharedRoomListener } from '../../src/cluster/SharedRoom.js';
import type * as WireModule from '../../src/cluster/wire.js';
import { loadBundle } from '../loadBundle.js';
import { CountingBus, Exchange } from './CountingBus.js';
import { settle, type FastClock } from './FastClock.js';

const { Cluster, roomSubject } = (await loadBundle('cluster/Cluster.ts', 'cluster/wire.ts')) as typeof ClusterModule &
	typeof WireModule;

const ignore = () => undefined;

/** Rooms of one size. */
export interface Group {
	name: string;
	rooms: number;
	users: number;
	/** How many of the users of a room push. */
	pushing: number;
}

/** What stands for the state of a user: one who has joined, one who pushes, and one who pushes and has paused. */
interface Mark {
	$: 0 | 1 | 2;
}

interface Room {
	id: string;
	group: Group;
	/** The servers that its balancer uses. */
	candidates: Server[];
	members: Member[];
}

interface Member {
	userId: string;
	server: Server;
	pushes: boolean;
	paused: boolean;
}

/** A room on one server. */
class Part {
	readonly shared: Promise<SharedRoom<Mark>>;
	users = 0;
	/** The users of other servers whom it knows. */
	copies = 0;

	constructor(cluster: ClusterModule.Cluster, roomId: string) {
		const listener: SharedRoomListener<Mark> = {
			joined: () => this.copies++,
			left: () => this.copies--,
			changed: ignore,
			replaced: ignore,
			settingChanged: ignore,
			factChanged: ignore,
			event: ignore,
		};
		this.shared = cluster.openRoom(roomId, listener);
	}
}

const quiet = { debug: ignore, info: ignore, warn: ignore, error: console.error };

/** A server, without media. */
export class Server {
	/** The datagrams that all have sent. */
	static datagrams = 0;
	static #last = 0;
	readonly bus: CountingBus;
	readonly parts = new Map<string, Part>();
	readonly #index = Server.#last++;
	readonly #now: () => number;
	#cluster!: ClusterModule.Cluster;

	constructor(exchange: Exchange, now: () => number) {
		this.bus = new CountingBus(exchange);
		this.#now = now;
	}

	get nodeId(): string {
		return this.#cluster.nodeId;
	}

	get known(): number {
		return this.#cluster.nodes.size - 1;
	}

	async start(): Promise<void> {
		const address = { ip: `10.0.${this.#index >> 8}.${this.#index & 255}`, port: 50_000 };
		this.#cluster = await Cluster.create(
			{
				bus: this.bus,
				secret: '',
				name: `sfu${this.#index}.example.com`,
				listen: address,
				load: () => ({ draining: false, load: 0.42, rooms: 370, users: 500 }),
				now: this.#now,
				openDirect: () =>
					Promise.resolve({
						address,
						hasHeard: () => false,
						forget: ignore,
						send: () => Server.datagrams++,
						close: ignore,
					}),
			},
			quiet,
		);
	}

	/** Tells that it lives. */
	tellAlive(): void {
		this.#cluster.tellLoad();
	}

	async join(room: Room, userId: string): Promise<void> {
		const part = this.parts.get(room.id) ?? new Part(this.#cluster, room.id);
		this.parts.set(room.id, part);
		part.users++;
		(await part.shared).set(userId, { $: 0 });
	}

	async set(room: Room, userId: string, state: Mark): Promise<void> {
		(await this.parts.get(room.id)!.shared).set(userId, state);
	}

	async leave(room: Room, userId: string): Promise<void> {
		const part = this.parts.get(room.id)!;
		const shared = await part.shared;
		shared.delete(userId, 'left');
		if (--part.users > 0) return;
		this.parts.delete(room.id);
		shared.close();
	}

	/** Ends it, as kill -9 does. */
	async kill(): Promise<void> {
		this.bus.connected = false;
		await this.#cluster.close();
	}
}

/** An event each so many seconds, for each user. */
export interface Rates {
	join: number;
	push: number;
	pause: number;
}

/** A cluster with rooms and users, in one process. */
export class Simulation {
	readonly exchange: Exchange;
	readonly rooms: Room[];
	servers: Server[];
	readonly #clock: FastClock;
	readonly #groups = new Map<string, string>();
	#lastUser = 0;

	constructor(
		nodes: number,
		groups: readonly Group[],
		candidates: (group: Group) => number,
		stateSizes: readonly number[],
		clock: FastClock,
	) {
		this.#clock = clock;
		this.exchange = new Exchange(stateSizes, this.#groups);
		this.servers = Array.from({ length: nodes }, () => this.#server());
		this.rooms = groups.flatMap((group) =>
			Array.from({ length: group.rooms }, () => {
				const id = Math.random().toString(36).slice(2, 10);
				this.#groups.set(id, group.name).set(roomSubject(id), group.name);
				return { id, group, candidates: someOf(this.servers, candidates(group)), members: [] };
			}),
		);
	}

	/** How many users of other servers all servers know, each for itself. */
	get copies(): number {
		const parts = this.servers.flatMap((server) => [...server.parts.values()]);
		return parts.reduce((sum, { copies }) => sum + copies, 0);
	}

	/** How many they should know. */
	get expectedCopies(): number {
		return this.rooms.reduce((sum, { members }) => {
			return sum + members.length * (new Set(members.map(({ server }) => server)).size - 1);
		}, 0);
	}

	/** The mean number of servers of a room. */
	serversOf(group: Group): number {
		const rooms = this.rooms.filter((room) => room.group === group);
		const all = rooms.reduce((sum, { members }) => sum + new Set(members.map(({ server }) => server)).size, 0);
		return all / rooms.length;
	}

	/** Starts all servers, and opens all rooms. Nobody hears anybody yet. */
	async start(): Promise<void> {
		this.exchange.passes = () => false;
		for (const server of this.servers) await server.start();
		for (const room of this.rooms) {
			for (let index = 0; index < room.group.users; index++) await this.join(room, index < room.group.pushing);
		}
		await settle();
	}

	/**
	 * Lets one server after the other be heard. Each that hears it fetches all that it has to say, of all rooms: that is what they
	 * do when a lost bus is back.
	 */
	async meet(): Promise<void> {
		for (const server of this.servers) {
			let told = false;
			// That the others answer with a sign of life each is measured elsewhere.
			this.exchange.passes = (kind) => kind !== 'alive' || !told;
			server.tellAlive();
			told = true;
			await settle();
		}
		this.exchange.passes = () => true;
	}

	async join(room: Room, pushes: boolean, server = anyOf(room.candidates)): Promise<void> {
		const member = { userId: `user${String(++this.#lastUser).padStart(6, '0')}`, server, pushes, paused: false };
		room.members.push(member);
		await server.join(room, member.userId);
		await settle();
		// The resume token follows.
		await server.set(room, member.userId, { $: 0 });
		if (!pushes) return;
		await settle();
		await server.set(room, member.userId, { $: 1 });
	}

	async leave(room: Room, member: Member): Promise<void> {
		room.members.splice(room.members.indexOf(member), 1);
		await member.server.leave(room, member.userId);
		await settle();
	}

	/** Lets users come, go, push and pause for so many seconds. */
	async churn(seconds: number, rates: Rates): Promise<void> {
		const users = this.rooms.flatMap((room) => room.members.map(() => room));
		const events = (every: number) => Math.round((users.length * seconds) / every);
		for (let index = 0; index < events(rates.join); index++) {
			const room = anyOf(users);
			const member = anyOf(room.members);
			await this.leave(room, member);
			await this.join(room, member.pushes);
			await settle();
		}
		const change = async (act: (room: Room, member: Member) => Promise<void>) => {
			const room = anyOf(users);
			const member = anyOf(room.members);
			// Viewers have nothing to push and to pause.
			if (member.pushes) await act(room, member);
			await settle();
		};
		for (let index = 0; index < events(rates.push); index++) {
			await change((room, { server, userId }) => server.set(room, userId, { $: 1 }));
		}
		for (let index = 0; index < events(rates.pause); index++) {
			await change((room, member) => {
				member.paused = !member.paused;
				return member.server.set(room, member.userId, { $: member.paused ? 2 : 1 });
			});
		}
	}

	/** One more server starts. */
	async addServer(): Promise<Server> {
		const server = this.#server();
		await server.start();
		await settle();
		this.servers.push(server);
		return server;
	}

	/** Ends a server without a word. @returns its users, and their rooms */
	async kill(server: Server): Promise<{ room: Room; member: Member }[]> {
		await server.kill();
		this.servers = this.servers.filter((other) => other !== server);
		const gone = this.rooms.flatMap((room) =>
			room.members.filter((member) => member.server === server).map((member) => ({ room, member })),
		);
		for (const { room, member } of gone) room.members.splice(room.members.indexOf(member), 1);
		for (const room of this.rooms) room.candidates = room.candidates.filter((other) => other !== server);
		return gone;
	}

	#server(): Server {
		return new Server(this.exchange, () => this.#clock.now);
	}
}

const anyOf = <One>(all: readonly One[]): One => all[Math.floor(Math.random() * all.length)]!;

function someOf<One>(all: readonly One[], count: number): One[] {
	if (count >= all.length) return [...all];
	const some = new Set<One>();
	while (some.size < count) some.add(anyOf(all));
	return [...some];
}
