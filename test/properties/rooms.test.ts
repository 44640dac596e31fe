// Takes 25 s.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { after, before, describe, it, mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Sfu, type Connection, type User } from 'sfu-rooms';
import { ProtooAdapter, type AuthorizeAction } from 'sfu-rooms/protoo';
import { payloadProtocol, writeOpen } from '../../src/sdp/dataChannelProtocol.js';
import { FakeWorkers, type Books } from '../support/fakeWorkers.js';
import { checkProperty } from '../support/seed.js';
import { OfferingPeer, withOnly } from './OfferingPeer.js';
import { RoomClient } from './RoomClient.js';
import { Scenario, steps } from './Scenario.js';
import { dataPullers, dataPushers, mediaPullers, mediaPushers } from '../support/parted.js';
import { chromium, firefox, watchful } from './setup.js';

// Random things happen in rooms, and what clients know must be so.

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

const hasTransport = (connection: Connection) =>
	(connection as unknown as { transport?: object }).transport !== undefined;

function checkBooks(sfu: Sfu, books: Books, workers: number): void {
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
	assert.ok(books.routers.size <= rooms.length * workers, 'no router without a room');
	assert.ok(pipes.transports <= books.routers.size * 2 * workers, 'one pair from each router to each of its room');
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
	for (const { pullSource } of pushers)
		assert.ok(data.producers.has(pullSource.producer!.id), 'a data pusher is received');
	const streams = [...data.producers.values()].filter(({ transportId }) => data.clients.has(transportId));
	assert.equal(data.taps.length, streams.length, 'each stream is listened to');
	assert.deepEqual(
		data.pulled.map(([id]) => id).sort(),
		pullers.map(({ consumer }) => consumer.id).sort(),
		'what is sent of data channels is what users pull',
	);
	for (const { consumer, pusher, paused } of pullers) {
		const held = data.consumers.get(consumer.id);
		const producerId = held?.producerId ?? '';
		const isPiped = data.pipes.has(data.producers.get(producerId)?.transportId ?? '');
		if (!isPiped) assert.equal(producerId, pusher.pullSource.producer!.id, 'it is that of the pusher');
		if (paused || pusher.paused) assert.equal(held?.paused, true, 'what is paused is, in the worker');
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

	async function play(script: Parameters<Scenario['play']>[0], delays: number, rtcpilot: boolean, count: number) {
		const { logger, problems } = watchful();
		const next = random(delays);
		let gate = Promise.resolve();
		const workers = new FakeWorkers(
			logger,
			async () => {
				// Mostly soon, now and then late.
				for (let turns = next() % 8 === 0 ? next() % 40 : next() % 4; turns > 0; turns--) await Promise.resolve();
				await gate;
			},
			count,
		);
		const sfu = await Sfu.createWith({ emptyRoomTimeout, logger }, () => Promise.resolve(workers.pool));
		const limits = {
			messagesPerSecond: unlimited,
			messageBurst: unlimited,
			offersPerSecond: unlimited,
			offerBurst: unlimited,
		};
		const authorize = (action: AuthorizeAction) => (action.action === 'join' ? { takeOver: true } : true);
		const adapter = new ProtooAdapter(sfu, { authorize, rtcpilot, reconnectTimeout: grace, limits });
		let now = 0;
		let nth = 0;
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
				checkBooks(sfu, workers.books, count);
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
				workers.die(nth++);
			},
		});
		await scenario.play(script);
		sfu.close();
		await setImmediate();
		assert.deepEqual(workers.books.routers.size, 0);
	}

	it('on one worker or several, what clients know is so, and nothing is left behind', async () => {
		const property = fc.asyncProperty(steps(40), fc.integer(), fc.boolean(), fc.integer({ min: 1, max: 3 }), play);
		await checkProperty(import.meta.filename, { few: 1000, many: 10_000 }, property);
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
