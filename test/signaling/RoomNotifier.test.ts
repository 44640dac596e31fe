import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sendingOffer } from '../protoo/offers.js';
import { start, type TestClient } from './setup.js';

const told = ({ received }: TestClient, method: string) =>
	received.filter((message) => 'method' in message && message.method === method);

describe('A room that outlives signalling', () => {
	it('is listened to no more', async (t) => {
		const { sfu, signaling, connect } = await start(t, { audioLevels: true, userQuality: true });
		const room = await sfu.getOrCreateRoom('room');
		await room.join({ userId: 'of the core' });
		const events = [
			'userJoined',
			'userLeft',
			'pusherPaused',
			'audioLevels',
			'userRated',
			'textMessage',
			'closed',
		] as const;
		const count = () => events.map((event) => room.listenerCount(event));
		const before = count();
		assert.equal(await connect().join('alice'), undefined);
		assert.ok(count().every((number, index) => number > before[index]!));
		signaling.close();
		signaling.close();
		assert.deepEqual(count(), before);
		assert.equal(room.users.size, 1);
		assert.equal(room.closed, false);
	});
});

describe('A notification', () => {
	it('is encoded once for all its receivers', async (t) => {
		const { join, encoded } = await start(t);
		const [alice, bob, carol] = [await join('alice'), await join('bob'), await join('carol')];
		encoded.length = 0;
		await alice.request('push', { roomId: 'room', userId: 'alice', sdp: { type: 'offer', sdp: sendingOffer() } });
		alice.session.notification('textMessage', { roomId: 'room', userId: 'alice', message: 'hello' });
		await alice.request('heartbeat', { roomId: 'room', userId: 'alice' });
		assert.deepEqual(
			encoded.map(({ method }) => method),
			['newPusher', 'textMessage'],
		);
		for (const [index, method] of ['newPusher', 'textMessage'].entries()) {
			for (const receiver of [bob, carol]) {
				assert.deepEqual(told(receiver, method), [encoded[index]]);
				assert.equal(told(receiver, method)[0], encoded[index], 'all receive the same message');
			}
			assert.deepEqual(told(alice, method), []);
		}
	});

	it('is not encoded when nobody receives it', async (t) => {
		const { join, encoded } = await start(t);
		const alice = await join('alice');
		await alice.request('push', { roomId: 'room', userId: 'alice', sdp: { type: 'offer', sdp: sendingOffer() } });
		await alice.request('leave', { roomId: 'room', userId: 'alice' });
		assert.deepEqual(encoded, []);
	});

	it('to all comes to each member, once', async (t) => {
		const { sfu, join, encoded } = await start(t);
		const clients = [await join('alice'), await join('bob')];
		encoded.length = 0;
		(await sfu.getOrCreateRoom('room')).close('over');
		assert.deepEqual(encoded, [{ method: 'roomClosed', data: { roomId: 'room', reason: 'over' } }]);
		for (const client of clients) assert.deepEqual(told(client, 'roomClosed'), encoded);
	});
});
