import assert from 'node:assert/strict';
import fc from 'fast-check';
import { after, before, describe, it, mock } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type Connection, type Logger, type User } from 'sfu-rooms';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { payloadProtocol, writeOpen } from '../../src/sdp/dataChannelProtocol.js';
import { FakeWorkers, type Books } from '../support/fakeWorkers.js';
import { OfferingPeer, profile, withOnly } from './OfferingPeer.js';
import { RoomClient } from './RoomClient.js';
import { Scenario, steps } from './Scenario.js';
import { dataPullers, dataPushers, mediaPullers, mediaPushers } from '../support/parted.js';

/*
 * Random things happen in rooms, and what clients know must be so. A failure prints its seed and path; to see it again:
 *   SFU_TEST_SEED=… SFU_TEST_PATH=… node --import tsx --test test/properties/rooms.test.ts
 * SFU_TEST_RUNS changes how many sequences there are.
 */
const { SFU_TEST_SEED: seed = '1', SFU_TEST_PATH: path, SFU_TEST_RUNS: runs } = process.env;

const parameters = (numRuns: number) => ({
	numRuns: runs === undefined ? numRuns : Number(runs),
	seed: Number(seed),
	...(path !== undefined && { path }),
	includeErrorInReport: true,
});

const chromium = profile('chromium', 'chromium-sendonly-audio-video', 'chromium-recvonly-video-audio');
const firefox = profile('firefox', 'firefox-sendonly-audio-video', 'firefox-recvonly-video-audio');

const unlimited = 1_000_000_000;
const grace = 20_000;
const emptyRoomTimeout = 30_000;
// Within this it is noticed that a client has closed a data channel.
const noticed = 1000;

/** Random numbers that a seed fixes: mulberry32. */
function random(seed: number) {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return (mixed ^ (mixed >>> 14)) >>> 0;
	};
}

/** Keeps what an operator would be bothered with. */
function watchful() {
	const problems: string[] = [];
	const ignore = () => undefined;
	const keep = (message: string, details: unknown) => {
		const { cause } = details instanceof Error ? details : {};
		problems.push([message, details instanceof Error ? details.stack : details, cause ?? ''].join(' '));
	};
	const logger: Logger = { debug: ignore, info: ignore, warn: keep, error: keep };
	return { logger, problems };
}

const hasTransport = (connection: Connection) =>
	(connection as unknown as { transport?: object }).transport !== undefined;

function checkBooks(sfu: Sfu, books: Books): void {
	const rooms = [...sfu.rooms.values()];
	const users = rooms.flatMap((room) => [...room.users.values()]);
	const pushers = users.flatMap(mediaPushers);
	const pullers = users.flatMap(mediaPullers);
	assert.deepEqual(
		books.count('webrtc'),
		{
			// Where nothing has been offered yet there is none.
			transports: users.flatMap(({ connections }) => connections.filter(hasTransport)).length,
			producers: pushers.length,
			consumers: pullers.length,
		},
		'the worker holds what the users have',
	);
	checkData(users, books);
	const pipes = books.count('pipe');
	assert.equal(pipes.producers, pipes.consumers, 'each pipe has two ends');
	assert.ok(pipes.producers <= pullers.length, 'nothing is piped for nobody');
	assert.ok(books.routers.size <= rooms.length, 'no router without a room');
	assert.ok(pipes.transports <= books.routers.size * 2);
	for (const pusher of pushers) {
		assert.equal(books.producers.get(pusher.pusherId)?.paused, pusher.paused, 'a paused pusher is, in the worker');
	}
	const pausedSources = [...books.consumers.values()].filter(
		({ transportId, producerId }) =>
			books.transports.get(transportId)?.type === 'pipe' && books.producers.get(producerId)?.paused,
	);
	const pausedExits = [...books.producers.values()].filter(
		({ transportId, paused }) => books.transports.get(transportId)?.type === 'pipe' && paused,
	);
	assert.equal(pausedExits.length, pausedSources.length, 'pipes are paused with their sources');
}

function checkData(users: readonly User[], { data }: Books): void {
	const pushers = users.flatMap(dataPushers);
	const pullers = users.flatMap(dataPullers);
	for (const { producer } of pushers) assert.ok(data.producers.has(producer.id), 'a data pusher is received');
	const streams = [...data.producers.values()].filter(({ streamId }) => streamId !== undefined);
	assert.equal(data.taps.length, streams.length, 'each stream is listened to');
	assert.deepEqual(
		data.pulled.map(([id]) => id).sort(),
		pullers.map(({ consumer }) => consumer.id).sort(),
		'what is sent of data channels is what users pull',
	);
	for (const { consumer, pusher, paused } of pullers) {
		const held = data.consumers.get(consumer.id);
		assert.equal(held?.producerId, pusher.producer.id, 'it is that of the pusher');
		if (paused || pusher.paused) assert.equal(held.paused, true, 'what is paused is, in the worker');
	}
}

describe('rooms, with fake media and a fake clock', () => {
	before(() => {
		mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
	});
	after(() => {
		mock.timers.reset();
	});

	const profiles = [
		withOnly(chromium, /^a=rtpmap:(\d+) VP8\//m),
		withOnly(firefox, /^a=rtpmap:(\d+) VP8\//m),
		withOnly(chromium, /^a=rtpmap:(\d+) VP9\//m),
	];

	async function play(script: Parameters<Scenario['play']>[0], delays: number, rtcpilot: boolean) {
		const { logger, problems } = watchful();
		const next = random(delays);
		let gate = Promise.resolve();
		const workers = new FakeWorkers(logger, async () => {
			// Mostly soon, now and then late.
			for (let turns = next() % 8 === 0 ? next() % 40 : next() % 4; turns > 0; turns--) await Promise.resolve();
			await gate;
		});
		const sfu = await Sfu.createWith({ emptyRoomTimeout, logger }, () => Promise.resolve(workers.pool));
		const limits = {
			messagesPerSecond: unlimited,
			messageBurst: unlimited,
			offersPerSecond: unlimited,
			offerBurst: unlimited,
		};
		const adapter = new ProtooAdapter(sfu, { rtcpilot, reconnectTimeout: grace, limits });
		let now = 0;
		const pass = async (ms: number) => {
			let open!: () => void;
			gate = new Promise((resolve) => (open = resolve));
			await setImmediate();
			now += ms;
			mock.timers.tick(ms);
			await setImmediate();
			open();
		};
		const scenario = new Scenario({
			sfu,
			adapter,
			profiles,
			grace,
			emptyRoomTimeout,
			problems,
			now: () => now,
			// Timers fire when no microtask is left; the workers may be in the midst of something.
			pass,
			turns: async (count) => {
				for (let turn = 0; turn < count; turn++) await Promise.resolve();
			},
			// Everything here is done in microtasks, and so all of it now.
			quiet: async (check) => {
				await setImmediate();
				check();
			},
			checkHeld: () => {
				checkBooks(sfu, workers.books);
			},
			transport: (nth, state) => {
				workers.transports.at(-1 - nth)?.becomes(state);
			},
			openChannel: (nth) => {
				const channel = { label: `opened ${nth}`, protocol: '', ordered: nth % 2 === 0 };
				const limits = { maxPacketLifeTime: undefined, maxRetransmits: undefined };
				workers.clientSends(nth, writeOpen({ ...channel, ...limits }), payloadProtocol.control);
			},
			closeChannel: async (nth) => {
				workers.clientClosesChannel(nth);
				await pass(noticed);
			},
			workerDies: () => {
				// What the death is logged as is no problem.
				workers.die();
			},
		});
		await scenario.play(script);
		sfu.close();
		await setImmediate();
		assert.deepEqual(workers.books.routers.size, 0);
	}

	it('what clients know is so, and nothing is left behind', async () => {
		await fc.assert(fc.asyncProperty(steps(40), fc.integer(), fc.boolean(), play), parameters(10_000));
	});
});

describe('a room that somebody joins', () => {
	it('tells which pushers are paused', async (t) => {
		const { logger } = watchful();
		const workers = new FakeWorkers(logger);
		const sfu = await Sfu.createWith({ logger }, () => Promise.resolve(workers.pool));
		t.after(() => {
			sfu.close();
		});
		const adapter = new ProtooAdapter(sfu);
		const violations: string[] = [];
		const client = () =>
			new RoomClient(
				'client',
				(socket) => {
					adapter.accept(socket);
				},
				[],
				(violation) => violations.push(violation),
			);
		const [ann, bob] = [client(), client()];
		const room = { roomId: 'x', userId: 'ann' };
		await ann.request('join', { ...room, userName: 'Ann' });
		const peer = new OfferingPeer(chromium, 1);
		const sdp = peer.offer([peer.section('video', 'sendonly')]);
		await ann.request('push', { ...room, sdp: { type: 'offer', sdp } });
		const [pusher] = sfu.rooms.get('x')?.users.get('ann')?.pushers.values() ?? [];
		await pusher?.pause();
		await bob.request('join', { roomId: 'x', userId: 'bob', userName: 'Bob' });
		assert.deepEqual(violations, []);
		const known = bob.view?.users.get('ann')?.pushers.get(pusher?.pusherId ?? '');
		assert.equal(known?.paused, true, 'somebody who joins later is told, too');
		ann.close(1000);
		bob.close(1000);
	});
});

describe('rooms, with a real worker', () => {
	const profiles = [chromium, firefox];
	const grace = 40;
	const emptyRoomTimeout = 60;

	it('what clients know is so, and nothing is left behind', async (t) => {
		const { logger, problems } = watchful();
		const sfu = await Sfu.create({ workers: { count: 1, logLevel: 'none' }, emptyRoomTimeout, logger });
		t.after(() => {
			sfu.close();
		});
		const held = async () => {
			const [dump] = await sfu.dump();
			const { channelRequestHandlers = [] } = dump?.channelMessageHandlers ?? {};
			return { pid: dump?.pid, routers: dump?.routerIds.length, handlers: channelRequestHandlers.toSorted() };
		};
		const before = await held();

		async function play(script: Parameters<Scenario['play']>[0]) {
			const adapter = new ProtooAdapter(sfu, { reconnectTimeout: grace });
			const scenario = new Scenario({
				sfu,
				adapter,
				profiles,
				grace,
				emptyRoomTimeout,
				problems,
				now: () => performance.now(),
				pass: (ms) => sleep(ms),
				turns: async (count) => {
					// A worker takes a while; what matters is what comes between.
					for (let turn = 0; turn < count; turn++) await (turn % 8 === 7 ? setImmediate() : Promise.resolve());
				},
				quiet: (check) => eventually(check),
				checkHeld: () => undefined,
			});
			await scenario.play(script);
			await eventually(async () => {
				assert.deepEqual(await held(), before);
			});
		}
		await fc.assert(fc.asyncProperty(steps(25), play), parameters(200));
	});
});

/** Waits until the check passes, but not for long. */
async function eventually(check: () => void | Promise<void>) {
	const deadline = performance.now() + 3000;
	for (;;) {
		try {
			await check();
			return;
		} catch (error) {
			if (performance.now() > deadline) throw error;
			await sleep(2);
		}
	}
}
