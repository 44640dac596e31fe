import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { SignalingOptions } from 'sfu-rooms/signaling';
import { closeCodes } from 'sfu-rooms/protocol';
import { deferred } from '../protoo/setup.js';
import { start as startSignaling, type TestClient } from './setup.js';

const start = async (t: TestContext, options: SignalingOptions = {}) => {
	const server = await startSignaling(t, options);
	const user = (userId = 'alice') => server.sfu.rooms.get('room')?.users.get(userId);
	return { ...server, user };
};

const methods = ({ told }: TestClient) => told.map(({ method }) => method);
const takeOver = { authorize: { join: () => ({ takeOver: true }), textMessage: true } } as const;
const replacedNotice = { method: 'replaced', data: { roomId: 'room', userId: 'alice' } };

describe('The resume token of a join', () => {
	it('is another one each time, and cannot be guessed', async (t) => {
		const { join } = await start(t);
		const tokens = new Set<string>();
		for (let count = 0; count < 20; count++) tokens.add((await join(`user${count}`)).joined.resumeToken);
		assert.equal(tokens.size, 20);
		for (const token of tokens) assert.ok(Buffer.from(token, 'base64url').length >= 16);
	});

	for (const lost of [true, false]) {
		it(`brings the client back to its user, whose socket is ${lost ? 'lost' : 'not known to be dead'}`, async (t) => {
			const { join, connect, user } = await start(t);
			const [alice, bob] = [await join('alice'), await join('bob')];
			const before = user();
			if (lost) alice.session.closed(closeCodes.lost);
			const again = connect();
			assert.equal(await again.join('alice', { resumeToken: alice.joined.resumeToken }), undefined);
			assert.equal(again.joined.resumed, true);
			assert.notEqual(again.joined.resumeToken, alice.joined.resumeToken);
			assert.equal(user(), before);
			assert.deepEqual(methods(bob), [], 'nobody else notices');
			assert.equal(alice.closedWith, lost ? undefined : closeCodes.replaced);
			assert.deepEqual(alice.told.at(-1), lost ? { method: 'newUser', data: alice.told[0]?.data } : replacedNotice);
		});
	}

	it('works again if the response with the next one was lost, and no more after that', async (t) => {
		const { join, connect } = await start(t);
		const { resumeToken } = (await join('alice')).joined;
		for (const resumed of [true, true]) {
			const back = connect();
			await back.join('alice', { resumeToken });
			assert.equal(back.joined.resumed, resumed);
			back.session.closed(closeCodes.lost);
		}
		const back = connect();
		await back.join('alice', { resumeToken });
		await back.request('heartbeat', { roomId: 'room', userId: 'alice' });
		assert.equal(
			await connect().join('alice', { resumeToken }),
			'conflict',
			'the client has shown that it has another',
		);
	});

	it('is worth nothing for another user, in another room, after the user has left, or if it is made up', async (t) => {
		const { join, connect } = await start(t, { authorize: (action) => action.action === 'join' });
		const [alice, bob] = [await join('alice'), await join('bob')];
		for (const resumeToken of [bob.joined.resumeToken, '', 'x', `${alice.joined.resumeToken}x`, 'é'.repeat(43)]) {
			assert.equal(await connect().join('alice', { resumeToken }), 'conflict', resumeToken);
		}
		const elsewhere = connect();
		await elsewhere.join('alice', { roomId: 'other' });
		assert.equal(await connect().join('alice', { resumeToken: elsewhere.joined.resumeToken }), 'conflict');
		assert.equal(alice.closedWith, undefined);
		await alice.request('leave', { roomId: 'room', userId: 'alice' });
		assert.equal(await alice.join('alice', { resumeToken: alice.joined.resumeToken }), undefined);
		assert.equal(alice.joined.resumed, false);
	});

	for (const resumeToken of [1, {}, [], true]) {
		it(`is a string or null, not ${JSON.stringify(resumeToken)}`, async (t) => {
			const { connect } = await start(t);
			assert.equal(await connect().join('alice', { resumeToken }), 'invalid_argument');
		});
	}

	it('renames its user if the client has another name now, and keeps a name that the app has given', async (t) => {
		const { join, connect, user } = await start(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		const again = connect();
		await again.join('alice', { userName: 'Alice B.', resumeToken: alice.joined.resumeToken });
		assert.equal(user()?.userName, 'Alice B.');
		const data = { roomId: 'room', userId: 'alice', userName: 'Alice B.' };
		assert.deepEqual(bob.told.at(-1), { method: 'userRenamed', data });
		user()?.rename('Prof. B.');
		const third = connect();
		await third.join('alice', { userName: 'Alice B.', resumeToken: again.joined.resumeToken });
		assert.equal(user()?.userName, 'Prof. B.');
		user()?.setPermissions({ updateMetadata: false });
		const fourth = connect();
		await fourth.join('alice', { userName: 'Mallory', resumeToken: third.joined.resumeToken });
		assert.deepEqual([fourth.joined.resumed, user()?.userName], [true, 'Prof. B.']);
	});
});

describe('A join without the token, with the id of a user', () => {
	for (const resumeToken of [undefined, null]) {
		it(`whose socket is there, is a conflict (${resumeToken})`, async (t) => {
			const { join, connect, user } = await start(t);
			const alice = await join('alice');
			const before = user();
			assert.equal(await connect().join('alice', { resumeToken }), 'conflict');
			assert.deepEqual([alice.closedWith, methods(alice), user()], [undefined, [], before]);
		});

		it(`whose socket is lost, begins anew in its place (${resumeToken})`, async (t) => {
			const { join, connect, sfu, user } = await start(t);
			const [alice, bob] = [await join('alice'), await join('bob')];
			const before = user();
			const reasons: string[] = [];
			sfu.rooms.get('room')!.on('userLeft', ({ reason }) => reasons.push(reason));
			alice.session.closed(closeCodes.lost);
			const again = connect();
			assert.equal(await again.join('alice', { resumeToken }), undefined);
			assert.equal(again.joined.resumed, false);
			assert.deepEqual([before?.closed, reasons], [true, ['replaced']]);
			assert.deepEqual(methods(bob), ['userLeft', 'newUser']);
			assert.equal(await connect().join('alice', { resumeToken: alice.joined.resumeToken }), 'conflict');
		});

		it(`whose socket is there, replaces it if authorize says so (${resumeToken})`, async (t) => {
			const { join, connect, user } = await start(t, takeOver);
			const [first, bob] = [await join('alice'), await join('bob')];
			const before = user();
			const second = connect();
			assert.equal(await second.join('alice', { resumeToken }), undefined);
			assert.equal(second.joined.resumed, false);
			assert.notEqual(user(), before);
			assert.deepEqual([first.told.at(-1), first.closedWith], [replacedNotice, closeCodes.replaced]);
			assert.ok(!methods(first).includes('kicked'), 'there is one final word');
			assert.deepEqual(methods(bob), ['userLeft', 'newUser']);
			assert.equal(await first.join('alice'), 'closed', 'the old session has ended');
		});
	}

	it('takes the place in a locked room, and past the lobby, for the user was in the room', async (t) => {
		const { join, connect, sfu } = await start(t, takeOver);
		const alice = await join('alice');
		const room = sfu.rooms.get('room')!;
		room.setLobby(true);
		room.lock();
		const second = connect();
		assert.equal(await second.join('alice'), undefined);
		alice.session.closed(closeCodes.lost);
		assert.equal(await connect().join('mallory'), 'forbidden');
	});

	it('takes over and goes on with the option rtcpilot, whose clients know no token, and is new if it says null', async (t) => {
		const { join, connect, user } = await start(t, { rtcpilot: true });
		const first = await join('alice');
		const before = user();
		const second = connect();
		await second.join('alice');
		assert.deepEqual([second.joined.resumed, user(), first.closedWith], [true, before, closeCodes.replaced]);
		const third = connect();
		await third.join('alice', { resumeToken: null });
		assert.deepEqual([third.joined.resumed, before?.closed, second.closedWith], [false, true, closeCodes.replaced]);
	});

	it('is a conflict if the app itself has added the user', async (t) => {
		const { sfu, connect } = await start(t, takeOver);
		await (await sfu.getOrCreateRoom('room')).join({ userId: 'alice' });
		assert.equal(await connect().join('alice'), 'conflict');
	});

	it('of several at the same moment, one joins', async (t) => {
		const { connect, sfu } = await start(t);
		const results = await Promise.all([1, 2, 3].map(() => connect().join('alice')));
		assert.deepEqual(results.sort(), ['conflict', 'conflict', undefined]);
		assert.equal(sfu.rooms.get('room')!.users.size, 1);
	});
});

describe('What authorize returns about a join', () => {
	it('says how the user joins', async (t) => {
		const { join, user } = await start(t, {
			authorize: () => ({
				userName: 'Dr. A.',
				metadata: { role: 'doctor' },
				permissions: { push: false },
				codecs: ['VP9'],
				maxIncomingBitrate: 1000,
				maxOutgoingBitrate: 2000,
			}),
		});
		await join('alice');
		const { userName, metadata, permissions } = user()!;
		assert.deepEqual([userName, metadata, permissions.push], ['Dr. A.', { role: 'doctor' }, false]);
	});

	it('applies when the client comes back, too', async (t) => {
		let push = true;
		const { join, connect, user } = await start(t, { authorize: () => ({ permissions: { push } }) });
		const alice = await join('alice');
		push = false;
		const again = connect();
		await again.join('alice', { resumeToken: alice.joined.resumeToken });
		assert.deepEqual([again.joined.resumed, user()?.permissions.push], [true, false]);
	});

	for (const wrong of [null, 1, 'true', [], { allowed: true }, { userId: 'bob' }, { takeOver: 1 }, { userName: 7 }]) {
		it(`refuses ${JSON.stringify(wrong)}`, async (t) => {
			const { connect, sfu } = await start(t, { authorize: () => wrong as unknown as boolean });
			assert.equal(await connect().join('alice'), 'forbidden');
			assert.equal(sfu.rooms.size, 0);
		});
	}

	for (const wrong of [{ permissions: { push: 1 } }, { permissions: { fly: true } }, { userName: 'x'.repeat(1000) }]) {
		it(`is a fault of the server if the room does not take it: ${Object.keys(wrong).join()}`, async (t) => {
			const { connect, logged, user } = await start(t, { authorize: () => wrong as unknown as boolean });
			assert.equal(await connect().join('alice'), 'internal');
			assert.equal(user(), undefined);
			assert.ok(logged.some(({ level }) => level === 'error'));
		});
	}

	it('allows nothing but a join', async (t) => {
		const { join, user } = await start(t, { authorize: () => ({ takeOver: true }) });
		const alice = await join('alice');
		const message = { roomId: 'room', userId: 'alice', message: 'hello' };
		const result = await alice.request('textMessage', message);
		assert.ok('error' in result && result.error.code === 'forbidden');
		assert.ok(user());
	});

	it('may keep a user from opening a room', async (t) => {
		const { connect, sfu } = await start(t, { authorize: () => ({ permissions: { createRoom: false } }) });
		assert.equal(await connect().join('alice'), 'forbidden');
		assert.equal(sfu.rooms.size, 0);
		await sfu.getOrCreateRoom('room');
		assert.equal(await connect().join('alice'), undefined);
	});
});

describe('audience', () => {
	it('asks to be hidden', async (t) => {
		const { join, connect, user } = await start(t);
		const bob = await join('bob');
		const viewer = connect();
		await viewer.join('alice', { audience: true });
		assert.equal(user()?.permissions.hidden, true);
		assert.deepEqual(methods(bob), []);
		assert.deepEqual(
			viewer.joined.users.map(({ userId }) => userId),
			['bob'],
		);
		assert.deepEqual(
			(await join('carol')).joined.users.map(({ userId }) => userId),
			['bob'],
		);
	});

	it('is decided by the app if it says anything about it', async (t) => {
		const { connect, user } = await start(t, { authorize: () => ({ permissions: { hidden: false } }) });
		await connect().join('alice', { audience: true });
		assert.equal(user()?.permissions.hidden, false);
	});
});

describe('authorize', () => {
	it('gets all of the data of each message, with fields that the library does not know', async (t) => {
		const asked: unknown[] = [];
		const { connect } = await start(t, {
			authorize: ({ action, data }) => {
				asked.push([action, data]);
				return true;
			},
		});
		const client = connect();
		const join = {
			roomId: 'room',
			userId: 'alice',
			userName: 'A',
			roomToken: 'secret',
			audience: false,
			more: { x: [1] },
		};
		await client.request('join', join);
		const text = { roomId: 'room', userId: 'alice', message: 'hello', mood: 'good' };
		await client.request('textMessage', text);
		const pull = { roomId: 'room', userId: 'alice', autoPull: true, quality: 'low' };
		await client.request('pull', pull);
		assert.deepEqual(asked, [
			['join', join],
			['textMessage', text],
			['autoPull', pull],
		]);
	});

	it('that does not answer in time refuses, whatever it says later', async (t) => {
		const late = deferred<boolean>();
		const { connect, sfu } = await start(t, { authorize: () => late.promise, authorizeTimeout: 20 });
		const alice = connect();
		assert.equal(await alice.join('alice'), 'timeout');
		late.resolve(true);
		await setTimeout(10);
		assert.equal(sfu.rooms.size, 0);
	});

	it('may reject later without a word', async (t) => {
		const late = deferred<boolean>();
		const { connect, logged } = await start(t, { authorize: () => late.promise, authorizeTimeout: 20 });
		assert.equal(await connect().join('alice'), 'timeout');
		late.reject(new Error('too late'));
		await setTimeout(10);
		assert.deepEqual(
			logged.filter(({ level }) => level === 'error'),
			[],
		);
	});

	it('given as an object refuses the actions that it does not name', async (t) => {
		const { join } = await start(t, { authorize: { join: () => true } });
		const alice = await join('alice');
		for (const [method, more] of [
			['textMessage', { message: 'hello' }],
			['pull', { autoPull: true }],
		] as const) {
			const result = await alice.request(method, { roomId: 'room', userId: 'alice', ...more });
			assert.ok('error' in result && result.error.code === 'forbidden', method);
		}
	});

	it('given as an object is not fooled by names that every object has', async (t) => {
		const { connect } = await start(t, { authorize: {} });
		assert.equal(await connect().join('alice'), 'forbidden');
	});

	for (const wrong of [null, 1, 'all', { fly: true }, { join: false }, { join: 'yes' }]) {
		it(`must not be ${JSON.stringify(wrong)}`, async (t) => {
			await assert.rejects(start(t, { authorize: wrong as never }), { code: 'invalid_argument', message: /authorize/ });
		});
	}

	it('knows the context of the client, and so does the app later', async (t) => {
		const { connect, user, signaling } = await start(t);
		const context = { account: 7 };
		const alice = connect(context);
		await alice.join('alice');
		assert.equal(signaling.contextOf(user()!), context);
		alice.session.closed(closeCodes.lost);
		assert.equal(signaling.contextOf(user()!), context);
		const next = { account: 7, again: true };
		await connect(next).join('alice', { resumeToken: alice.joined.resumeToken });
		assert.equal(signaling.contextOf(user()!), next);
	});
});

describe('A text message', () => {
	const text = { roomId: 'room', userId: 'alice', message: 'hello' };

	it('as a request is answered with success', async (t) => {
		const { join } = await start(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		assert.deepEqual(await alice.request('textMessage', text), {
			data: { code: 0, message: 'textMessage success' },
		});
		assert.equal(methods(bob).at(-1), 'textMessage');
	});

	for (const permissions of [{ sendText: false }, { hidden: true }]) {
		it(`is refused with ${JSON.stringify(permissions)}`, async (t) => {
			const { join, user } = await start(t);
			const [alice, bob] = [await join('alice'), await join('bob')];
			user()?.setPermissions(permissions);
			const result = await alice.request('textMessage', text);
			assert.ok('error' in result && result.error.code === 'forbidden');
			alice.session.notification('textMessage', text);
			await alice.request('heartbeat', { roomId: 'room', userId: 'alice' });
			assert.ok(!methods(bob).includes('textMessage'));
		});
	}

	it('is refused if it is forbidden while authorize is asked', async (t) => {
		const allowed = deferred<boolean>();
		const { join, user } = await start(t, { authorize: { join: true, textMessage: () => allowed.promise } });
		const [alice, bob] = [await join('alice'), await join('bob')];
		const sent = alice.request('textMessage', text);
		user()?.setPermissions({ sendText: false });
		allowed.resolve(true);
		const result = await sent;
		assert.ok('error' in result && result.error.code === 'forbidden');
		assert.ok(!methods(bob).includes('textMessage'));
	});
});

describe('A join that waits in the lobby', () => {
	async function wait(t: TestContext, options: SignalingOptions = {}) {
		const server = await start(t, options);
		const room = await server.sfu.getOrCreateRoom('room', { lobby: true });
		const alice = server.connect();
		const joined = alice.join('alice');
		while (!room.waiting.has('alice')) await setTimeout(1);
		return { ...server, room, alice, joined };
	}
	const member = { roomId: 'room', userId: 'alice' };

	it('is told to the client, and answered when the app admits it', async (t) => {
		const { alice, room, joined } = await wait(t);
		assert.deepEqual(alice.told, [{ method: 'waiting', data: member }]);
		room.waiting.get('alice')?.admit({ permissions: { push: false } });
		assert.equal(await joined, undefined);
		assert.equal(room.users.get('alice')?.permissions.push, false);
		assert.deepEqual(await alice.request('heartbeat', member), { data: { code: 0, message: 'ok', ...member } });
	});

	it('is answered with 403 when the app refuses it', async (t) => {
		const { room, joined } = await wait(t);
		room.waiting.get('alice')?.refuse();
		assert.equal(await joined, 'forbidden');
	});

	it('lets a heartbeat pass, and another join fail', async (t) => {
		const { alice } = await wait(t);
		assert.deepEqual(await alice.request('heartbeat', member), { data: { code: 0, message: 'ok', ...member } });
		const other = await alice.request('heartbeat', { ...member, userId: 'bob' });
		assert.ok('error' in other);
		assert.equal(await alice.join('alice'), 'conflict');
	});

	it('ends when the client leaves, which may then join again', async (t) => {
		const { alice, room, joined } = await wait(t);
		assert.ok('data' in (await alice.request('leave', member)));
		assert.equal(await joined, 'closed');
		assert.equal(room.waiting.size, 0);
		room.setLobby(false);
		assert.equal(await alice.join('alice'), undefined);
	});

	it('ends when the socket closes', async (t) => {
		const { alice, room, joined } = await wait(t);
		alice.session.closed(closeCodes.lost);
		assert.equal(await joined, 'closed');
		assert.deepEqual([room.waiting.size, room.users.size], [0, 0]);
	});

	it('is a conflict for another client of the user, unless authorize lets that one take over', async (t) => {
		const { alice, connect } = await wait(t);
		const second = connect();
		assert.equal(await second.join('alice'), 'conflict');
		assert.deepEqual([methods(second), alice.closedWith], [[], undefined]);
	});

	it('ends when another client of the user may take over', async (t) => {
		const { alice, connect, room, joined } = await wait(t, takeOver);
		const second = connect();
		const again = second.join('alice');
		assert.equal(await joined, 'closed');
		assert.deepEqual([alice.told.at(-1), alice.closedWith], [replacedNotice, closeCodes.replaced]);
		while (!room.waiting.has('alice')) await setTimeout(1);
		room.waiting.get('alice')?.admit();
		assert.equal(await again, undefined);
	});

	it('does not wait if the app lets it past the lobby', async (t) => {
		const { sfu, connect } = await start(t, { authorize: () => ({ admitted: true }) });
		await sfu.getOrCreateRoom('room', { lobby: true });
		const client = connect();
		assert.equal(await client.join('alice'), undefined);
		assert.deepEqual(methods(client), []);
	});
});
