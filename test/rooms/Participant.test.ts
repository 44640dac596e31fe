import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UserDetails } from 'sfu-rooms';
import { startRoom } from './setup.js';

const deep = () => {
	let value: unknown = [];
	for (let depth = 0; depth < 100_000; depth++) value = [value];
	return value;
};

describe('user.update()', () => {
	it('changes the name and the metadata, and tells what they were and who did it', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice', metadata: { color: 'red' } });
		const told: unknown[] = [];
		room.on('userChanged', ({ user, before, cause }) => told.push([user.userName, user.metadata, before, cause]));
		room.on('userRenamed', ({ user, before }) => told.push([user.userName, before]));
		alice.update({ metadata: { color: 'blue' } });
		alice.update({ metadata: { color: 'blue' } });
		alice.update({ userName: 'Alice' }, 'client');
		alice.update({ metadata: null });
		alice.rename('Alice');
		alice.update({});
		assert.deepEqual(told, [
			['alice', { color: 'blue' }, { userName: 'alice', metadata: { color: 'red' } }, 'app'],
			['Alice', { color: 'blue' }, { userName: 'alice', metadata: { color: 'blue' } }, 'client'],
			['Alice', 'alice'],
			['Alice', undefined, { userName: 'Alice', metadata: { color: 'blue' } }, 'app'],
		]);
	});

	it('binds the client by the permission updateMetadata, and not the app', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice', metadata: 1, permissions: { updateMetadata: false } });
		for (const details of [{ userName: 'Mallory' }, { metadata: 2 }, { metadata: null }]) {
			assert.throws(
				() => {
					alice.update(details, 'client');
				},
				{ code: 'forbidden' },
			);
		}
		alice.update({ userName: 'alice', metadata: 1 }, 'client');
		assert.deepEqual([alice.userName, alice.metadata], ['alice', 1]);
		alice.update({ metadata: 2 });
		assert.equal(alice.metadata, 2);
	});

	it('keeps a frozen copy', async (t) => {
		const { room } = await startRoom(t);
		const metadata = { list: [1] };
		const alice = await room.join({ userId: 'alice', metadata });
		metadata.list.push(2);
		assert.deepEqual(alice.metadata, { list: [1] });
		const { list } = alice.metadata;
		assert.ok(Object.isFrozen(list));
	});

	it('refuses what is wrong or too much, as join does, and changes nothing', async (t) => {
		const { room } = await startRoom(t);
		const circle: { self?: unknown } = {};
		circle.self = circle;
		const wrong: [UserDetails, string][] = [
			[{ userName: 'x'.repeat(257) }, 'invalid_argument'],
			[{ userName: '\u202e' }, 'invalid_argument'],
			[{ metadata: circle }, 'invalid_argument'],
			[{ metadata: deep() }, 'invalid_argument'],
			[{ metadata: () => undefined }, 'invalid_argument'],
			[{ metadata: 'x'.repeat(4095) }, 'too_large'],
			[{ userName: 'Alice', metadata: 'x'.repeat(4095) }, 'too_large'],
		];
		const alice = await room.join({ userId: 'alice' });
		for (const [index, [details, code]] of wrong.entries()) {
			assert.throws(
				() => {
					alice.update(details);
				},
				{ code },
				String(index),
			);
			await assert.rejects(room.join({ userId: 'bob', ...details }), { code }, String(index));
		}
		for (const details of [1, null, { color: 'red' }, { userName: 1 }]) {
			assert.throws(
				() => {
					alice.update(details as UserDetails);
				},
				{ code: 'invalid_argument' },
			);
		}
		assert.deepEqual([alice.userName, alice.metadata, room.users.size], ['alice', undefined, 1]);
	});

	it('does nothing after the user has left', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice' });
		alice.close();
		alice.update({ userName: 'Alice' });
		assert.equal(alice.userName, 'alice');
	});
});

it('appData is the very value that the app has given, and no update changes it', async (t) => {
	const { room } = await startRoom(t);
	const appData = { account: 1n, check: () => true };
	const alice = await room.join({ userId: 'alice', appData });
	alice.update({ metadata: 1 }, 'client');
	assert.equal(alice.appData, appData);
});

describe('A user without a client', () => {
	it('misses what is sent, and cannot be asked', async (t) => {
		const { room } = await startRoom(t);
		let early: Promise<unknown> | undefined;
		room.once('userJoined', ({ user }) => {
			user.send('hello');
			early = user.request('how are you?');
			early.catch(() => undefined);
		});
		const alice = await room.join({ userId: 'alice' });
		await assert.rejects(early!, { code: 'unavailable' });
		alice.send('hello');
		room.send('hello', 1, { except: ['alice'] });
		await assert.rejects(alice.request('how are you?'), { code: 'unavailable' });
		alice.close();
		alice.send('hello');
		await assert.rejects(alice.request('how are you?'), { code: 'closed' });
		room.close();
		room.send('hello');
	});

	it('is sent nothing wrong or too large all the same', async (t) => {
		const { room } = await startRoom(t, { limits: { appMessageBytes: 10 } });
		const alice = await room.join({ userId: 'alice' });
		const wrong: [name: unknown, data: unknown, code: string][] = [
			['', 1, 'invalid_argument'],
			[1, 1, 'invalid_argument'],
			['x'.repeat(257), 1, 'invalid_argument'],
			['name', 1n, 'invalid_argument'],
			['name', '123456789', 'too_large'],
		];
		for (const [name, data, code] of wrong) {
			for (const send of [alice.send.bind(alice), room.send.bind(room)]) {
				assert.throws(
					() => {
						send(name as string, data);
					},
					{ code },
				);
			}
			await assert.rejects(alice.request(name as string, data), { code });
		}
		assert.throws(
			() => {
				room.send('name', 1, { except: 'alice' as unknown as [] });
			},
			{ code: 'invalid_argument' },
		);
		for (const timeout of [0, -1, 1.5, 86_400_001, '1' as unknown as number]) {
			await assert.rejects(alice.request('name', 1, { timeout }), { code: 'invalid_argument' });
		}
	});
});
