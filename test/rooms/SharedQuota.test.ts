import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedQuota, type SharedLimits } from 'sfu-rooms';
import { anOffer } from '../support/offers.js';
import { outcome, pullAll, startRoom, startSfu } from './setup.js';

describe('A quota that users share', () => {
	it('counts users in all rooms, until they leave', async (t) => {
		const { sfu } = await startSfu(t);
		const sharedQuota = new SharedQuota({ users: 2 });
		const [one, two] = [await sfu.getOrCreateRoom('one'), await sfu.getOrCreateRoom('two')];
		const alice = await one.join({ userId: 'alice', sharedQuota });
		await two.join({ userId: 'alice', sharedQuota });
		assert.equal(await outcome(one.join({ userId: 'bob', sharedQuota })), 'limit_exceeded');
		assert.equal(await outcome(one.join({ userId: 'carol' })), 'done', 'others have their own');
		assert.equal(sharedQuota.users, 2);
		alice.close();
		assert.equal(await outcome(one.join({ userId: 'bob', sharedQuota })), 'done');
		two.close();
		assert.equal(sharedQuota.users, 1);
	});

	it('counts those who wait in a lobby, and none whose join has failed', async (t) => {
		const { sfu } = await startSfu(t);
		const sharedQuota = new SharedQuota({ users: 1 });
		const room = await sfu.getOrCreateRoom('room', { lobby: true });
		for (const end of ['refuse', 'abort', 'ban', 'leave'] as const) {
			const abort = new AbortController();
			const joining = outcome(room.join({ userId: 'alice', sharedQuota, signal: abort.signal }));
			assert.equal(await outcome(room.join({ userId: 'bob', sharedQuota })), 'limit_exceeded', end);
			if (end === 'refuse') room.waiting.get('alice')?.refuse();
			else if (end === 'abort') abort.abort();
			else if (end === 'ban') room.ban('alice');
			else {
				room.unban('alice');
				room.waiting.get('alice')?.admit();
			}
			await joining;
			room.users.get('alice')?.close();
			assert.equal(sharedQuota.users, end === 'ban' ? 0 : 0, end);
			room.unban('alice');
		}
		await outcome(room.join({ userId: '', sharedQuota }));
		assert.equal(sharedQuota.users, 0);
	});

	it('counts the connections of all the users', async (t) => {
		const { room } = await startRoom(t);
		const sharedQuota = new SharedQuota({ connections: 2 });
		const [alice, bob] = await Promise.all(['alice', 'bob'].map((userId) => room.join({ userId, sharedQuota })));
		const push = () => outcome(alice!.push(anOffer('chromium-sendonly-audio-video')));
		assert.equal(await push(), 'done');
		assert.equal(await outcome(bob!.pull(pullAll(alice!))), 'done');
		assert.equal(await push(), 'limit_exceeded');
		assert.throws(() => alice!.autoPull(), { code: 'limit_exceeded' });
		bob!.close();
		assert.equal(await push(), 'done');
		assert.equal(await push(), 'limit_exceeded');
	});

	it('counts the pullers that they have of one pusher', async (t) => {
		const { room } = await startRoom(t);
		const sharedQuota = new SharedQuota({ pullersPerPusher: 2 });
		const speaker = await room.join({ userId: 'speaker' });
		await speaker.push(anOffer('chromium-sendonly-audio-video'));
		const viewers = await Promise.all(['a', 'b', 'c'].map((userId) => room.join({ userId, sharedQuota })));
		const [first, second, third] = viewers;
		for (const viewer of [first!, second!]) assert.equal(await outcome(viewer.pull(pullAll(speaker))), 'done');
		assert.equal(await outcome(third!.pull(pullAll(speaker))), 'limit_exceeded');
		assert.equal(third!.pullers.size, 0);
		const [puller] = first!.pullers.values();
		const pusherId = puller!.pusherId;
		puller!.close();
		const one = { ...pullAll(speaker), specs: [{ pusherId }] };
		assert.equal(await outcome(third!.pull(one)), 'done', 'that one alone has room');
	});

	it('refuses limits that are none, and what is no quota', async (t) => {
		for (const limits of [{ users: 0 }, { connections: 1.5 }, { pullersPerPusher: -1 }, { user: 1 }, null]) {
			assert.throws(() => new SharedQuota(limits as SharedLimits), { code: 'invalid_argument' });
		}
		const { room } = await startRoom(t);
		for (const sharedQuota of [{ users: 1 }, null, 'alice']) {
			const join = room.join({ userId: 'alice', sharedQuota: sharedQuota as unknown as SharedQuota });
			assert.equal(await outcome(join), 'invalid_argument');
		}
	});
});
