import assert from 'node:assert/strict';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { FakeClock } from './FakeClock.js';
import { FaultyNetwork, type Weather } from './FaultyNetwork.js';
import { actOrWeather, doWithNetwork, networkActs, weather } from './networkFaults.js';
import { emptyRoomTimeout, PlayedServer } from './PlayedServer.js';

/** When all faults have ended, everything is right again after so long, in ms. */
const quiet = 15_000;
/** Pipes that nobody needs any more have gone after so long, in ms. */
const idle = 15_000;

const roomIds = ['a room', 'another room'];
const userIds = ['ann', 'bob', 'cas', 'dee'];

const acts = {
	open: 2,
	join: 10,
	takeOver: 4,
	joinEverywhere: 2,
	leave: 3,
	push: 8,
	pull: 8,
	autoPull: 3,
	closePuller: 3,
	closePusher: 3,
	pausePusher: 3,
	resumePusher: 3,
	updatePusher: 2,
	speak: 6,
	rename: 2,
	mayNotPush: 1,
	kick: 2,
	lock: 1,
	unlock: 2,
	ban: 1,
	unban: 1,
	closeRoom: 1,
	workerDies: 2,
	stop: 1,
	kill: 1,
	start: 6,
	loseBus: 2,
	returnBus: 3,
	...networkActs,
	mend: 3,
};
type Act = keyof typeof acts;

const ofOwn = new Set<Act>(['leave', 'push', 'pull', 'autoPull', 'closePuller']);

const step = fc.record({
	act: actOrWeather(acts),
	/** Null for the same as before. */
	place: fc.option(fc.nat({ max: 2 })),
	other: fc.nat({ max: 2 }),
	/** Null for the same as before. */
	user: fc.option(fc.nat({ max: 3 })),
	target: fc.nat({ max: 3 }),
	/** Mostly the first room. */
	room: fc.nat({ max: 5 }),
	nth: fc.nat({ max: 5 }),
	wait: fc.constantFrom(0, 0, 0, 1, 10, 100, 500, 2500, 6000, 12_000),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What happens to servers and their rooms. */
export const script = (maxLength: number) =>
	fc.record({
		servers: fc.integer({ min: 2, max: 3 }),
		seed: fc.noShrink(fc.integer()),
		weather: fc.option(weather),
		/** Whether somebody sends and receives on each server from the beginning. */
		isBusy: fc.boolean(),
		steps: fc.array(step, { maxLength, size: 'max' }),
	});
export type Script = ReturnType<typeof script> extends fc.Arbitrary<infer Value> ? Value : never;

/** Real rooms with fake media on servers of a cluster with faults. What must not be ends it. */
export class RoomsPlay {
	// An import takes more than promises.
	readonly clock = new FakeClock(() => setImmediate());
	readonly network: FaultyNetwork;
	readonly servers: PlayedServer[] = [];
	/** Everything that has happened. */
	readonly log: string[] = [];
	readonly #violations: string[] = [];
	readonly #all: PlayedServer[] = [];

	constructor(seed = 1) {
		this.network = new FaultyNetwork(this.clock, seed);
	}

	/** Plays a script with new servers. */
	static async play({ servers, seed, weather, isBusy, steps }: Script): Promise<void> {
		await RoomsPlay.run(servers, seed, async (play) => {
			if (isBusy) await play.#begin();
			if (weather) play.#setWeather(weather);
			let last = { place: 0, user: 0 };
			for (const { place, user, wait, ...rest } of steps) {
				last = { place: place ?? last.place, user: user ?? last.user };
				play.#do({ ...rest, ...last });
				await play.pass(wait);
			}
			await play.rest();
		});
	}

	/** Does something with new servers, and ends them. */
	static async run(servers: number, seed: number, act: (play: RoomsPlay) => Promise<void>): Promise<void> {
		const play = new RoomsPlay(seed);
		const restore = play.clock.install();
		const rejected = (error: unknown) => {
			play.#violate(`unhandled: ${error instanceof Error ? String(error.stack) : String(error)}`);
		};
		process.on('unhandledRejection', rejected);
		try {
			for (let place = 0; place < servers; place++) play.start(place);
			while (play.servers.some(({ isStarting }) => isStarting)) await play.pass(10);
			await play.pass(1000);
			await act(play);
			await play.end();
		} catch (error) {
			throw new Error([String(error), ...play.log].join('\n'), { cause: error });
		} finally {
			process.off('unhandledRejection', rejected);
			restore();
		}
	}

	start(place: number): void {
		const server = new PlayedServer(place, this.#all.length, this.network, this.clock, (violation) => {
			this.#violate(violation);
		});
		this.servers[place] = server;
		this.#all.push(server);
		server.start().catch((error: unknown) => {
			// Another one may start there.
			server.close();
			if (server.bus.changedAt === 0) this.#violate(`${server.nodeId} does not start: ${String(error)}`);
		});
	}

	/** Lets time pass, and then looks for what must never be. */
	async pass(ms: number): Promise<void> {
		await this.clock.pass(ms);
		for (const server of this.#alive) server.check();
		assert.deepEqual(this.#violations, []);
	}

	/** Lets a user join on each server, who sends, and receives what the others send. */
	async #begin(): Promise<void> {
		const [roomId] = roomIds as [string];
		for (const [place, server] of this.servers.entries())
			await this.#within(server.join(roomId, userIds[place]!, false));
		for (const [place, server] of this.servers.entries())
			await this.#within(server.push(roomId, userIds[place]!, place));
		for (const [place, server] of this.servers.entries()) {
			const target = userIds[(place + 1) % this.servers.length]!;
			await this.#within(server.pull(roomId, userIds[place]!, target));
			server.autoPull(roomId, userIds[place]!);
		}
		const crossing = this.servers.map(({ crossing }) => crossing.incoming);
		assert.ok(Math.min(...crossing) > 0, 'something comes to each server');
	}

	/** Waits for something that takes time of the clock. */
	async #within(promise: Promise<unknown>): Promise<void> {
		await this.pass(100);
		await promise;
	}

	/** Ends all faults. All servers come to the same view, and nothing crosses that nobody needs. */
	async rest(): Promise<void> {
		this.network.mend();
		for (const { bus } of this.servers) {
			bus.isMute = bus.isDeaf = false;
			bus.connected = true;
		}
		this.#note('all faults end');
		await this.pass(quiet);
		for (const roomId of roomIds) this.#checkRoom(roomId);
		await this.pass(idle);
		this.#checkPipes();
		for (const server of this.#alive) {
			for (const room of server.rooms.values())
				for (const user of room.users.values()) if (!user.isRemote) user.close();
		}
		await this.pass(idle);
		for (const { nodeId, crossing } of this.#alive)
			assert.deepEqual(crossing, { incoming: 0, outgoing: 0, ends: 0 }, `no pipe of ${nodeId} is left`);
		await this.pass(emptyRoomTimeout);
		for (const { nodeId, rooms, workers } of this.#alive) {
			assert.deepEqual([...rooms.keys()], [], `${nodeId} has closed its rooms`);
			assert.equal(workers.books.routers.size, 0, `nothing of the rooms of ${nodeId} is left`);
		}
	}

	/** Ends all servers. Nothing is left of them. */
	async end(): Promise<void> {
		while (this.#all.some(({ isStarting }) => isStarting)) await this.pass(100);
		for (const server of this.#all) server.close();
		await this.pass(15_000);
		assert.equal(this.clock.timers, 0, 'no timer is left');
	}

	get #alive(): PlayedServer[] {
		return this.servers.filter(({ isAlive }) => isAlive);
	}

	#checkRoom(roomId: string): void {
		const views = this.#alive.flatMap((server) => {
			const room = server.rooms.get(roomId);
			return room ? [{ nodeId: server.nodeId, view: server.view(room) }] : [];
		});
		for (const { nodeId, view } of views)
			assert.deepEqual(view, views[0]!.view, `${nodeId} sees ${roomId} as ${views[0]!.nodeId} does`);
		const own = this.#alive.flatMap(({ rooms }) =>
			[...(rooms.get(roomId)?.users.values() ?? [])].filter(({ isRemote }) => !isRemote),
		);
		const [seen] = views as { view: { users: unknown[] } }[];
		assert.equal(seen?.view.users.length ?? 0, own.length, 'each user is on one server');
	}

	#checkPipes(): void {
		const all = this.#alive.map(({ nodeId, crossing, pulled }) => ({ nodeId, crossing, pulled }));
		for (const { nodeId, crossing, pulled } of all)
			assert.equal(crossing.incoming, pulled, `what comes to ${nodeId} is pulled there`);
		const sum = (side: 'incoming' | 'outgoing') => all.reduce((sum, { crossing }) => sum + crossing[side], 0);
		assert.equal(sum('outgoing'), sum('incoming'), `what is sent arrives: ${JSON.stringify(all)}`);
	}

	#do({ act, place, other, user, target, room, nth }: Omit<Step, 'wait'> & { place: number; user: number }): void {
		if (typeof act === 'object') {
			this.#setWeather(act);
			return;
		}
		const from = place % this.servers.length;
		const to = other % this.servers.length;
		const dead = this.servers.findIndex(({ isAlive, isStarting }) => !isAlive && !isStarting);
		if (act === 'start') {
			this.#note(`${act} at ${dead}`);
			if (dead >= 0) this.start(dead);
			return;
		}
		const server = this.servers[from]!;
		const roomId = roomIds[room === 5 ? 1 : 0]!;
		// What only a user of the server can do, one of those does.
		const own = userIds.filter((userId) => server.own(roomId, userId));
		const userId = ofOwn.has(act) ? own[user % Math.max(own.length, 1)] : userIds[user];
		if (userId === undefined) return;
		this.#note(`${act} ${server.nodeId} ${to} ${roomId} ${userId} ${userIds[target]!} ${nth}`);
		if (doWithNetwork(this.network, server.bus, act, from, to)) return;
		if (server.isAlive) this.#doWithServer(act, server, { roomId, userId, nth, target });
	}

	#doWithServer(
		act: Act,
		server: PlayedServer,
		{ roomId, userId, nth, target }: { roomId: string; userId: string; nth: number; target: number },
	): void {
		const room = server.rooms.get(roomId);
		const own = server.own(roomId, userId);
		const pusher = server.pusher(roomId, userId, nth);
		const ignore = () => undefined;
		const doings: Partial<Record<Act, () => unknown>> = {
			open: () => server.open(roomId),
			join: () => server.join(roomId, userId, false),
			takeOver: () => server.join(roomId, userId, true),
			joinEverywhere: () => this.#alive.map((one) => one.join(roomId, userId, true)),
			leave: () => own?.close(),
			push: () => server.push(roomId, userId, nth),
			pull: () => server.pull(roomId, userId, userIds[target]!),
			autoPull: () => {
				server.autoPull(roomId, userId);
			},
			closePuller: () => [...(own?.pullers.values() ?? [])].at(nth)?.close(),
			closePusher: () => pusher?.close(),
			pausePusher: () => pusher?.pause().catch(ignore),
			resumePusher: () => pusher?.resume().catch(ignore),
			updatePusher: () => pusher?.update({ metadata: nth }),
			speak: () => {
				server.workers.speak(nth);
			},
			rename: () => server.user(roomId, userId)?.rename(`name ${nth}`),
			mayNotPush: () => server.user(roomId, userId)?.setPermissions({ push: { kinds: ['audio'] } }),
			kick: () => server.user(roomId, userId)?.kick('thrown out'),
			lock: () => room?.lock(),
			unlock: () => room?.unlock(),
			ban: () => room?.ban(userId),
			unban: () => room?.unban(userId),
			closeRoom: () => room?.close('over'),
			workerDies: () => {
				server.workers.die(nth);
			},
			stop: () => {
				server.close();
			},
			kill: () => {
				server.bus.isSilent = true;
				server.close();
			},
			loseBus: () => (server.bus.connected = false),
			returnBus: () => (server.bus.connected = true),
		};
		doings[act]?.();
	}

	#setWeather(weather: Weather): void {
		this.#note(JSON.stringify(weather));
		this.network.weather = weather;
	}

	#note(what: string): void {
		this.log.push(`${Math.round(this.clock.now)} ${what}`);
	}

	#violate(violation: string): void {
		this.#note(violation);
		this.#violations.push(violation);
	}
}
