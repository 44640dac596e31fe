import { randomBytes } from 'node:crypto';
import type * as SealModule from '../../src/cluster/sealedBus.js';
import { loadBundle } from '../loadBundle.js';
import type { Row } from '../report.js';
import type { Count } from './CountingBus.js';
import { FastClock, settle } from './FastClock.js';
import type { Share } from './media.js';
import { realMessages } from './realMessages.js';
import { Server, Simulation, type Group } from './Simulation.js';

export interface SimulationOptions {
	nodes: number;
	users: number;
	rooms: number;
	spread: 'any' | 'few';
	/** Simulates so many times fewer users and rooms, and multiplies. */
	scale: number;
	/** How long users come and go. */
	seconds: number;
}

/** Messages of one kind, in a second. */
export interface Stream extends Count {
	name: string;
}

// Those of src/cluster.
const aliveInterval = 750;
const digestInterval = 3000;
const rates = { join: 1800, push: 600, pause: 300 };

/** So many rooms of each size that all together have so many users. */
function groupsOf(users: number, rooms: number): Group[] {
	const webinars = Math.round(users / 10_000);
	const large = Math.round(users / 400);
	const others = rooms - webinars - large;
	const meetings = Math.round((users - webinars * 1000 - large * 100 - 2 * others) / 8);
	return [
		{ name: 'talks of 2', rooms: others - meetings, users: 2, pushing: 2 },
		{ name: 'meetings of 10', rooms: meetings, users: 10, pushing: 10 },
		{ name: 'rooms of 100', rooms: large, users: 100, pushing: 100 },
		{ name: 'webinars of 1,000', rooms: webinars, users: 1000, pushing: 5 },
	].filter((group) => group.rooms > 0);
}

const kB = (bytes: number) => +(bytes / 1e3).toFixed(1);
const MB = (bytes: number) => +(bytes / 1e6).toFixed(1);
const several = (value: number) => (value < 10 ? +value.toFixed(1) : Math.round(value));

function sumOf(counts: Iterable<Count>): Count {
	const sum = { published: 0, delivered: 0, bytesIn: 0, bytesOut: 0 };
	for (const { published, delivered, bytesIn, bytesOut } of counts) {
		sum.published += published;
		sum.delivered += delivered;
		sum.bytesIn += bytesIn;
		sum.bytesOut += bytesOut;
	}
	return sum;
}

/** Whether a message has nothing to do with rooms. */
const isAlive = (name: string) => name === 'alive';
/** Of these, each server sends one to each other one, for all rooms together. */
const isFetch = (name: string) => name === 'request' || name === 'response';

/** What as many more rooms and users have: rooms do not depend on each other. */
function scaled(counts: Iterable<readonly [string, Count]>, scale: number, areFetchesWhole = false): Count {
	const all = [...counts].map(([name, count]): Count => {
		const ofBytes = isAlive(name) ? 1 : scale;
		const ofMessages = areFetchesWhole && isFetch(name) ? 1 : ofBytes;
		return {
			published: count.published * ofMessages,
			delivered: count.delivered * ofMessages,
			bytesIn: count.bytesIn * ofBytes,
			bytesOut: count.bytesOut * ofBytes,
		};
	});
	return sumOf(all);
}

/** In one second, of what was counted in so many. */
const perSecond = (count: Count, seconds: number): Count => ({
	published: count.published / seconds,
	delivered: count.delivered / seconds,
	bytesIn: count.bytesIn / seconds,
	bytesOut: count.bytesOut / seconds,
});

/** What a message costs that is sealed and opened, in µs. */
async function sealingTime(bytes: number): Promise<{ bytes: number; seal: number; open: number }> {
	const { Sealer } = (await loadBundle('cluster/sealedBus.ts')) as typeof SealModule;
	const sealer = new Sealer(randomBytes(32));
	const message = randomBytes(bytes);
	const time = (run: () => unknown) => {
		for (let index = 0; index < 2000; index++) run();
		const begin = process.cpuUsage();
		for (let index = 0; index < 10_000; index++) run();
		const { user, system } = process.cpuUsage(begin);
		return +((user + system) / 10_000).toFixed(1);
	};
	const sealed = sealer.seal('room', message);
	return { bytes, seal: time(() => sealer.seal('room', message)), open: time(() => sealer.open('room', sealed)) };
}

export async function simulate({ nodes, users, rooms, spread, scale, seconds }: SimulationOptions) {
	const acts = await realMessages();
	const stateOf = (act: string) => acts.find((one) => one.act === act)!.state;
	const sealing = [await sealingTime(200), await sealingTime(2500)];
	const groups = groupsOf(users / scale, rooms / scale);
	const candidates = ({ users: inRoom }: Group) => (spread === 'any' ? nodes : Math.ceil(inRoom / 50));
	const clock = new FastClock();
	const uninstall = clock.install();
	const stateSizes = ['join', 'push', 'pause'].map(stateOf);
	const simulation = new Simulation(nodes, groups, candidates, stateSizes, clock);
	const { exchange } = simulation;
	const began = performance.now();
	const log = (text: string) => {
		const memory = Math.round(process.memoryUsage().rss / 1e6);
		console.log(`${((performance.now() - began) / 1000).toFixed(0)} s, ${memory} MB: ${text}`);
	};
	/** Runs something, and tells what it took, with the processor time of all servers together. */
	const timed = async (run: () => Promise<unknown>) => {
		exchange.take();
		const before = process.cpuUsage();
		await run();
		await settle();
		return { counts: exchange.take(), cpu: secondsSince(before) };
	};

	await simulation.start();
	log('all rooms are open');
	const meeting = await timed(() => simulation.meet());
	log(`all know each other, ${simulation.copies} copies of users, of ${simulation.expectedCopies}`);
	const shares = groups.map((group): Share => ({
		...group,
		rooms: group.rooms * scale,
		servers: simulation.serversOf(group),
	}));
	const startCopies = { are: simulation.copies, shouldBe: simulation.expectedCopies };

	Server.datagrams = 0;
	const alive = await timed(() => clock.beat(aliveInterval));
	const datagrams = Server.datagrams / (aliveInterval / 1000);
	log('signs of life');
	const digests = await timed(() => clock.beat(digestInterval));
	log('digests');
	const churn = await timed(() => simulation.churn(seconds, rates));
	log(`churn, ${simulation.copies} copies of users, of ${simulation.expectedCopies}`);
	const churnCopies = { are: simulation.copies, shouldBe: simulation.expectedCopies };

	const streams: Stream[] = [
		[alive, aliveInterval / 1000] as const,
		[digests, digestInterval / 1000] as const,
		[churn, seconds] as const,
	].flatMap(([{ counts }, time]) =>
		[...counts].map(([name, count]) => ({ name, ...perSecond(scaled([[name, count]], scale), time) })),
	);
	const isOf = (kinds: string) => (stream: Stream) => kinds.split(',').includes(stream.name.split(' ')[0]!);
	const all = sumOf(streams);
	const rowOf = (what: string, of: string, servers: number | '', count: Count): Row => ({
		messages: what,
		rooms: of,
		'servers a room': servers === '' ? '' : +servers.toFixed(1),
		'published/s': several(count.published),
		'delivered/s': several(count.delivered),
		'MB/s to the bus': MB(count.bytesIn),
		'MB/s from it': MB(count.bytesOut),
		'a server sends/s': several(count.published / nodes),
		'a server gets/s': several(count.delivered / nodes),
		'kB/s to a server': several(kB(count.bytesOut / nodes)),
		'of all delivered, %': +((100 * count.delivered) / all.delivered).toFixed(1),
	});
	const known = {
		digests: 'digest',
		'joins, leaves, pushes, pauses': 'change',
		'open and close': 'open,opened,closed',
	};
	const messages = [
		rowOf('signs of life', '', '', sumOf(streams.filter(isOf('alive')))),
		...Object.entries(known).flatMap(([what, kinds]) =>
			shares.map(({ name, servers }) =>
				rowOf(what, name, servers, sumOf(streams.filter(isOf(kinds)).filter((stream) => stream.name.endsWith(name)))),
			),
		),
		rowOf('fetches', '', '', sumOf(streams.filter(isOf('request,response')))),
		rowOf('all', '', '', all),
	];

	const moment = (what: string, count: Count, cpu?: number, servers = nodes): Row => ({
		moment: what,
		published: Math.round(count.published),
		delivered: Math.round(count.delivered),
		'MB to the bus': MB(count.bytesIn),
		'MB from it': MB(count.bytesOut),
		'MB to a server, on the average': +(count.bytesOut / servers / 1e6).toFixed(2),
		'processor time, s': cpu === undefined ? '' : +cpu.toFixed(2),
	});
	const moments: Row[] = [];
	const [first] = simulation.servers;
	const back = await timed(async () => {
		first!.bus.setConnected(false);
		first!.bus.setConnected(true);
		await settle();
	});
	moments.push(moment('one server has the bus back', scaled(back.counts, scale, true), back.cpu * scale));
	const round = scaled([...alive.counts, ...digests.counts, ...meeting.counts], scale, true);
	const cpuOfRound = alive.cpu + (meeting.cpu + digests.cpu) * scale;
	moments.push(moment('all servers have the bus back', round, cpuOfRound));
	log('reconnections');

	const killed = anyBusy(simulation);
	const death = await timed(async () => {
		const gone = await simulation.kill(killed);
		for (let passed = 0; passed < 3000; passed += aliveInterval) {
			await clock.pass(aliveInterval);
			await clock.beat(aliveInterval);
		}
		victims.push(...gone);
	});
	const others = simulation.servers.length;
	const deathMessages = scaled(
		[...death.counts].filter(([name]) => !isAlive(name)),
		scale,
	);
	moments.push(moment('a server dies: until all have noticed', deathMessages, undefined, others));
	const rejoined = await timed(async () => {
		for (const { room, member } of victims) {
			await simulation.join(room, member.pushes, room.candidates.length > 0 ? undefined : anyBusy(simulation));
			await settle();
		}
	});
	moments.push(
		moment(
			`its ${victims.length * scale} users join elsewhere`,
			scaled(rejoined.counts, scale),
			rejoined.cpu * scale,
			others,
		),
	);
	log('death');

	let added!: Server;
	const start = await timed(async () => {
		added = await simulation.addServer();
	});
	moments.push(moment('one more server starts', scaled(start.counts, scale, true), start.cpu));
	const opens = await timed(async () => {
		for (const { room, member } of victims) {
			await simulation.join(room, member.pushes, added);
			await settle();
		}
	});
	const sum = scaled(opens.counts, scale);
	moments.push(
		moment(`it opens ${added.parts.size * scale} rooms for ${victims.length * scale} users`, sum, opens.cpu * scale),
	);
	const finalCopies = { are: simulation.copies, shouldBe: simulation.expectedCopies };
	log(`restart, ${finalCopies.are} copies of users, of ${finalCopies.shouldBe}`);

	const few = Math.min(nodes, 50);
	const together = await startTogether(few, clock);
	moments.push(moment(`${few} servers without rooms start at the same moment`, together.count, together.cpu, few));
	if (few < nodes) {
		const scaled = (nodes / few) ** 3;
		const { published, delivered, bytesIn, bytesOut } = together.count;
		const squared = (nodes / few) ** 2;
		moments.push(
			moment(`${nodes} servers do so (extrapolated)`, {
				published: published * squared,
				delivered: delivered * scaled,
				bytesIn: bytesIn * squared,
				bytesOut: bytesOut * scaled,
			}),
		);
	}
	uninstall();
	const cpu = {
		alive: alive.cpu / (aliveInterval / 1000),
		digests: (digests.cpu * scale) / (digestInterval / 1000),
		churn: (churn.cpu * scale) / seconds,
	};
	const details = {
		nodes,
		users,
		rooms,
		spread,
		scale,
		groups,
		rates,
		datagrams,
		copies: { startCopies, churnCopies, finalCopies },
		coresOfAllServersWithoutSealing: cpu,
		sealing,
		acts,
		streams,
	};
	return { messages, moments, shares, details };
}

const victims: Awaited<ReturnType<Simulation['kill']>> = [];

function secondsSince(before: NodeJS.CpuUsage): number {
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1e6;
}

/** A server with users. */
function anyBusy({ servers }: Simulation): Server {
	const sizes = servers.toSorted((a, b) => b.parts.size - a.parts.size);
	return sizes[Math.floor(sizes.length / 2)]!;
}

/** Starts servers at the same moment. */
async function startTogether(nodes: number, clock: FastClock) {
	const { exchange, servers } = new Simulation(nodes, [], () => 1, [], clock);
	const before = process.cpuUsage();
	await Promise.all(servers.map((server) => server.start()));
	await settle();
	return { count: sumOf(exchange.take().values()), cpu: secondsSince(before) };
}
