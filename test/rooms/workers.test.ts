import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import type { PlaceOnWorker, Placement, SfuOptions } from 'sfu-rooms';
import { anOffer } from '../support/offers.js';
import { mediaPullers, mediaPushers, producerOf } from '../support/parted.js';
import { held, pullAll, startSfu, until } from './setup.js';

/** Alice is on the first of two workers, and Bob on the second. */
const apart: PlaceOnWorker = ({ userId }) => (userId === 'bob' ? 1 : 0);

/** A room on two workers. */
async function startRoom(t: TestContext, place: PlaceOnWorker | null = apart, options: SfuOptions['workers'] = {}) {
	const { sfu, messages } = await startSfu(t, { workers: { count: 2, ...(place && { place }), ...options } });
	const room = await sfu.getOrCreateRoom('room');
	return { sfu, messages, room, join: (userId: string) => room.join({ userId }) };
}

/** Alice pushes a microphone and a camera on the first worker, and Bob has joined. */
async function startCall(t: TestContext, offer = 'chromium-sendonly-audio-video') {
	const { join, ...rest } = await startRoom(t);
	const [alice, bob] = [await join('alice'), await join('bob')];
	const pushed = await alice.push(anOffer(offer));
	return { ...rest, join, alice, bob, pushers: mediaPushers(pushed) };
}

/** The ids of the routers, by worker. */
const routersOf = async (sfu: Parameters<typeof held>[0]) =>
	(await sfu.dump()).map(({ routerIds }) => routerIds.length);

describe('A room on two workers', () => {
	it('has a router where somebody is', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		assert.deepEqual(await routersOf(sfu), [1, 0]);
		assert.deepEqual(
			sfu.workers.map(({ index, rooms, tracks, isFull }) => [index, rooms, tracks, isFull]),
			[
				[0, 1, 2, false],
				[1, 0, 0, false],
			],
		);
		await bob.pull(pullAll(alice));
		assert.deepEqual(await routersOf(sfu), [1, 1]);
	});

	it('pipes each track once, while somebody pulls it there', async (t) => {
		const { sfu, alice, bob, pushers } = await startCall(t);
		const [first, second] = [await bob.pull(pullAll(alice)), await bob.pull(pullAll(alice))];
		const both = (await held(sfu)).length;
		second.connection.close();
		// A transport, and two consumers on it.
		await until(async () => (await held(sfu)).length === both - 3, 'the pipes stay');
		const one = (await held(sfu)).length;
		first.connection.close();
		// And the two ends of each pipe.
		await until(async () => (await held(sfu)).length === one - 3 - 4, 'the pipes are closed');
		assert.deepEqual(
			pushers.map((pusher) => pusher.closed),
			[false, false],
		);
	});

	it('carries pauses to the other worker', async (t) => {
		const { alice, bob, pushers } = await startCall(t);
		await pushers[0]!.pause();
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		const puller = pullers.find(({ pusherId }) => pusherId === pushers[0]!.pusherId)!;
		const { consumer } = puller as unknown as { consumer: { producerPaused: boolean } };
		await until(() => consumer.producerPaused, 'it begins paused');
		await pushers[0]!.resume();
		await until(() => !consumer.producerPaused, 'it flows');
		await pushers[0]!.pause('client');
		await until(() => consumer.producerPaused, 'it is paused again');
	});

	it('that is closed leaves nothing', async (t) => {
		const { sfu, room, alice, bob } = await startCall(t);
		await bob.pull(pullAll(alice));
		room.close();
		// Each worker keeps its WebRtcServer.
		await until(async () => (await held(sfu)).length === 2, 'all is gone');
	});
});

describe('When a worker dies', () => {
	const kill = async (sfu: Parameters<typeof held>[0], index: number) => {
		const dead = new Promise((resolve) => sfu.once('workerDied', resolve));
		process.kill((await sfu.dump())[index]!.pid, 'SIGKILL');
		await dead;
	};

	it('those who pull on it have to connect again, and nobody else notices', async (t) => {
		const { sfu, alice, bob, pushers } = await startCall(t);
		const pulled = await bob.pull(pullAll(alice));
		const replaced = new Promise((resolve) => sfu.once('workerReplaced', resolve));
		await kill(sfu, 1);
		assert.equal(pulled.connection.closed, true);
		assert.deepEqual(
			[...alice.connections, ...pushers].map(({ closed }) => closed),
			[false, false, false],
		);
		await replaced;
		const again = await bob.pull(pullAll(alice));
		assert.equal(again.pullers.length, 2);
		assert.deepEqual(await routersOf(sfu), [1, 1]);
	});

	it('what was pushed on it closes for all, and comes again when it is pushed again', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		const pulled = await bob.pull(pullAll(alice));
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ reason }) => reasons.push(reason));
		const replaced = new Promise((resolve) => sfu.once('workerReplaced', resolve));
		await kill(sfu, 0);
		assert.deepEqual(reasons, ['workerDied', 'workerDied']);
		assert.equal(pulled.connection.closed, false, 'the connection to the other worker stays');
		await replaced;
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		const again = await bob.pull(pullAll(alice));
		assert.equal(again.pullers.length, 2);
	});

	it('nothing of the pipes is left on the other one', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		const onFirst = async () => (await sfu.dump())[0]!.channelMessageHandlers.channelRequestHandlers.length;
		const before = await onFirst();
		await bob.pull(pullAll(alice));
		assert.ok((await onFirst()) > before);
		await kill(sfu, 1);
		await until(async () => (await onFirst()) === before, 'the pipes are gone');
	});
});

describe('The worker of a connection', () => {
	it('is that of its room, for a room of two', async (t) => {
		const { sfu, join } = await startRoom(t, null);
		const [alice, bob] = [await join('alice'), await join('bob')];
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		await bob.pull(pullAll(alice));
		assert.deepEqual((await routersOf(sfu)).toSorted(), [0, 1]);
	});

	it('is another one when that is full', async (t) => {
		const { sfu, join } = await startRoom(t, null, { fullTracks: 2 });
		const [alice, bob] = [await join('alice'), await join('bob')];
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		await bob.pull(pullAll(alice));
		assert.deepEqual(await routersOf(sfu), [1, 1]);
	});

	it('is what the app chooses, which knows the load of each', async (t) => {
		const asked: Placement[] = [];
		const { join, alice } = await (async () => {
			const started = await startRoom(t, (placement) => {
				asked.push(placement);
				return 1;
			});
			return { ...started, alice: await started.join('alice') };
		})();
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		await join('bob');
		assert.deepEqual(
			asked.map(({ roomId, userId }) => [roomId, userId]),
			[
				['room', undefined],
				['room', 'alice'],
			],
		);
		const [first, second] = asked[1]!.workers;
		assert.deepEqual([first!.rooms, first!.carriesRoom, first!.isFull], [0, false, false]);
		assert.deepEqual([second!.rooms, second!.carriesRoom, second!.tracks], [1, true, 0]);
	});

	for (const [what, place] of [
		['throws', () => assert.fail('no')],
		['chooses none that there is', () => 7],
		['chooses nothing', () => undefined],
	] as const) {
		it(`is the library's choice when the app ${what}`, async (t) => {
			const { sfu, join, messages } = await startRoom(t, place);
			const alice = await join('alice');
			await alice.push(anOffer('chromium-sendonly-audio-video'));
			assert.deepEqual((await routersOf(sfu)).toSorted(), [0, 1]);
			assert.equal(messages.length > 0, what !== 'chooses nothing', messages.join());
		});
	}
});

describe('The audio of a room on two workers', () => {
	it('is observed on one of them, whoever pushes where', async (t) => {
		const { sfu } = await startSfu(t, { workers: { count: 2, place: apart }, audioObservers: {} });
		const room = await sfu.getOrCreateRoom('room');
		const bob = await room.join({ userId: 'bob' });
		const before = await held(sfu);
		const pushed = await bob.push(anOffer('chromium-sendonly-audio-video'));
		const [audio] = mediaPushers(pushed).filter(({ kind }) => kind === 'audio');
		// Here: a pipe, and two observers. There: a transport, two producers, a pipe.
		await until(async () => (await held(sfu)).length >= before.length + 10, 'it is piped and observed');
		audio!.close();
		assert.equal(producerOf(audio!).closed, true);
	});
});
