import { observer } from 'mediasoup';
import type { Router } from 'mediasoup/types';
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Speakers } from '../../src/rooms/Speakers.js';
import { anOffer } from '../support/offers.js';
import { held, interruptEach, outcome, startCall, startSfu, until, untilHeld } from './setup.js';
import { mediaPushers } from '../support/parted.js';

/** Alice and Bob each push a microphone, and nobody hears what mediasoup does. */
async function start(t: TestContext) {
	const { alice, bob } = await startCall(t, { offer: 'chromium-sendonly-audio' });
	await bob.push(anOffer('chromium-sendonly-audio'));
	const told: unknown[] = [];
	const toldOthers: unknown[] = [];
	const speakers = new Speakers({
		activeChanged: (active) => told.push(active?.user.userId),
		levels: (levels) => told.push(levels.map(({ user, volume }) => `${user.userId} ${volume}`)),
		ownChanged: (speaking) => toldOthers.push(speaking),
		ownLevels: (levels) => toldOthers.push(levels.length),
	});
	const [of, ofBob] = [alice, bob].map((user) => mediaPushers(user)[0]!);
	speakers.add(alice, of!);
	speakers.add(bob, ofBob!);
	const level = (pusher: typeof of, volume: number) => ({ pusherId: pusher!.pusherId, volume });
	return { speakers, told, toldOthers, pusher: of!, other: ofBob!, level };
}

describe('Who speaks', () => {
	it('is the dominant one, while somebody is heard', async (t) => {
		const { speakers, told, pusher, other, level } = await start(t);
		speakers.dominant(pusher.pusherId);
		assert.deepEqual(told.splice(0), [], 'nobody has been heard yet');
		speakers.levels([level(pusher, -30), level(other, -50)]);
		assert.deepEqual(told.splice(0), ['alice', ['alice -30', 'bob -50']]);
		assert.equal(speakers.active?.pusher, pusher);
		speakers.dominant(other.pusherId);
		speakers.dominant(other.pusherId);
		assert.deepEqual(told.splice(0), ['bob']);
		speakers.levels([]);
		assert.deepEqual(told.splice(0), [undefined, []]);
		assert.equal(speakers.active, undefined);
		speakers.levels([level(other, -30)]);
		assert.deepEqual(told.splice(0), ['bob', ['bob -30']], 'mediasoup does not tell again of who was dominant');
	});

	it('is not one who is silent while another is heard', async (t) => {
		const { speakers, told, pusher, other, level } = await start(t);
		speakers.dominant(pusher.pusherId);
		speakers.levels([level(pusher, -30), level(other, -50)]);
		told.splice(0);
		speakers.levels([level(other, -50)]);
		assert.deepEqual(told.splice(0), [undefined, ['bob -50']]);
		speakers.levels([level(pusher, -30), level(other, -50)]);
		assert.deepEqual(told.splice(0), ['alice', ['alice -30', 'bob -50']]);
	});

	it('is one who has become dominant, before the next levels', async (t) => {
		const { speakers, told, pusher, other, level } = await start(t);
		speakers.dominant(pusher.pusherId);
		speakers.levels([level(pusher, -30)]);
		told.splice(0);
		speakers.dominant(other.pusherId);
		assert.deepEqual(told.splice(0), ['bob']);
		speakers.levels([level(other, -30)]);
		assert.deepEqual(told.splice(0), [['bob -30']]);
	});

	it('is nobody once that is paused or has closed', async (t) => {
		const { speakers, told, pusher, other, level } = await start(t);
		speakers.dominant(pusher.pusherId);
		speakers.levels([level(pusher, -30)]);
		told.splice(0);
		await pusher.pause();
		assert.deepEqual(told.splice(0), [undefined]);
		await pusher.resume();
		assert.deepEqual(told.splice(0), ['alice']);
		pusher.close();
		assert.deepEqual(told.splice(0), [undefined]);
		other.close();
		assert.deepEqual(told.splice(0), []);
	});

	it('is nobody that is not known', async (t) => {
		const { speakers, told, other, level } = await start(t);
		speakers.dominant('stranger');
		speakers.levels([{ pusherId: 'stranger', volume: -1 }, level(other, -3)]);
		assert.deepEqual(told, [['bob -3']]);
	});
});

/** An Sfu, and the routers that it makes. */
async function startObserved(t: TestContext, options = {}) {
	const routers: Router[] = [];
	const watch = (worker: Parameters<Parameters<typeof observer.on<'newworker'>>[1]>[0]) => {
		worker.observer.on('newrouter', (router) => routers.push(router));
	};
	observer.on('newworker', watch);
	t.after(() => observer.off('newworker', watch));
	const started = await startSfu(t, options);
	const room = await started.sfu.getOrCreateRoom('room');
	const alice = await room.join({ userId: 'alice' });
	const observed = async () => {
		const { rtpObserverIds, mapProducerIdObserverIds } = await routers.at(-1)!.dump();
		const observers = mapProducerIdObserverIds.map(({ values }) => values.length).filter((count) => count > 0);
		return [rtpObserverIds.length, ...observers];
	};
	return { ...started, room, alice, observed };
}

describe('The audio of a room', () => {
	it('is not observed unless that is wanted', async (t) => {
		const { alice, observed } = await startObserved(t);
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		assert.deepEqual(await observed(), [0]);
	});

	it('is observed from the first microphone that tells its level on', async (t) => {
		const { sfu, alice, observed, room, messages } = await startObserved(t, { audioObservers: {} });
		await alice.push(anOffer('chromium-sendonly-video'));
		await alice.push(anOffer('gstreamer-send-bundled'));
		assert.deepEqual(await observed(), [0]);
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		const pushers = mediaPushers(await alice.push(anOffer('firefox-sendonly-audio')));
		await until(async () => (await observed()).join() === '2,2,2', 'both microphones are observed');
		pushers[0]!.close();
		await until(async () => (await observed()).join() === '2,2', 'the closed one is not any more');
		room.close();
		await until(async () => (await held(sfu)).length === 1, 'nothing is left but the WebRtcServer');
		assert.deepEqual(messages, []);
	});

	it('is observed again after a worker has died', async (t) => {
		const { sfu, alice, observed } = await startObserved(t, { audioObservers: { interval: 250, threshold: -100 } });
		await alice.push(anOffer('chromium-sendonly-audio'));
		await until(async () => (await observed()).join() === '2,2', 'it is observed');
		const replaced = new Promise((resolve) => sfu.once('workerReplaced', resolve));
		process.kill((await sfu.dump())[0]!.pid, 'SIGKILL');
		await replaced;
		await alice.push(anOffer('chromium-sendonly-audio'));
		await until(async () => (await observed()).join() === '2,2', 'it is observed again');
	});

	it('leaves nothing when its user leaves while it begins to be observed', async (t) => {
		const { sfu, worker } = await startSfu(t, { audioObservers: {} });
		const before = await held(sfu);
		await interruptEach(worker, async (interrupted) => {
			const room = await sfu.getOrCreateRoom('room');
			const user = await room.join({ userId: 'alice' });
			const pushing = await interrupted(
				() => {
					room.close();
				},
				() => outcome(user.push(anOffer('chromium-sendonly-audio'))),
			);
			assert.match(pushing, /done|closed/);
			room.close();
			await untilHeld(sfu, before);
		});
	});
});
