import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import process from 'node:process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Sfu, type Room } from 'sfu-rooms';
import { anOffer } from '../support/offers.js';
import { held, outcome, pullAll, rejects, startCall, startSfu, turns, until, untilHeld } from './setup.js';

describe('An Sfu', () => {
	it('is not made with a wrong option', async () => {
		await assert.rejects(Sfu.create({ workers: { count: 0 } }), {
			code: 'invalid_argument',
			message: 'options.workers.count must be >= 1',
		});
		await assert.rejects(Sfu.create(null as never), { code: 'invalid_argument' });
		await assert.rejects(Sfu.create({ codecs: [{ kind: 'video', mimeType: 'video/H263', clockRate: 90000 }] }), {
			code: 'invalid_argument',
			message: /^codecs /,
		});
	});

	it('is not made without a worker', async () => {
		await assert.rejects(Sfu.create({ workers: { count: 1, binary: '/nonexistent' } }), { code: 'unavailable' });
	});

	it('has the room of an id once, also when asked for at once', async (t) => {
		const { sfu } = await startSfu(t);
		const opened: Room[] = [];
		sfu.on('roomOpened', ({ room }) => opened.push(room));
		const rooms = await Promise.all(['a', 'a', 'b', 'a'].map((id) => sfu.getOrCreateRoom(id)));
		rooms.push(await sfu.getOrCreateRoom('a'));
		assert.equal(new Set(rooms).size, 2);
		assert.deepEqual(opened, [...sfu.rooms.values()]);
		assert.deepEqual([...sfu.rooms.keys()].sort(), ['a', 'b']);
		assert.equal((await sfu.dump())[0]?.routerIds.length, 2);
	});

	it('takes ids of 1 to 256 characters', async (t) => {
		const { sfu } = await startSfu(t);
		for (const id of ['', 'x'.repeat(257), 1, null, undefined, {}, ['a']]) {
			await rejects(sfu, () => sfu.getOrCreateRoom(id as string), 'invalid_argument', /^roomId /);
		}
		assert.ok(await sfu.getOrCreateRoom('x'.repeat(256)));
		assert.ok(await sfu.getOrCreateRoom('__proto__'));
		assert.equal(sfu.rooms.size, 2);
	});

	it('counts the length of ids in Unicode code points', async (t) => {
		const { sfu } = await startSfu(t, { limits: { idLength: 3 } });
		assert.ok(await sfu.getOrCreateRoom('😀😀😀'));
		await assert.rejects(sfu.getOrCreateRoom('😀😀😀😀'), { code: 'invalid_argument' });
	});

	it('has no more rooms than its limit, and another one when one has closed', async (t) => {
		const { sfu } = await startSfu(t, { limits: { rooms: 1 } });
		const [first, second] = await Promise.allSettled([sfu.getOrCreateRoom('a'), sfu.getOrCreateRoom('b')]);
		assert.equal(first.status, 'fulfilled');
		assert.equal(second.status, 'rejected');
		await rejects(sfu, () => sfu.getOrCreateRoom('b'), 'limit_exceeded', 'more than 1 rooms are not allowed');
		sfu.rooms.get('a')?.close();
		assert.ok(await sfu.getOrCreateRoom('b'));
	});

	it('opens a new room under the id of one that has closed', async (t) => {
		const { sfu } = await startSfu(t);
		const first = await sfu.getOrCreateRoom('a');
		const closed: unknown[] = [];
		sfu.on('roomClosed', (event) => closed.push(event));
		first.close('because');
		assert.deepEqual(closed, [{ room: first, reason: 'because' }]);
		assert.equal(sfu.rooms.size, 0);
		assert.notEqual(await sfu.getOrCreateRoom('a'), first);
	});

	it('closes its rooms, then tells, once', async (t) => {
		const { sfu } = await startSfu(t);
		const room = await sfu.getOrCreateRoom('a');
		const told: string[] = [];
		sfu.on('roomClosed', ({ reason }) => told.push(`room: ${reason}`));
		sfu.on('closed', () => told.push(`closed ${sfu.closed} ${sfu.rooms.size}`));
		sfu.close();
		sfu.close();
		assert.deepEqual(told, ['room: sfuClosed', 'closed true 0']);
		assert.equal(room.closed, true);
		assert.deepEqual(await sfu.dump(), []);
		await assert.rejects(sfu.getOrCreateRoom('a'), { code: 'closed' });
	});

	it('that closes while a room opens tells of no room, and rejects', async (t) => {
		for (const count of [0, 1, 2, 3, 5]) {
			const { sfu } = await startSfu(t);
			let told = 0;
			sfu.on('roomOpened', () => told++);
			const opening = outcome(sfu.getOrCreateRoom('a'));
			await turns(count);
			const wasOpen = sfu.rooms.size === 1;
			sfu.close();
			assert.equal((await opening) === 'done', wasOpen);
			assert.equal(told, wasOpen ? 1 : 0);
			assert.equal(sfu.rooms.size, 0);
		}
	});

	it('that closes while a room opens rejects with `closed`', async (t) => {
		const { sfu } = await startSfu(t);
		const opening = outcome(sfu.getOrCreateRoom('a'));
		sfu.close();
		assert.equal(await opening, 'closed');
	});

	it('may be closed by its own listeners', async (t) => {
		const { sfu } = await startSfu(t);
		let told = 0;
		sfu.on('closed', () => told++);
		sfu.on('roomClosed', () => {
			sfu.close();
		});
		await sfu.getOrCreateRoom('a');
		await sfu.getOrCreateRoom('b');
		sfu.rooms.get('a')?.close();
		assert.equal(told, 1);
		assert.equal(sfu.rooms.size, 0);
	});

	it('is not disturbed by a listener that throws or rejects', async (t) => {
		const { sfu, messages } = await startSfu(t);
		let told = 0;
		sfu.on('roomOpened', () => {
			throw new Error('of the listener');
		});
		// eslint-disable-next-line @typescript-eslint/no-misused-promises -- it is what this test is about
		sfu.on('roomOpened', () => Promise.reject(new Error('of the listener')));
		sfu.on('roomOpened', () => told++);
		assert.ok(await sfu.getOrCreateRoom('a'));
		await turns(1);
		assert.equal(told, 1);
		assert.deepEqual(messages, ['a listener of Sfu failed', 'a listener of Sfu failed']);
	});
});

describe('When a media worker dies', () => {
	it('its connections close, its users stay, and push again on the next one', async (t) => {
		const { sfu, alice, bob, pushed, room } = await startCall(t);
		const pulled = await bob.pull(pullAll(alice));
		const told: string[] = [];
		alice.on('connectionClosed', ({ reason }) => told.push(`connection: ${reason}`));
		alice.on('pusherClosed', ({ reason }) => told.push(`pusher: ${reason}`));
		const [{ pid } = { pid: 0 }] = await sfu.dump();
		const died = new Promise<{ pid: number }>((resolve) => sfu.once('workerDied', resolve));
		const replaced = new Promise((resolve) => sfu.once('workerReplaced', resolve));
		process.kill(pid, 'SIGKILL');
		assert.equal((await died).pid, pid);
		await until(() => pulled.connection.closed && pushed.connection.closed, 'the connections are closed');
		assert.deepEqual([...new Set(told)], ['pusher: workerDied', 'connection: workerDied']);
		assert.deepEqual([...room.users.keys()], ['alice', 'bob']);
		assert.deepEqual([alice.pushers.size, bob.pullers.size, alice.connections.length], [0, 0, 0]);
		await assert.rejects(alice.push(anOffer('chromium-sendonly-audio')), { code: 'unavailable' });
		await replaced;
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		assert.equal((await bob.pull(pullAll(alice))).pullers.length, 2);
	});

	it('its pullers close for this reason', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		const { connection } = await bob.pull(pullAll(alice));
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ reason }) => reasons.push(reason));
		const [{ pid } = { pid: 0 }] = await sfu.dump();
		process.kill(pid, 'SIGKILL');
		await until(() => connection.closed, 'the connection is closed');
		assert.deepEqual(reasons, ['workerDied', 'workerDied']);
	});

	it('what is under way is unavailable', async (t) => {
		for (const count of [0, 1, 2, 4]) {
			const { sfu, alice } = await startCall(t);
			const [{ pid } = { pid: 0 }] = await sfu.dump();
			const pushing = outcome(alice.push(anOffer('firefox-sendonly-videos')));
			await turns(count);
			const died = new Promise((resolve) => sfu.once('workerDied', resolve));
			process.kill(pid, 'SIGKILL');
			await died;
			assert.ok(['unavailable', 'done'].includes(await pushing), `${await pushing} after ${count} turns`);
			sfu.close();
		}
	});
});

describe('After everything is closed', () => {
	it('the worker holds what it held before', async (t) => {
		const { sfu } = await startSfu(t);
		const before = await held(sfu);
		const room = await sfu.getOrCreateRoom('a');
		const alice = await room.join({ userId: 'alice' });
		await alice.push(anOffer('chromium-sendonly-audio-video'));
		await alice.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio')));
		assert.notDeepEqual(await held(sfu), before);
		room.close();
		await untilHeld(sfu, before);
	});

	it('the process ends by itself', async () => {
		const program = `
			import { Sfu } from './src/index.ts';
			import { anOffer } from './test/support/offers.ts';
			const sfu = await Sfu.create({ workers: { count: 2 } });
			const room = await sfu.getOrCreateRoom('a');
			await sfu.getOrCreateRoom('empty');
			const alice = await room.join({ userId: 'alice' });
			const { pushers } = await alice.push(anOffer('chromium-sendonly-audio-video'));
			const specs = pushers.map(({ pusherId }) => ({ pusherId }));
			await alice.pull({ targetUserId: 'alice', specs, offer: anOffer('firefox-recvonly-video-audio') });
			const replaced = new Promise((resolve) => sfu.once('workerReplaced', resolve));
			process.kill((await sfu.dump())[1].pid, 'SIGKILL');
			await replaced;
			sfu.close();
			process.on('exit', () => console.log('ended'));
		`;
		const { stdout } = await promisify(execFile)(
			process.execPath,
			['--import', 'tsx', '--input-type=module', '--eval', program],
			{ timeout: 20_000 },
		);
		assert.match(stdout, /ended/);
	});
});
