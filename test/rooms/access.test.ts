import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { RoomOptions, SfuOptions, WaitingUser } from 'sfu-rooms';
import { outcome, startSfu } from './setup.js';

async function startRoom(t: TestContext, options: RoomOptions = {}, sfuOptions: SfuOptions = {}) {
	const started = await startSfu(t, sfuOptions);
	const room = await started.sfu.getOrCreateRoom('room', options);
	const told: string[] = [];
	room.on('userWaiting', ({ waiting }) => told.push(`${waiting.userName} waits`));
	room.on('waitingEnded', ({ waiting, outcome: ended }) => told.push(`${waiting.userId} ${ended}`));
	room.on('userJoined', ({ user }) => told.push(`${user.userId} joined`));
	return { ...started, room, told };
}

describe('A ban', () => {
	it('keeps a kicked user out until it is taken back', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice' });
		const reasons: string[] = [];
		alice.on('closed', ({ reason }) => reasons.push(reason));
		alice.kick({ reason: 'rude', ban: true });
		assert.deepEqual(reasons, ['rude']);
		assert.equal(await outcome(room.join({ userId: 'alice', admitted: true })), 'forbidden');
		assert.equal(await outcome(room.join({ userId: 'bob' })), 'done');
		assert.deepEqual([...room.bans], ['alice']);
		assert.deepEqual([room.unban('alice'), room.unban('alice')], [true, false]);
		assert.equal(await outcome(room.join({ userId: 'alice' })), 'done');
	});

	it('can be given to a user who is not there; a kick without it lets the user come again', async (t) => {
		const { room } = await startRoom(t);
		room.ban('alice');
		assert.equal(await outcome(room.join({ userId: 'alice' })), 'forbidden');
		for (const kick of [undefined, 'tired', { reason: 'tired' }]) {
			(await room.join({ userId: 'bob' })).kick(kick);
		}
		assert.equal(await outcome(room.join({ userId: 'bob' })), 'done');
	});
});

describe('A locked room', () => {
	it('takes nobody but those whom the app admits, and lets those who are there stay', async (t) => {
		const { room } = await startRoom(t);
		await room.join({ userId: 'alice' });
		room.lock();
		assert.equal(room.locked, true);
		assert.equal(await outcome(room.join({ userId: 'bob' })), 'forbidden');
		assert.equal(await outcome(room.join({ userId: 'carol', admitted: true })), 'done');
		assert.deepEqual([...room.users.keys()], ['alice', 'carol']);
		room.unlock();
		assert.equal(await outcome(room.join({ userId: 'bob' })), 'done');
	});
});

describe('A lobby', () => {
	it('lets a user wait until the app admits it, with what the app changes of its join', async (t) => {
		const { room, told } = await startRoom(t, { lobby: true });
		const joining = room.join({ userId: 'alice', userName: 'Alice', metadata: 1 });
		await Promise.resolve();
		assert.deepEqual([...room.waiting.keys()], ['alice']);
		assert.equal(room.users.size, 0);
		room.waiting.get('alice')?.admit({ permissions: { push: false } });
		const alice = await joining;
		assert.deepEqual([alice.userName, alice.metadata, alice.permissions.push], ['Alice', 1, false]);
		assert.deepEqual(told, ['Alice waits', 'alice joined', 'alice admitted']);
		assert.equal(room.waiting.size, 0);
	});

	it('lets the app refuse it', async (t) => {
		const { room, told } = await startRoom(t, { lobby: true });
		room.on('userWaiting', ({ waiting }) => {
			waiting.refuse('not tonight');
			waiting.refuse();
			waiting.admit();
		});
		await assert.rejects(room.join({ userId: 'alice' }), { code: 'forbidden', message: 'not tonight' });
		assert.deepEqual(told, ['alice waits', 'alice refused']);
	});

	it('ends the wait when the client goes, and when the room closes', async (t) => {
		const { room, told } = await startRoom(t, { lobby: true });
		const gone = new AbortController();
		const alice = outcome(room.join({ userId: 'alice', signal: gone.signal }));
		const bob = outcome(room.join({ userId: 'bob' }));
		gone.abort();
		assert.equal(await alice, 'closed');
		const again = outcome(room.join({ userId: 'alice', signal: gone.signal }));
		assert.equal(await again, 'closed', 'a client that has gone does not wait');
		room.close();
		assert.equal(await bob, 'closed');
		assert.deepEqual(told, ['alice waits', 'bob waits', 'alice aborted', 'bob closed']);
	});

	it('has room for so many, each id once', async (t) => {
		const { room } = await startRoom(t, { lobby: true }, { limits: { waitingPerRoom: 2 } });
		const first = room.join({ userId: 'alice' });
		assert.equal(await outcome(room.join({ userId: 'alice' })), 'conflict');
		const second = outcome(room.join({ userId: 'bob' }));
		assert.equal(await outcome(room.join({ userId: 'carol' })), 'limit_exceeded');
		room.waiting.get('alice')?.admit();
		await first;
		assert.equal(await outcome(room.join({ userId: 'alice' })), 'conflict', 'it is in the room');
		room.ban('bob');
		assert.equal(await second, 'forbidden');
	});

	it('can be turned on and off, and passed by', async (t) => {
		const { room } = await startRoom(t);
		assert.equal(await outcome(room.join({ userId: 'alice' })), 'done');
		room.setLobby(true);
		assert.equal(await outcome(room.join({ userId: 'bob', admitted: true })), 'done');
		const carol = outcome(room.join({ userId: 'carol' }));
		room.setLobby(false);
		assert.equal(await outcome(room.join({ userId: 'dave' })), 'done');
		assert.deepEqual([...room.waiting.keys()], ['carol']);
		room.waiting.get('carol')?.admit();
		assert.equal(await carol, 'done');
	});

	it('keeps the room open while somebody waits', async (t) => {
		const { room } = await startRoom(t, { lobby: true }, { emptyRoomTimeout: 0 });
		const waiting: WaitingUser[] = [];
		room.on('userWaiting', (event) => waiting.push(event.waiting));
		const alice = outcome(room.join({ userId: 'alice' }));
		await new Promise((resolve) => setTimeout(resolve, 20));
		assert.equal(room.closed, false);
		const closed = new Promise((resolve) => room.once('closed', resolve));
		waiting[0]?.refuse();
		assert.equal(await alice, 'forbidden');
		await closed;
	});

	it('tells a malformed change to the app alone; the user waits on', async (t) => {
		const { room } = await startRoom(t, { lobby: true });
		const alice = outcome(room.join({ userId: 'alice' }));
		const waiting = room.waiting.get('alice');
		assert.throws(() => waiting?.admit({ maxIncomingBitrate: -1 }), { code: 'invalid_argument' });
		assert.equal(room.waiting.size, 1);
		waiting?.admit();
		assert.equal(await alice, 'done');
	});
});
