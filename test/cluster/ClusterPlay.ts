import assert from 'node:assert/strict';
import process from 'node:process';
import fc from 'fast-check';
import { roomSubject } from '../../src/cluster/wire.js';
import { FakeClock } from './FakeClock.js';
import { FaultyNetwork, type Weather } from './FaultyNetwork.js';
import type { ModelRoom } from './ModelRoom.js';
import { ModelServer } from './ModelServer.js';
import { actOrWeather, doWithNetwork, networkActs, weather } from './networkFaults.js';

/** When all faults have ended, everything is right again after so long, in ms. */
const quiet = 15_000;
/** A server that is silent is taken for dead after so long, in ms. */
const noticed = 3000;
/** The links between two servers count as whole after so long, in ms. */
const steady = 4000;

const roomIds = ['a room', 'another room'];
const userIds = ['ann', 'bob', 'cas'];
const keys = ['locked', 'lobby'];

const acts = {
	open: 4,
	close: 4,
	reopen: 3,
	join: 8,
	joinEverywhere: 4,
	change: 5,
	leave: 4,
	setSetting: 4,
	setFact: 4,
	endFact: 2,
	send: 4,
	stop: 1,
	kill: 2,
	start: 4,
	loseBus: 2,
	returnBus: 3,
	...networkActs,
	mend: 2,
};
type Act = keyof typeof acts;

const step = fc.record({
	act: actOrWeather(acts),
	/** Null for the same as before. */
	place: fc.option(fc.nat({ max: 3 })),
	other: fc.nat({ max: 3 }),
	/** Null for the same as before. */
	nth: fc.option(fc.nat({ max: 5 })),
	wait: fc.constantFrom(0, 0, 0, 1, 10, 100, 500, 2500, 6000),
});

/** What happens to a cluster. */
export const script = (maxLength: number) =>
	fc.record({
		servers: fc.integer({ min: 2, max: 4 }),
		seed: fc.noShrink(fc.integer()),
		weather: fc.option(weather),
		/** Whether the room is open everywhere from the beginning. */
		isOpen: fc.boolean(),
		steps: fc.array(step, { maxLength, size: 'max' }),
		/** Whether all ends at once, without any rest before. */
		isAbrupt: fc.boolean(),
	});
export type Script = ReturnType<typeof script> extends fc.Arbitrary<infer Value> ? Value : never;

/** Servers of a cluster with faults. What must not be ends it. */
export class ClusterPlay {
	readonly clock = new FakeClock();
	readonly network: FaultyNetwork;
	readonly servers: ModelServer[] = [];
	/** Everything that has happened. */
	readonly log: string[] = [];
	/** What should not be. */
	readonly violations: string[] = [];
	readonly #all: ModelServer[] = [];
	#numbers = 0;

	constructor(seed = 1) {
		this.network = new FaultyNetwork(this.clock, seed);
	}

	/** Plays a script in a new cluster. */
	static async play({ servers, seed, weather, isOpen, steps, isAbrupt }: Script): Promise<void> {
		await ClusterPlay.run(servers, seed, async (play) => {
			if (isOpen) await play.openAll();
			if (weather) play.#setWeather(weather);
			let last = { place: 0, nth: 0 };
			for (const { act, place, other, nth, wait } of steps) {
				last = { place: place ?? last.place, nth: nth ?? last.nth };
				play.#do(act, last.place, other, last.nth);
				await play.pass(wait);
			}
			if (!isAbrupt) await play.rest();
		});
	}

	/** Does something with a new cluster, and ends it. */
	static async run(servers: number, seed: number, act: (play: ClusterPlay) => Promise<void>): Promise<void> {
		const play = new ClusterPlay(seed);
		const restore = play.clock.install();
		const rejected = (error: unknown) => {
			play.#violate(`unhandled: ${String(error)}`);
		};
		process.on('unhandledRejection', rejected);
		try {
			for (let place = 0; place < servers; place++) play.start(place);
			await play.pass(10);
			await act(play);
			await play.end();
		} catch (error) {
			throw new Error([String(error), ...play.log].join('\n'), { cause: error });
		} finally {
			process.off('unhandledRejection', rejected);
			restore();
		}
	}

	start(place: number): ModelServer {
		const server = new ModelServer(place, this.#all.length, this.network, this.clock, (violation) => {
			this.#violate(violation);
		});
		server.onLost = (nodeId) => {
			this.#checkLost(server, nodeId);
		};
		this.servers[place] = server;
		this.#all.push(server);
		server.start().catch(() => {
			// The bus is lost. Another may start there.
			void server.close();
		});
		return server;
	}

	/** Opens the room on all servers. */
	async openAll(): Promise<ModelRoom[]> {
		const rooms = this.servers.map((server) => server.open(roomIds[0]!)!);
		await this.pass(100);
		return rooms;
	}

	/** Lets time pass, and then looks for what must never be. */
	async pass(ms: number): Promise<void> {
		await this.clock.pass(ms);
		for (const server of this.servers) server.check();
		this.#assertNoViolation();
	}

	/** A server is killed. The others notice it soon. */
	kill(server: ModelServer): void {
		const { now } = this.clock;
		server.bus.isSilent = true;
		void server.close();
		const check = () => {
			// What it has said before may come late.
			const at = Math.max(now, this.network.lastArrivalFrom(server.bus)) + noticed;
			if (at > this.clock.now) this.clock.later(at - this.clock.now, check);
			else for (const other of this.servers) this.#checkNoticed(other, server, now);
		};
		check();
	}

	/** Ends all faults. Everything comes to rest. */
	async rest(ms = quiet): Promise<void> {
		this.network.mend();
		for (const { bus } of this.servers) {
			bus.isMute = bus.isDeaf = false;
			bus.connected = true;
		}
		this.#note('all faults end');
		await this.pass(ms);
		const alive = this.servers.filter(({ isAlive }) => isAlive);
		const ids = alive.map(({ nodeId }) => nodeId).sort();
		for (const { cluster } of alive) assert.deepEqual([...cluster!.nodes.keys()].sort(), ids, 'all servers are known');
		for (const roomId of roomIds) {
			this.#checkRoom(roomId);
			await this.#checkLinks(roomId);
		}
		for (const { bus, rooms } of alive) {
			const wanted = [...rooms.keys()].map(roomSubject).sort();
			const subjects = bus.subjects.filter((subject) => subject.startsWith('room.')).sort();
			assert.deepEqual(subjects, wanted, 'the subscriptions are those of the open rooms');
		}
	}

	/** Checks that all servers see the same of a room: the users that their servers have. */
	#checkRoom(roomId: string): void {
		const open = this.#open(roomId);
		const own = open.flatMap(({ nodeId, rooms }) =>
			[...rooms.get(roomId)!.own].map(([userId, { number }]) => [userId, `${nodeId} ${number}`] as const),
		);
		const users = Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
		assert.equal(Object.keys(users).length, own.length, `each user of ${roomId} has one server: ${own.join('; ')}`);
		const views = open.map(({ nodeId, rooms }) => ({ nodeId, ...rooms.get(roomId)!.view(nodeId) }));
		for (const view of views) {
			assert.deepEqual(view.users, users, `${view.nodeId} knows the users of ${roomId}`);
			assert.deepEqual(view.settings, views[0]?.settings, `${view.nodeId} knows the settings of ${roomId}`);
			assert.deepEqual(view.facts, views[0]?.facts, `${view.nodeId} knows what the servers tell of themselves`);
		}
	}

	/** Checks that what one server tells of a room comes to all others at once. */
	async #checkLinks(roomId: string): Promise<void> {
		const rooms = this.#open(roomId).map(({ rooms }) => rooms.get(roomId)!);
		for (const room of rooms) {
			const number = this.number();
			const userId = `user ${number}`;
			room.send(number);
			room.join(userId, number);
			await this.pass(50);
			for (const other of rooms) {
				if (other === room) continue;
				assert.ok(other.events.has(number), `an event of ${roomId} arrives`);
				assert.ok(other.remote.has(userId), `a user of ${roomId} arrives`);
			}
			room.leave(userId, 'left');
			await this.pass(50);
			assert.ok(!rooms.some(({ remote }) => remote.has(userId)), `a user of ${roomId} leaves`);
		}
	}

	/** The servers that have a room open. */
	#open(roomId: string): ModelServer[] {
		return this.servers.filter(({ isAlive, rooms }) => isAlive && rooms.has(roomId));
	}

	/** Ends all servers. Nothing is left of them. */
	async end(): Promise<void> {
		while (this.#all.some(({ isStarting }) => isStarting)) await this.pass(100);
		for (const server of this.#all) void server.close();
		await this.pass(1);
		assert.equal(this.clock.timers, 0, 'no timer is left');
		await this.pass(10_000);
	}

	number(): number {
		return ++this.#numbers;
	}

	#do(act: Act | Weather, place: number, other: number, nth: number): void {
		if (typeof act === 'object') {
			this.#setWeather(act);
			return;
		}
		this.#note(`${act} ${place} ${other} ${nth}`);
		const from = place % this.servers.length;
		const to = other % this.servers.length;
		const server = this.servers[from]!;
		if (!doWithNetwork(this.network, server.bus, act, from, to) && (server.isAlive || act === 'start'))
			this.#doWithServer(act, server, nth);
	}

	#doWithServer(act: Act, server: ModelServer, nth: number): void {
		const roomId = nth === 5 ? roomIds[1]! : roomIds[0]!;
		const userId = userIds[nth % userIds.length]!;
		const room = server.rooms.get(roomId);
		const key = keys[nth % keys.length]!;
		const { bus } = server;
		const all = this.servers.map(({ rooms }) => rooms.get(roomId));
		const openFirst = ['join', 'setSetting', 'setFact', 'send'].includes(act) && !room;
		if (act === 'open' || openFirst) server.open(roomId);
		else if (act === 'close') server.closeRoom(roomId);
		else if (act === 'reopen') {
			server.closeRoom(roomId);
			server.open(roomId);
		} else if (act === 'join') room?.join(userId, this.number());
		else if (act === 'joinEverywhere') for (const one of all) one?.join(userId, this.number());
		else if (act === 'change') room?.change(userId, this.number());
		else if (act === 'leave') room?.leave(userId, 'left');
		else if (act === 'setSetting') room?.setSetting(key, this.number());
		else if (act === 'setFact') room?.setFact(server.nodeId, userId, this.number());
		else if (act === 'endFact') room?.setFact(server.nodeId, userId, undefined);
		else if (act === 'send') room?.send(this.number());
		else if (act === 'stop') void server.close();
		else if (act === 'kill') this.kill(server);
		else if (act === 'start' && !server.isAlive && !server.isStarting) this.start(bus.place);
		else if (act === 'loseBus') bus.connected = false;
		else if (act === 'returnBus') bus.connected = true;
	}

	#setWeather(weather: Weather): void {
		this.#note(JSON.stringify(weather));
		this.network.weather = weather;
	}

	#checkNoticed(server: ModelServer, killed: ModelServer, since: number): void {
		const { isAlive, bus, cluster, nodeId } = server;
		if (!isAlive || !bus.connected || bus.changedAt > since) return;
		if (cluster?.nodes.has(killed.nodeId)) this.#violate(`${nodeId} has not noticed the kill of ${killed.nodeId}`);
	}

	/** A server takes another one for dead. Without the bus, but with direct links between them, it must not. */
	#checkLost(server: ModelServer, nodeId: string): void {
		this.#note(`${server.nodeId} takes ${nodeId} for dead`);
		const lost = this.servers.find((other) => other.nodeId === nodeId);
		if (!lost?.isAlive) return;
		const before = this.clock.now - steady;
		const isLong = (since: number | undefined) => since !== undefined && since < before;
		const isBusLost = [server, lost].some(({ bus }) => !bus.connected && isLong(bus.changedAt));
		const isDirect = isLong(this.network.directSince(server.bus.place, lost.bus.place));
		const isKnown = isLong(lost.knownSince.get(server.nodeId)) && [server, lost].every(({ since }) => isLong(since));
		if (isBusLost && isDirect && isKnown) this.#violate(`${server.nodeId} takes ${nodeId} for dead, which it is not`);
	}

	#note(what: string): void {
		this.log.push(`${Math.round(this.clock.now)} ${what}`);
	}

	#violate(violation: string): void {
		this.#note(violation);
		this.violations.push(violation);
	}

	#assertNoViolation(): void {
		assert.deepEqual(this.violations, []);
	}
}
