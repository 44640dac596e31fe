import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { ProtooClient } from '../support/protooClient.js';
import { startRoom, startSfu } from './setup.js';

const soon = { code: 'unavailable', message: 'the server takes nobody new, because it will stop soon' };

describe('An Sfu that is drained', () => {
	it('opens no rooms, and lets nobody new join those that there are', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const alice = await join('alice');
		const opening = sfu.getOrCreateRoom('while it begins');
		void sfu.drain();
		assert.deepEqual([sfu.draining, room.draining, alice.closed], [true, true, false]);
		await assert.rejects(opening, soon);
		await assert.rejects(sfu.getOrCreateRoom('another'), soon);
		assert.equal(await sfu.getOrCreateRoom('room'), room);
		await assert.rejects(join('bob'), soon);
	});

	it('is empty when the last one has left', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const other = await sfu.getOrCreateRoom('other');
		const [alice, bob] = [await join('alice'), await join('bob')];
		const carol = await other.join({ userId: 'carol' });
		let isEmpty: boolean | undefined;
		const draining = sfu.drain().then((empty) => (isEmpty = empty));
		alice.close();
		carol.close();
		await room.sendData('still here');
		assert.equal(isEmpty, undefined);
		bob.close();
		assert.equal(await draining, true);
		assert.equal(await sfu.drain(), true, 'it is, still');
	});

	it('is empty at once without users, and after its rooms are closed', async (t) => {
		const { sfu } = await startSfu(t);
		assert.equal(await sfu.drain(), true);
		const { sfu: another, room, join } = await startRoom(t);
		await join('alice');
		const draining = another.drain();
		room.close();
		assert.equal(await draining, true);
	});

	it('waits no longer than it is told to, and ends no call by itself', async (t) => {
		const { sfu, join } = await startRoom(t);
		const alice = await join('alice');
		assert.equal(await sfu.drain({ timeout: 20 }), false);
		assert.equal(alice.closed, false);
		const draining = sfu.drain({ timeout: 60_000 });
		sfu.close();
		assert.equal(await draining, true);
	});

	it('refuses a timeout that is none', async (t) => {
		const { sfu } = await startSfu(t);
		for (const timeout of [-1, 1.5, '1', null]) {
			await assert.rejects(sfu.drain({ timeout: timeout as number }), { code: 'invalid_argument' });
		}
		assert.equal(sfu.draining, false);
	});
});

describe('The clients of an Sfu that is drained', () => {
	it('are told, come back to their users, and cannot begin anew', async (t) => {
		const { sfu } = await startSfu(t);
		const adapter = new ProtooAdapter(sfu, { authorize: () => ({ takeOver: true }) });
		t.after(() => {
			adapter.close();
		});
		const connect = () =>
			ProtooClient.overPair((socket) => {
				adapter.accept(socket);
			});
		const alice = connect();
		const { resumeToken } = await alice.join('room', 'alice');
		const draining = sfu.drain({ timeout: 60_000 });
		assert.deepEqual(await alice.next('migrate'), { roomId: 'room', timeout: 60_000 });
		alice.close(1006);
		const again = connect();
		const { resumed } = await again.join('room', 'alice', undefined, resumeToken);
		assert.equal(resumed, true);
		const { timeout } = await again.next('migrate');
		assert.ok(timeout !== null && timeout > 0 && timeout <= 60_000, `it is told again, with what is left: ${timeout}`);
		const refused = { errorCode: 503, errorReason: soon.message };
		for (const [roomId, userId] of [
			['room', 'bob'],
			['another', 'carol'],
			['room', 'alice'],
		] as const) {
			await assert.rejects(connect().join(roomId, userId, undefined, null), refused);
		}
		assert.ok(sfu.rooms.get('room')!.users.has('alice'), 'who is there stays');
		again.close(1000);
		assert.equal(await draining, true);
	});
});
