import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sendingOffer } from './offers.js';
import { deferred, held, serve } from './setup.js';

const join = { roomId: 'room', userId: 'alice', userName: 'Alice' };
const request = (fields: object) => JSON.stringify({ request: true, id: 1, method: 'join', data: join, ...fields });

describe('What is no protoo message is dropped, and the client is told', () => {
	const frames: Record<string, string> = {
		'nothing at all': '',
		'no JSON': 'join',
		'JSON cut off': request({}).slice(0, -1),
		null: 'null',
		'a number': '1',
		'a string': '"join"',
		'an array': `[${request({})}]`,
		'an empty object': '{}',
		'an object that does not say what it is': request({ request: undefined }),
		'a request that only nearly says so': request({ request: 'true' }),
		'an id missing': request({ id: undefined }),
		'an id of null': request({ id: null }),
		'a negative id': request({ id: -1 }),
		'a fraction as id': request({ id: 1.5 }),
		'a string as id': request({ id: '1' }),
		'an id beyond 32 bits': request({ id: 2 ** 32 }),
		'an array as id': request({ id: [1] }),
		'a response without an id': '{"response":true,"ok":true}',
		'a response that does not say whether it is ok': '{"response":true,"id":1}',
		'a notification without a method': '{"notification":true,"data":{}}',
	};
	for (const [name, frame] of Object.entries(frames)) {
		it(name, async (t) => {
			const server = await serve(t);
			const bob = await server.join('bob');
			const before = await held(server.sfu);
			const client = server.connect();
			client.send(frame);
			await client.join('room', 'alice');
			const [told, joined, ...others] = client.received;
			const data = { errorCode: 400, errorReason: 'it is no message of protoo' };
			assert.deepEqual(told, { notification: true, method: 'messageRefused', data });
			assert.deepEqual([(joined as { response?: true }).response, others], [true, []]);
			await client.push(sendingOffer());
			await client.leave();
			assert.deepEqual(
				(await bob.told()).map(({ method }) => method),
				['newUser', 'newPusher', 'userLeft'],
			);
			assert.deepEqual(await held(server.sfu), before);
		});
	}

	it('a response to nothing; too many in a row close the socket', async (t) => {
		const client = (await serve(t, { limits: { invalidMessages: 4 } })).connect();
		for (let id = 0; id < 2; id++) client.send(JSON.stringify({ response: true, id, ok: true, data: {} }));
		for (let id = 0; id < 2; id++) client.send(JSON.stringify({ response: true, id, ok: false, errorCode: 500 }));
		await client.join('room', 'alice');
		assert.equal(client.received.length, 1);
		for (let id = 0; id < 5; id++) client.send(JSON.stringify({ response: true, id, ok: true }));
		assert.equal(await client.closed, 1008);
	});

	it('a notification that nobody knows', async (t) => {
		const server = await serve(t);
		const bob = await server.join('bob');
		const alice = await server.join('alice');
		for (const method of ['newUser', 'userLeft', 'join', 'leave', '__proto__', 'constructor']) {
			alice.notify(method, ['bob']);
		}
		await alice.heartbeat();
		assert.deepEqual(
			(await bob.told()).map(({ method }) => method),
			['newUser'],
		);
	});
});

describe('A request that can be answered is answered', () => {
	for (const id of [0, 1, 2 ** 32 - 1]) {
		it(`with its id: ${id}`, async (t) => {
			const client = (await serve(t)).connect();
			client.sendRequest(id, 'join', join);
			assert.equal((await client.response(id)).ok, true);
		});
	}

	for (const method of [undefined, null, '', 7, ['join'], { join: true }]) {
		it(`with 400 when its method is ${method === undefined ? 'missing' : JSON.stringify(method)}`, async (t) => {
			const client = (await serve(t)).connect();
			client.sendRequest(1, method, join);
			assert.deepEqual(await client.response(1), {
				response: true,
				id: 1,
				ok: false,
				errorCode: 400,
				errorReason: 'method must be a string',
			});
		});
	}

	for (const method of ['nothing', 'Join', 'join ', '__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
		it(`with 404 when its method is ${method}`, async (t) => {
			const alice = await (await serve(t)).join('alice');
			await assert.rejects(alice.request(method, {}), { errorCode: 404, errorReason: `no method "${method}"` });
			await alice.push(sendingOffer());
		});
	}

	it('with 404 and a short reason when its method is a novel', async (t) => {
		const client = (await serve(t)).connect();
		client.sendRequest(1, 'm'.repeat(10_000));
		const { errorCode, errorReason = '' } = await client.response(1);
		assert.equal(errorCode, 404);
		assert.ok(errorReason.length < 200);
	});

	it('with 400 when its id is that of a request which has no answer yet; that one gets its answer', async (t) => {
		const allowed = deferred<boolean>();
		const client = (await serve(t, { authorize: () => allowed.promise })).connect();
		client.sendRequest(5, 'join', join);
		client.sendRequest(5, 'heartbeat', join);
		const { errorCode, errorReason } = await client.response(5);
		assert.equal(errorCode, 400);
		assert.match(errorReason ?? '', /id 5/);
		allowed.resolve(true);
		assert.equal((await client.response(5)).ok, true);
		client.sendRequest(5, 'heartbeat', join);
		assert.equal((await client.response(5)).ok, true, 'an id may come again after its answer');
	});

	it('once', async (t) => {
		const client = (await serve(t)).connect();
		await client.join('room', 'alice');
		await client.push(sendingOffer());
		await client.heartbeat();
		assert.equal(client.received.length, 3);
	});
});

describe('A message that is too long', () => {
	const limits = { messageLength: 10_000 };
	const ofLength = (length: number, message: object) => {
		const bare = JSON.stringify({ ...message, padding: '' });
		return JSON.stringify({ ...message, padding: 'x'.repeat(length - bare.length) });
	};
	const push = {
		request: true,
		id: 9,
		method: 'push',
		data: { roomId: 'room', userId: 'alice', sdp: { type: 'offer', sdp: sendingOffer() } },
	};

	it('is accepted up to the limit', async (t) => {
		const alice = await (await serve(t, { limits })).join('alice');
		alice.send(ofLength(limits.messageLength, push));
		assert.equal((await alice.response(9)).ok, true);
	});

	it('is answered with 413 beyond it, and the socket still works', async (t) => {
		const server = await serve(t, { limits });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const before = await held(server.sfu);
		alice.send(ofLength(limits.messageLength + 1, push));
		const { errorCode, errorReason } = await alice.response(9);
		assert.equal(errorCode, 413);
		assert.match(errorReason ?? '', /10001 characters.*10000/);
		assert.deepEqual(await bob.told(), []);
		assert.deepEqual(await held(server.sfu), before);
		await alice.push(sendingOffer());
	});

	it('closes the socket with 1009 beyond sixteen times the limit', async (t) => {
		const server = await serve(t, { limits });
		const alice = await server.join('alice');
		alice.send(ofLength(limits.messageLength * 16, push));
		assert.equal((await alice.response(9)).errorCode, 413);
		alice.send(ofLength(limits.messageLength * 16 + 1, push));
		assert.equal(await alice.closed, 1009);
	});

	it('is dropped when it is a notification', async (t) => {
		const server = await serve(t, { limits });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const data = { roomId: 'room', userId: 'alice', message: 'x'.repeat(limits.messageLength) };
		alice.notify('textMessage', data);
		alice.notify('textMessage', { ...data, message: 'short' });
		await alice.heartbeat();
		assert.deepEqual(
			(await bob.told()).map(({ data }) => (data as { message: string }).message),
			['short'],
		);
	});
});

describe('A socket that keeps sending garbage', () => {
	const limits = { invalidMessages: 5 };

	for (const [name, frame] of [
		['no JSON', '%'],
		['no protoo', '{}'],
		['requests without a method', '{"request":true,"id":1}'],
	] as const) {
		it(`is closed with 1008 (${name})`, async (t) => {
			const server = await serve(t, { limits, reconnectTimeout: 0 });
			const [alice, bob] = [await server.join('alice'), await server.join('bob')];
			for (let count = 0; count <= limits.invalidMessages; count++) alice.send(frame);
			assert.equal(await alice.closed, 1008);
			assert.deepEqual(await bob.next('userLeft'), ['alice']);
		});
	}

	it('stays open as long as a good message comes in between', async (t) => {
		const alice = await (await serve(t, { limits })).join('alice');
		for (let round = 0; round < 10; round++) {
			for (let count = 0; count < limits.invalidMessages; count++) alice.send('%');
			await alice.heartbeat();
		}
	});
});

describe('Names that JavaScript knows', () => {
	const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

	it('are room ids and user ids like any other', async (t) => {
		const server = await serve(t);
		const clients = await Promise.all(names.map((name) => server.join(name, '__proto__')));
		const [first] = clients;
		await first!.push(sendingOffer());
		const { users } = await server.connect().join('__proto__', 'last');
		assert.deepEqual(
			users.map(({ userId, pushers }) => [userId, pushers.length]),
			names.map((name, index) => [name, index === 0 ? 2 : 0]),
		);
		assert.deepEqual([...server.sfu.rooms.keys()], ['__proto__']);
	});

	for (const name of ['__proto__', 'constructor'] as const) {
		it(`pollute nothing as a key: ${name}`, async (t) => {
			const client = (await serve(t)).connect();
			const evil = `{"${name}":{"polluted":true,"request":true,"prototype":{"polluted":true}}`;
			client.send(`${evil},"request":true,"id":1,"method":"join","data":${evil},"roomId":"room","userId":"alice"}}`);
			assert.match((await client.response(1)).errorReason ?? '', /userName/);
			client.send(
				`${evil},"request":true,"id":2,"method":"join","data":${evil},"roomId":"room","userId":"alice","userName":""}}`,
			);
			assert.equal((await client.response(2)).ok, true);
			assert.equal(({} as { polluted?: boolean }).polluted, undefined);
			assert.equal((Object as { polluted?: boolean }).polluted, undefined);
		});
	}

	it('are not taken from a prototype for fields that are missing', async (t) => {
		const client = (await serve(t)).connect();
		client.send(
			'{"request":true,"id":1,"method":"join","data":{"__proto__":{"roomId":"r","userId":"u","userName":"n"}}}',
		);
		const { errorCode, errorReason } = await client.response(1);
		assert.deepEqual({ errorCode, errorReason }, { errorCode: 400, errorReason: 'data.roomId is missing' });
	});
});
