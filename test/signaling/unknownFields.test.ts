import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { start } from './setup.js';

const alice = { roomId: 'room', userId: 'alice' };

describe('Fields of a request that nobody knows', () => {
	it('are named in the success, and have no other effect', async (t) => {
		const { connect, logged } = await start(t);
		const client = connect();
		await client.join('alice', { roomToken: 'secret', user_name: 'Alice' });
		assert.deepEqual((client.joined as { unknownFields?: string[] }).unknownFields, ['roomToken', 'user_name']);
		const entry = logged.find(({ message }) => message === 'a request has unknown fields');
		assert.deepEqual(entry?.details, { method: 'join', fields: ['"roomToken"', '"user_name"'] });
		assert.ok(!JSON.stringify(logged).includes('secret'), 'their values are not logged');
	});

	const requests: [method: string, data: object, unknown: string[] | undefined][] = [
		['textMessage', { message: 'hi' }, undefined],
		['textMessage', { message: 'hi', to: 'bob' }, ['to']],
		['pull', { autoPull: true, specs2: 1 }, ['specs2']],
		['heartbeat', { time: 1, anything: true }, undefined],
		['leave', { why: 'tired', __proto__: null, constructor: 1 }, ['why', 'constructor']],
	];
	for (const [method, data, unknown] of requests) {
		it(`of ${method} with ${JSON.stringify(data)}: ${String(unknown)}`, async (t) => {
			const { join } = await start(t);
			const client = await join('alice');
			const result = await client.request(method, { ...alice, ...data });
			assert.ok('data' in result, JSON.stringify(result));
			assert.deepEqual((result.data as { unknownFields?: string[] }).unknownFields, unknown);
		});
	}

	it('are named with their path, at most ten, and cut when they are long', async (t) => {
		const { join } = await start(t);
		const client = await join('alice');
		const odd = { roomId: 'room', userId: 'alice', message: 'x', ['y'.repeat(5000)]: 1 };
		const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`field${index}`, index]));
		const result = await client.request('textMessage', { ...odd, ...many });
		assert.ok('data' in result);
		const { unknownFields = [] } = result.data as { unknownFields?: string[] };
		assert.deepEqual([unknownFields.length, unknownFields[0]], [10, `${'y'.repeat(64)}…`]);
	});

	it('are not named for the clients of RTCPilot, which send them always', async (t) => {
		const { connect } = await start(t, { rtcpilot: true });
		const client = connect();
		await client.join('alice', { roomToken: 'token' });
		assert.equal('unknownFields' in client.joined, false);
	});
});

describe('A notification that is dropped', () => {
	const refusals: [name: string, method: string, data: unknown, code: number][] = [
		['that nobody knows', 'shout', alice, 404],
		['without its data', 'textMessage', undefined, 400],
		['of another user', 'textMessage', { roomId: 'room', userId: 'bob', message: 'hi' }, 403],
		['that is too long', 'textMessage', { ...alice, message: 'x'.repeat(5000) }, 413],
	];
	for (const [name, method, data, errorCode] of refusals) {
		it(`${name} is told as messageRefused`, async (t) => {
			const { join } = await start(t);
			const [client, bob] = [await join('alice'), await join('bob')];
			client.session.notification(method, data);
			await client.request('heartbeat', alice);
			const told = client.told.find((message) => message.method === 'messageRefused');
			const { errorReason, ...rest } = told?.data as { errorReason: string };
			assert.deepEqual(rest, { errorCode, method });
			assert.ok(errorReason.length > 5 && errorReason.length < 200, errorReason);
			assert.deepEqual(bob.told, []);
		});
	}

	it('because there are too many is told once for all in a row', async (t) => {
		const { join } = await start(t, { limits: { messageBurst: 10, messagesPerSecond: 1 } });
		const client = await join('alice');
		for (let count = 0; count < 15; count++) {
			client.session.notification('textMessage', { ...alice, message: 'hi' });
		}
		const codes = client.told.map(({ data }) => (data as { errorCode?: number }).errorCode);
		assert.deepEqual(codes, [429]);
	});
});
