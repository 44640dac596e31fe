import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anOffer } from '../support/offers.js';
import { held, pullAll, startCall, turns, untilHeld } from '../rooms/setup.js';
import { mediaPullers } from '../support/parted.js';

describe('A puller that closes', () => {
	it('tells once, and its user no longer has it; the pusher goes on', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		const { connection, ...tracks } = await bob.pull(pullAll(alice));
		const pullers = mediaPullers(tracks);
		const [video, audio] = pullers;
		const told: string[] = [];
		video!.on('closed', ({ reason }) => told.push(`puller: ${reason}`));
		bob.on('pullerClosed', ({ puller, reason }) => told.push(`user: ${puller.kind} ${reason}`));
		video!.close('because');
		video!.close('again');
		assert.deepEqual(told.sort(), ['puller: because', 'user: video because']);
		assert.deepEqual([...bob.pullers.values()], [audio]);
		assert.equal(connection.closed, false);
		assert.ok(pushed.pushers.every(({ closed }) => !closed));
	});

	it('takes its pipe with it when it was the last one', async (t) => {
		const { sfu, alice, bob } = await startCall(t, { offer: 'chromium-sendonly-video' });
		const first = await bob.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')));
		const second = await bob.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')));
		const both = await held(sfu);
		first.pullers[0]!.close();
		assert.equal((await held(sfu)).length, both.length - 1);
		second.pullers[0]!.close();
		assert.equal((await held(sfu)).length, both.length - 1 - 3);
	});

	it('gives back its place among the pullers of its user', async (t) => {
		const { alice, bob } = await startCall(t, { limits: { pullersPerUser: 1 }, offer: 'chromium-sendonly-video' });
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		await assert.rejects(bob.pull(pullAll(alice)), { code: 'limit_exceeded' });
		pullers[0]!.close();
		await bob.pull(pullAll(alice));
	});

	it('with its connection leaves nothing', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		const before = await held(sfu);
		const { connection, ...tracks } = await bob.pull(pullAll(alice));
		const pullers = mediaPullers(tracks);
		const reasons: string[] = [];
		for (const puller of pullers) puller.on('closed', ({ reason }) => reasons.push(reason));
		connection.close();
		assert.deepEqual(reasons, ['connectionClosed', 'connectionClosed']);
		await untilHeld(sfu, before);
	});

	it('is not disturbed by a listener that throws or rejects', async (t) => {
		const { alice, bob, messages } = await startCall(t);
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		const [puller] = pullers;
		puller!.on('closed', () => {
			throw new Error('of the listener');
		});
		// eslint-disable-next-line @typescript-eslint/no-misused-promises -- it is what this test is about
		puller!.on('closed', () => Promise.reject(new Error('of the listener')));
		puller!.close();
		await turns(1);
		assert.equal(bob.pullers.size, 1);
		assert.deepEqual(messages, ['a listener of Puller failed', 'a listener of Puller failed']);
	});
});

describe('A puller that is paused', () => {
	it('tells of each change, once, and says so', async (t) => {
		const { alice, bob } = await startCall(t);
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		const [puller] = pullers;
		const told: string[] = [];
		puller!.on('paused', () => told.push(`paused ${puller!.paused}`));
		puller!.on('resumed', () => told.push(`resumed ${puller!.paused}`));
		assert.equal(puller!.paused, false);
		await puller!.pause();
		await puller!.pause();
		await puller!.resume();
		assert.deepEqual(told, ['paused true', 'resumed false']);
	});

	it('may close meanwhile; after that it rejects with `closed`', async (t) => {
		const { alice, bob } = await startCall(t);
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		const [puller] = pullers;
		const pausing = puller!.pause();
		puller!.close();
		await pausing;
		await assert.rejects(puller!.pause(), { code: 'closed', message: 'the puller has been closed' });
		await assert.rejects(puller!.resume(), { code: 'closed' });
	});
});

describe('A puller that is held for a moment', () => {
	it('sends nothing, and is not paused for anybody who looks', async (t) => {
		const { alice, bob } = await startCall(t);
		const [puller] = mediaPullers(await bob.pull(pullAll(alice)));
		const told: string[] = [];
		for (const event of ['paused', 'resumed'] as const) puller!.on(event, () => told.push(event));
		await puller!.suspend(true);
		assert.equal((await puller!.consumer.dump()).paused, true);
		assert.equal(puller!.paused, false);
		await puller!.suspend(false);
		assert.equal((await puller!.consumer.dump()).paused, false);
		assert.deepEqual(told, []);
	});

	it('stays paused when it was, or is meanwhile', async (t) => {
		const { alice, bob } = await startCall(t);
		const [puller] = mediaPullers(await bob.pull(pullAll(alice)));
		const holding = puller!.suspend(true);
		await Promise.all([holding, puller!.pause('client')]);
		await puller!.suspend(false);
		assert.equal((await puller!.consumer.dump()).paused, true);
		await puller!.resume('client');
		assert.equal((await puller!.consumer.dump()).paused, false);
	});

	it('is paused by who says so right after somebody who changes nothing', async (t) => {
		const { alice, bob } = await startCall(t);
		const [puller] = mediaPullers(await bob.pull(pullAll(alice)));
		void puller!.resume('client');
		await puller!.pause();
		assert.equal((await puller!.consumer.dump()).paused, true);
		void puller!.pause('client');
		await puller!.resume();
		assert.equal((await puller!.consumer.dump()).paused, true);
		void puller!.pause('client');
		await puller!.resume('client');
		assert.equal((await puller!.consumer.dump()).paused, false);
	});

	it('may close meanwhile', async (t) => {
		const { alice, bob } = await startCall(t);
		const [puller] = mediaPullers(await bob.pull(pullAll(alice)));
		const holding = [puller!.suspend(true), puller!.suspend(false)];
		puller!.close();
		await Promise.all([...holding, puller!.suspend(true)]);
	});
});
