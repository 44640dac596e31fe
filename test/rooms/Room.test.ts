import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JoinOptions } from 'sfu-rooms';
import { anOffer } from '../support/offers.js';
import { pullAll, startCall, startRoom, startSfu, story, turns, untilHeld, held, rejects } from './setup.js';
import { mediaPushers } from '../support/parted.js';

describe('Joining', () => {
	it('makes a user, with the user id for a name unless it has one', async (t) => {
		const { room } = await startRoom(t);
		const metadata = { any: 'thing' };
		const alice = await room.join({ userId: 'alice', userName: 'Alice', metadata });
		const bob = await room.join({ userId: 'bob' });
		const nameless = await room.join({ userId: 'nameless', userName: '' });
		assert.deepEqual([alice.userId, alice.userName, alice.metadata], ['alice', 'Alice', metadata]);
		assert.deepEqual([bob.userName, bob.metadata], ['bob', undefined]);
		assert.equal(nameless.userName, '');
		assert.deepEqual([...room.users.values()], [alice, bob, nameless]);
	});

	it('tells of the user when it is there', async (t) => {
		const { room, join } = await startRoom(t);
		let seen = false;
		room.on('userJoined', ({ user }) => (seen = room.users.get('alice') === user));
		await join('alice');
		assert.equal(seen, true);
	});

	it('rejects what is wrong, and names it', async (t) => {
		const { sfu, room } = await startRoom(t, { limits: { idLength: 5 } });
		const wrong: [options: unknown, message: string][] = [
			[undefined, 'options must be object'],
			[null, 'options must be object'],
			[[], 'options must be object'],
			['alice', 'options must be object'],
			[{}, 'options.userId is missing'],
			[{ userId: 1 }, 'options.userId must be string'],
			[{ userId: '' }, 'options.userId must NOT have fewer than 1 characters'],
			[{ userId: '123456' }, 'options.userId must NOT have more than 5 characters'],
			[{ userId: 'a', userName: null }, 'options.userName must be string'],
			[{ userId: 'a', userName: '123456' }, 'options.userName must NOT have more than 5 characters'],
		];
		const told = story(room);
		for (const [options, message] of wrong) {
			await rejects(sfu, () => room.join(options as JoinOptions), 'invalid_argument', message);
		}
		assert.equal(room.users.size, 0);
		assert.deepEqual(told, []);
	});

	it('rejects a user id that is there, and takes it again when it has left', async (t) => {
		const { sfu, join } = await startRoom(t);
		const alice = await join('alice');
		await rejects(sfu, () => join('alice'), 'conflict', 'user "alice" is in the room already');
		alice.close();
		assert.notEqual(await join('alice'), alice);
	});

	it('rejects one of two that join under one id at once', async (t) => {
		const { join } = await startRoom(t);
		const results = await Promise.allSettled([join('alice'), join('alice')]);
		assert.deepEqual(
			results.map(({ status }) => status),
			['fulfilled', 'rejected'],
		);
	});

	it('stops at the limit, and goes on when somebody has left', async (t) => {
		const { sfu, join } = await startRoom(t, { limits: { usersPerRoom: 2 } });
		const alice = await join('alice');
		await join('bob');
		await rejects(sfu, () => join('carol'), 'limit_exceeded', 'more than 2 users in one room are not allowed');
		await rejects(sfu, () => join('bob'), 'conflict');
		alice.close();
		await join('carol');
		await rejects(sfu, () => join('alice'), 'limit_exceeded');
	});

	it('takes ids that are the names of every object', async (t) => {
		const { room, join } = await startRoom(t);
		for (const id of ['__proto__', 'constructor', 'toString']) assert.equal(await join(id), room.users.get(id));
	});
});

describe('A room tells its story', () => {
	it('in order', async (t) => {
		const { room, join } = await startRoom(t);
		const told = story(room);
		const alice = await join('alice');
		await join('bob');
		const pushers = mediaPushers(await alice.push(anOffer('chromium-sendonly-audio-video')));
		pushers[0]!.close('muted');
		alice.close('bored');
		room.close();
		assert.deepEqual(told, [
			'alice joined',
			'bob joined',
			'alice has audio',
			'alice has video',
			'alice pushed 2',
			'alice lost audio: muted',
			'alice lost video: userLeft',
			'alice left: bored',
			'bob left: roomClosed',
			'closed: closed',
		]);
	});

	it('of a push before its caller has the answer', async (t) => {
		const { room, join } = await startRoom(t);
		const told: string[] = [];
		const alice = await join('alice');
		room.on('pushed', () => told.push('told'));
		await alice.push(anOffer('chromium-sendonly-audio')).then(() => told.push('answered'));
		assert.deepEqual(told, ['told', 'answered']);
	});

	it('after the fact: who left is gone, and so is what was closed', async (t) => {
		const { room, alice } = await startCall(t);
		room.on('pusherClosed', ({ user, pusher }) => {
			assert.equal(pusher.closed, true);
			assert.equal(user.pushers.has(pusher.pusherId), false);
		});
		let told = 0;
		room.on('userLeft', ({ user }) => {
			told++;
			assert.equal(user.closed, true);
			assert.equal(room.users.has('alice'), false);
			assert.deepEqual([user.pushers.size, user.pullers.size, user.connections.length], [0, 0, 0]);
		});
		alice.close();
		assert.equal(told, 1);
	});

	it('to all listeners, whatever one of them does', async (t) => {
		const { room, join, messages } = await startRoom(t);
		room.on('userJoined', () => {
			throw new Error('of the listener');
		});
		// eslint-disable-next-line @typescript-eslint/no-misused-promises -- it is what this test is about
		room.on('userJoined', () => Promise.reject(new Error('of the listener')));
		const told = story(room);
		await join('alice');
		await turns(1);
		assert.deepEqual(told, ['alice joined']);
		assert.deepEqual(messages, ['a listener of Room failed', 'a listener of Room failed']);
	});

	it('once to who asked for once, and not to who no longer wants to know', async (t) => {
		const { room, join } = await startRoom(t);
		const others = room.listenerCount('userJoined');
		let [once, always] = [0, 0];
		const listener = () => always++;
		room.once('userJoined', () => once++);
		room.on('userJoined', listener);
		await join('alice');
		await join('bob');
		room.off('userJoined', listener);
		await join('carol');
		assert.deepEqual([once, always, room.listenerCount('userJoined')], [1, 2, others]);
	});
});

describe('A closed room', () => {
	it('has closed its users and all that is theirs, once', async (t) => {
		const { sfu, room, alice, bob, pushed } = await startCall(t);
		const pulled = await bob.pull(pullAll(alice));
		const told = story(room);
		room.close('because');
		room.close('again');
		assert.equal(told.at(-1), 'closed: because');
		assert.equal(told.filter((event) => event.startsWith('closed')).length, 1);
		for (const child of [alice, bob, pushed.connection, pulled.connection, ...pushed.pushers, ...pulled.pullers]) {
			assert.equal(child.closed, true);
		}
		assert.equal(sfu.rooms.size, 0);
		const after = told.length;
		await turns(20);
		assert.equal(told.length, after);
	});

	it('rejects who joins', async (t) => {
		const { room, join } = await startRoom(t);
		room.close();
		await assert.rejects(join('alice'), { code: 'closed', message: 'the room has been closed' });
		assert.equal(room.users.size, 0);
	});

	it('leaves nothing in the worker', async (t) => {
		const { sfu } = await startSfu(t);
		const before = await held(sfu);
		const room = await sfu.getOrCreateRoom('a');
		const alice = await room.join({ userId: 'alice' });
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		room.close();
		await untilHeld(sfu, before);
	});

	it('stays closed when a listener closes it again, or joins', async (t) => {
		const { room, join } = await startRoom(t);
		await join('alice');
		const joining: Promise<unknown>[] = [];
		room.on('userLeft', () => {
			room.close('again');
			joining.push(assert.rejects(join('bob'), { code: 'closed' }));
		});
		const told = story(room);
		room.close();
		await Promise.all(joining);
		assert.deepEqual(told, ['alice left: roomClosed', 'closed: closed']);
		assert.equal(joining.length, 1);
	});
});

describe('An empty room', () => {
	// Only what never happens needs another clock: the real one would have to be waited for.
	it('closes after its timeout, and not before', async (t) => {
		const { sfu } = await startSfu(t, { emptyRoomTimeout: 1000 });
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const room = await sfu.getOrCreateRoom('a');
		const told = story(room);
		t.mock.timers.tick(999);
		assert.equal(room.closed, false);
		t.mock.timers.tick(1);
		assert.deepEqual(told, ['closed: empty']);
		assert.equal(sfu.rooms.size, 0);
	});

	it('closes by the real clock too', async (t) => {
		const { sfu } = await startSfu(t, { emptyRoomTimeout: 20 });
		const room = await sfu.getOrCreateRoom('a');
		const { reason } = await new Promise<{ reason: string }>((resolve) => room.on('closed', resolve));
		assert.equal(reason, 'empty');
	});

	it('is not empty while somebody is there, and is again when the last one has left', async (t) => {
		const { sfu } = await startSfu(t, { emptyRoomTimeout: 1000 });
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const room = await sfu.getOrCreateRoom('a');
		t.mock.timers.tick(999);
		const alice = await room.join({ userId: 'alice' });
		const bob = await room.join({ userId: 'bob' });
		t.mock.timers.tick(5000);
		alice.close();
		t.mock.timers.tick(5000);
		bob.close();
		t.mock.timers.tick(999);
		assert.equal(room.closed, false);
		t.mock.timers.tick(1);
		assert.equal(room.closed, true);
	});
});
