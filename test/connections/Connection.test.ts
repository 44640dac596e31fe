import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { User } from 'sfu-rooms';
import { anOffer, fromAnotherClient, replaceLine } from '../support/offers.js';
import { held, interruptEach, outcome, pullAll, startCall, startRoom, turns, untilHeld } from '../rooms/setup.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';

describe('A connection', () => {
	it('is new until its client comes', async (t) => {
		const { pushed } = await startCall(t);
		assert.deepEqual([pushed.connection.state, pushed.connection.closed], ['new', false]);
		assert.equal(pushed.connection.userId, 'alice');
	});

	it('closes what goes through it, then tells, once', async (t) => {
		const { alice, pushed } = await startCall(t);
		const { connection } = pushed;
		const told: string[] = [];
		for (const pusher of pushed.pushers) pusher.on('closed', ({ reason }) => told.push(`${pusher.kind}: ${reason}`));
		connection.on('closed', ({ reason }) => told.push(`connection: ${reason}`));
		alice.on('connectionClosed', (event) => {
			assert.equal(event.connection, connection);
			told.push(`user: ${event.reason}`);
		});
		connection.close('because');
		connection.close('again');
		assert.deepEqual(told.sort(), [
			'audio: connectionClosed',
			'connection: because',
			'user: because',
			'video: connectionClosed',
		]);
		assert.deepEqual([connection.state, alice.connections.length, alice.pushers.size], ['closed', 0, 0]);
		assert.equal(alice.closed, false);
	});

	it('is that of all offers with the same fingerprint, and the same session id or ICE credentials', async (t) => {
		const { alice, bob } = await startCall(t);
		const offer = anOffer('chromium-recvonly-video-audio');
		const { connection } = await bob.pull(pullAll(alice, offer));

		const pullAgain = async (sdp: string) => (await bob.pull(pullAll(alice, sdp))).connection === connection;
		const otherSession = replaceLine(offer, 'o=', 'o=- 1234 2 IN IP4 127.0.0.1');
		const otherIce = (sdp: string) => sdp.replace(/^a=ice-ufrag:.*$/gm, 'a=ice-ufrag:another');
		assert.equal(await pullAgain(otherSession), true);
		assert.equal(await pullAgain(otherIce(offer)), true);
		assert.equal(await pullAgain(otherIce(otherSession)), true);
		assert.equal(await pullAgain(otherSession), false);
		assert.equal(await pullAgain(fromAnotherClient(offer)), false);
	});

	it('leaves nothing in the worker', async (t) => {
		const { sfu, join } = await startRoom(t);
		const alice = await join('alice');
		const before = await held(sfu);
		const { connection } = await alice.push(anOffer('firefox-sendonly-videos'));
		connection.close();
		await untilHeld(sfu, before);
	});

	it('is closed when its client does not come in time', async (t) => {
		const { sfu, join } = await startRoom(t, { webRtc: { connectTimeout: 50 } });
		const alice = await join('alice');
		const before = await held(sfu);
		const { connection, ...tracks } = await alice.push(anOffer('chromium-sendonly-audio-video'));
		const pushers = mediaPushers(tracks);
		const { reason } = await new Promise<{ reason: string }>((resolve) => connection.on('closed', resolve));
		assert.equal(reason, 'connectTimeout');
		assert.ok(pushers.every(({ closed }) => closed));
		assert.equal(alice.closed, false);
		await untilHeld(sfu, before);
	});

	it('that is closed has no timeout any more', async (t) => {
		const { join } = await startRoom(t, { webRtc: { connectTimeout: 1000 } });
		const alice = await join('alice');
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const { connection } = await alice.push(anOffer('chromium-sendonly-audio'));
		const reasons: string[] = [];
		connection.on('closed', ({ reason }) => reasons.push(reason));
		t.mock.timers.tick(999);
		assert.equal(connection.closed, false);
		connection.close('because');
		t.mock.timers.tick(1);
		assert.deepEqual(reasons, ['because']);
	});

	const closeAll = (user: User) => {
		for (const connection of user.connections) connection.close();
	};

	it('that closes during any request of its push leaves nothing, and gives back what it has taken', async (t) => {
		const { sfu, worker, join } = await startRoom(t, { limits: { pushersPerUser: 2, connectionsPerUser: 1 } });
		const alice = await join('alice');
		const before = await held(sfu);
		const results: string[] = [];
		await interruptEach(worker, async (interrupted) => {
			const push = () => outcome(alice.push(anOffer('chromium-sendonly-audio-video')));
			results.push(await interrupted(closeAll.bind(undefined, alice), push));
			assert.equal(alice.pushers.size, results.at(-1) === 'done' ? 2 : 0);
			closeAll(alice);
			await untilHeld(sfu, before);
		});
		assert.deepEqual([...new Set(results.slice(0, -1))], ['closed']);
		assert.equal(results.at(-1), 'done');
	});

	it('that closes during any request of its pull leaves nothing, and gives back what it has taken', async (t) => {
		const { sfu, worker, alice, bob } = await startCall(t, { limits: { pullersPerUser: 2, connectionsPerUser: 1 } });
		await bob.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')));
		closeAll(bob);
		const before = await held(sfu);
		const results: string[] = [];
		await interruptEach(worker, async (interrupted) => {
			const pull = () => outcome(bob.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio'))));
			results.push(await interrupted(closeAll.bind(undefined, bob), pull));
			assert.equal(bob.pullers.size, results.at(-1) === 'done' ? 2 : 0);
			closeAll(bob);
			await untilHeld(sfu, before);
		});
		const closed = results.filter((result) => result === 'closed');
		// Nobody waits for the answer to the last request, which enables trace events: the pull may be done before it.
		assert.ok(results.length - closed.length <= 2, results.join());
		assert.deepEqual([...new Set(results.slice(closed.length))], ['done']);
	});

	it('is not disturbed by listeners that throw or reject', async (t) => {
		const { alice, bob, messages } = await startCall(t);
		const { connection, ...tracks } = await bob.pull(pullAll(alice));
		const pullers = mediaPullers(tracks);
		connection.on('closed', () => {
			throw new Error('of the listener');
		});
		// eslint-disable-next-line @typescript-eslint/no-misused-promises -- it is what this test is about
		connection.on('closed', () => Promise.reject(new Error('of the listener')));
		connection.close();
		await turns(1);
		assert.ok(pullers.every(({ closed }) => closed));
		assert.deepEqual(messages, [
			'a listener of AnsweringConnection failed',
			'a listener of AnsweringConnection failed',
		]);
	});
});
