import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SfuError, type SfuOptions } from 'sfu-rooms';
import type { ProtooOptions } from 'sfu-rooms/protoo';
import { serve, until } from './setup.js';

const alice = { roomId: 'room', userId: 'alice' };
const large = 'x'.repeat(16_383);

/** Alice and Bob in a room, and Alice as the server knows her. */
async function start(t: TestContext, options: ProtooOptions = {}, sfuOptions: SfuOptions = {}) {
	const started = await serve(t, options, sfuOptions);
	const [client, bob] = [await started.join('alice'), await started.join('bob')];
	await client.told();
	const room = started.sfu.rooms.get('room')!;
	return { ...started, client, bob, room, user: room.users.get('alice')! };
}

describe('A message of the app', () => {
	it('comes to the client of one user, or to all but some, in the order of the calls', async (t) => {
		const { client, bob, room, user } = await start(t);
		user.send('one', { any: ['json', null] });
		room.send('two');
		room.send('three', 3, { except: ['bob', 'nobody'] });
		user.send('four', null);
		const app = (name: string, data?: unknown) => ({
			notification: true,
			method: 'appMessage',
			data: { roomId: 'room', name, ...(data !== undefined && { data }) },
		});
		assert.deepEqual(await client.told(), [
			app('one', { any: ['json', null] }),
			app('two'),
			app('three', 3),
			app('four', null),
		]);
		assert.deepEqual(await bob.told(), [app('two')]);
	});

	it('comes after the response to the join if it is sent before, and to hidden users, too', async (t) => {
		const { sfu, connect } = await serve(t);
		sfu.on('roomOpened', ({ room }) => {
			room.on('userJoined', ({ user }) => {
				user.send('welcome', user.userId);
				room.send('somebody joined');
			});
		});
		const client = connect();
		await client.request('join', { ...alice, userName: 'Alice', audience: true });
		assert.equal((await client.next('appMessage')).data, 'alice');
		assert.equal((await client.next('appMessage')).name, 'somebody joined');
		const [first] = client.received as { response?: true }[];
		assert.equal(first!.response, true);
	});

	it('is lost while the socket is', async (t) => {
		const { client, connect, user, room } = await start(t);
		client.lose();
		user.send('lost');
		room.send('lost');
		const again = connect();
		assert.equal((await again.comeBack(client)).resumed, true);
		user.send('heard');
		assert.deepEqual(
			(await again.told()).map(({ data }) => (data as { name: string }).name),
			['heard'],
		);
	});
});

describe('A request of the app', () => {
	it('resolves to what the client answers', async (t) => {
		const { client, user } = await start(t);
		const answers = [user.request('one', { a: 1 }), user.request('two')];
		const [one, two] = [await client.asked('appRequest'), await client.asked('appRequest')];
		assert.deepEqual(one.data, { roomId: 'room', name: 'one', data: { a: 1 } });
		client.respond(two.id, {});
		client.respond(one.id, { data: [2], unknown: true });
		assert.deepEqual(await Promise.all(answers), [[2], undefined]);
	});

	it('rejects with what the client fails with', async (t) => {
		const { client, user } = await start(t);
		const codes: [errorCode: number, code: string][] = [
			[400, 'invalid_argument'],
			[403, 'forbidden'],
			[404, 'not_found'],
			[406, 'unsupported'],
			[409, 'conflict'],
			[413, 'too_large'],
			[429, 'limit_exceeded'],
			[500, 'internal'],
			[503, 'unavailable'],
			[418, 'internal'],
			[-1, 'internal'],
		];
		for (const [errorCode, code] of codes) {
			const answer = user.request('any');
			client.fail((await client.asked('appRequest')).id, errorCode, `no\n${'x'.repeat(1000)}`);
			await assert.rejects(answer, (error: SfuError) => {
				assert.equal(error.code, code);
				assert.match(error.message, /^the client failed: "no\\nx+…"$/);
				assert.ok(error.message.length < 100);
				return true;
			});
		}
		const answer = user.request('any');
		const { id } = await client.asked('appRequest');
		client.send(JSON.stringify({ response: true, id, ok: false, errorCode: '404', errorReason: {} }));
		await assert.rejects(answer, { code: 'internal', message: 'the client failed: ""' });
	});

	it('rejects for an answer that is none or too large', async (t) => {
		const { client, user } = await start(t);
		const wrong: [data: unknown, code: string][] = [
			[undefined, 'invalid_argument'],
			[null, 'invalid_argument'],
			[[], 'invalid_argument'],
			[1, 'invalid_argument'],
			[{ data: large }, 'too_large'],
		];
		for (const [data, code] of wrong) {
			const answer = user.request('any');
			client.respond((await client.asked('appRequest')).id, data);
			await assert.rejects(answer, { code }, String(data));
		}
	});

	it('rejects when its time is over, also one that is longer than responseTimeout', async (t) => {
		const { client, user } = await start(t, { limits: { responseTimeout: 20 } });
		await assert.rejects(user.request('any', 1, { timeout: 10 }), { code: 'timeout' });
		const { id } = await client.asked('appRequest');
		client.respond(id, { data: 'late' });
		const patient = user.request('other', 1, { timeout: 60_000 });
		const asked = await client.asked('appRequest');
		await new Promise((resolve) => setTimeout(resolve, 60));
		client.respond(asked.id, { data: 'in time' });
		assert.equal(await patient, 'in time');
	});

	it('rejects at once when the socket is lost or the user leaves, and is not repeated', async (t) => {
		const { client, connect, user, sfu } = await start(t);
		const answer = user.request('any');
		await client.asked('appRequest');
		client.lose();
		await assert.rejects(answer, { code: 'unavailable' });
		await assert.rejects(user.request('any'), { code: 'unavailable' });
		const again = connect();
		await again.comeBack(client);
		const next = user.request('next');
		assert.equal((await again.asked('appRequest')).data.name, 'next');
		user.kick();
		await assert.rejects(next, { code: 'closed' });
		await assert.rejects(user.request('any'), { code: 'closed' });
		assert.equal(sfu.rooms.get('room')!.users.size, 1);
	});

	it('waits for a client that joins', async (t) => {
		const { sfu, connect } = await serve(t);
		const answers: Promise<unknown>[] = [];
		sfu.on('roomOpened', ({ room }) => {
			room.on('userJoined', ({ user }) => answers.push(user.request('who?')));
		});
		const client = connect();
		await client.join('room', 'alice');
		client.respond((await client.asked('appRequest')).id, { data: 'me' });
		assert.deepEqual(await Promise.all(answers), ['me']);
	});

	it('is one of a limited number', async (t) => {
		const { client, user } = await start(t, { limits: { pendingRequests: 3 } });
		const answers = [1, 2, 3].map((n) => user.request('any', n));
		await assert.rejects(user.request('any', 4), { code: 'limit_exceeded' });
		for (const request of [await client.asked('appRequest'), await client.asked('appRequest')]) {
			client.respond(request.id, { data: request.data.data });
		}
		const { id, data } = await client.asked('appRequest');
		client.respond(id, { data: data.data });
		assert.deepEqual(await Promise.all(answers), [1, 2, 3]);
	});
});

describe('A message to the app', () => {
	it('is an event of user and room, and nobody else gets it', async (t) => {
		const { client, bob, user, room } = await start(t);
		const heard: unknown[] = [];
		user.on('appMessage', ({ name, data }) => heard.push([name, data]));
		room.on('appMessage', (event) => heard.push([event.user.userId, event.name, event.data]));
		client.notify('appMessage', { ...alice, name: 'hand', data: { up: true } });
		client.notify('appMessage', { ...alice, name: 'bare' });
		await client.heartbeat();
		assert.deepEqual(heard, [
			['alice', 'hand', { up: true }],
			['hand', { up: true }],
			['alice', 'bare', undefined],
			['bare', undefined],
		]);
		assert.deepEqual(await bob.told(), []);
	});

	it('is refused if it is wrong, too large or of somebody else', async (t) => {
		const { client, room } = await start(t);
		room.on('appMessage', () => assert.fail('heard'));
		const wrong: [data: unknown, errorCode: number][] = [
			[undefined, 400],
			[{ ...alice }, 400],
			[{ ...alice, name: '' }, 400],
			[{ ...alice, name: 1 }, 400],
			[{ ...alice, name: 'x'.repeat(257) }, 400],
			[{ ...alice, name: 'a\u202e' }, 400],
			[{ ...alice, name: 'a', data: large }, 413],
			[{ ...alice, userId: 'bob', name: 'a' }, 403],
		];
		for (const [data, errorCode] of wrong) {
			client.notify('appMessage', data);
			const refused = await client.next('messageRefused');
			assert.deepEqual([refused.errorCode, refused.method], [errorCode, 'appMessage'], JSON.stringify(data));
		}
	});
});

describe('A request to the app', () => {
	it('is answered by the handler of its name', async (t) => {
		const { sfu, client, user, room } = await start(t);
		const remove = sfu.handle('add', (request) => {
			assert.deepEqual([request.user, request.room, request.name, request.signal.aborted], [user, room, 'add', false]);
			const [a, b] = request.data as [number, number];
			return Promise.resolve(a + b);
		});
		sfu.handle('nothing', () => undefined);
		const ask = (name: string, data?: unknown) => client.request('appRequest', { ...alice, name, data });
		assert.deepEqual(await ask('add', [1, 2]), { code: 0, message: 'appRequest success', data: 3 });
		assert.deepEqual(await ask('nothing'), { code: 0, message: 'appRequest success' });
		await assert.rejects(ask('toString'), { errorCode: 404 });
		assert.throws(() => sfu.handle('add', () => 1), { code: 'conflict' });
		remove();
		await assert.rejects(ask('add', [1, 2]), { errorCode: 404 });
		remove();
		sfu.handle('add', () => 'again');
		assert.equal(((await ask('add')) as { data: unknown }).data, 'again');
	});

	it('fails with the error of the handler, and tells nothing of one that is no SfuError', async (t) => {
		const { sfu, client, errors } = await start(t);
		const circle: { self?: unknown } = {};
		circle.self = circle;
		sfu.handle('no', () => {
			throw new SfuError('forbidden', 'not today');
		});
		sfu.handle('bug', () => Promise.reject(new Error('secret')));
		sfu.handle('circle', () => circle);
		sfu.handle('large', () => large);
		const ask = (name: string) => client.request('appRequest', { ...alice, name });
		await assert.rejects(ask('no'), { errorCode: 403, errorReason: 'not today' });
		for (const name of ['bug', 'circle', 'large']) {
			await assert.rejects(ask(name), { errorCode: 500, errorReason: 'internal error' }, name);
		}
		assert.equal(errors.length, 3);
	});

	it('lets later messages pass while the app thinks, for as long as its time', async (t) => {
		const { sfu, client } = await start(t);
		let signal!: AbortSignal;
		sfu.handle('slow', (request) => ((signal = request.signal), new Promise(() => undefined)), { timeout: 100 });
		const slow = client.request('appRequest', { ...alice, name: 'slow' });
		await client.heartbeat();
		assert.equal(signal.aborted, false);
		await assert.rejects(slow, { errorCode: 503 });
		assert.equal(signal.aborted, true);
	});

	it('is given up when the client is gone', async (t) => {
		const { sfu, client } = await start(t);
		let signal: AbortSignal | undefined;
		sfu.handle('slow', (request) => ((signal = request.signal), new Promise(() => undefined)));
		void client.request('appRequest', { ...alice, name: 'slow' });
		await until(() => signal !== undefined, 'the app is asked');
		client.lose();
		await until(() => signal?.aborted === true, 'the signal aborts');
	});

	it('is one of a limited number, and of a limited size', async (t) => {
		const { sfu, client } = await start(t, { limits: { pendingRequests: 3 } });
		let answer!: (data: unknown) => void;
		const data = new Promise((resolve) => {
			answer = resolve;
		});
		sfu.handle('slow', () => data);
		const ask = (more: object = {}) => client.request('appRequest', { ...alice, name: 'slow', ...more });
		await assert.rejects(ask({ data: large }), { errorCode: 413 });
		await assert.rejects(ask({ name: '' }), { errorCode: 400 });
		await assert.rejects(ask({ userId: 'bob' }), { errorCode: 403 });
		const all = [ask(), ask(), ask()];
		// The requests before it have been counted.
		await assert.rejects(ask(), { errorCode: 429 });
		answer(1);
		assert.equal((await Promise.all(all)).length, 3);
		await ask();
	});

	it('needs a handler that is a function, and options that are right', async (t) => {
		const { sfu } = await serve(t);
		const wrong: unknown[][] = [[1, () => 1], ['', () => 1], ['name'], ['name', 1], ['name', () => 1, { timeout: 0 }]];
		for (const args of wrong) {
			assert.throws(() => sfu.handle(...(args as Parameters<typeof sfu.handle>)), { code: 'invalid_argument' });
		}
	});
});
