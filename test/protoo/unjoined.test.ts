import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serve } from './setup.js';

const join = (userId: string) => ({ roomId: 'room', userId, userName: userId });

describe('A client that has not joined', () => {
	it('is closed with 1008 when it does not join in time', async (t) => {
		const server = await serve(t, { limits: { joinTimeout: 100 } });
		assert.equal(await server.connect().closed, 1008);
	});

	it('is not closed once it has', async (t) => {
		const server = await serve(t, { limits: { joinTimeout: 300 } });
		const late = server.connect();
		const alice = await server.join('alice');
		// The other one was there before.
		assert.equal(await late.closed, 1008);
		assert.ok(await alice.request('heartbeat', { roomId: 'room', userId: 'alice' }));
	});

	it('sends small messages only, which are refused without being parsed', async (t) => {
		const server = await serve(t);
		const client = server.connect();
		client.sendRequest(1, 'join', { ...join('alice'), padding: 'x'.repeat(16_384) });
		assert.equal((await client.response(1)).errorCode, 413);
		client.sendRequest(2, 'join', { ...join('alice'), padding: 'x'.repeat(1000) });
		assert.equal((await client.response(2)).ok, true);
		client.sendRequest(3, 'heartbeat', { roomId: 'room', userId: 'alice', padding: 'x'.repeat(16_384) });
		assert.equal((await client.response(3)).ok, true);
	});
});

describe('A client that sends much', () => {
	it('is answered with 429 beyond its share', async (t) => {
		const server = await serve(t, { limits: { lengthBurst: 5000, lengthPerSecond: 1 } });
		const client = server.connect();
		client.sendRequest(1, 'join', { ...join('alice'), padding: 'x'.repeat(4000) });
		assert.equal((await client.response(1)).ok, true);
		client.sendRequest(2, 'heartbeat', { roomId: 'room', userId: 'alice', padding: 'x'.repeat(4000) });
		assert.equal((await client.response(2)).errorCode, 429);
	});
});

describe('A text', () => {
	it('has a length limit', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const text = (message: string) => ({ roomId: 'room', userId: 'alice', userName: 'alice', message });
		alice.sendRequest(50, 'textMessage', text('x'.repeat(4097)));
		assert.equal((await alice.response(50)).errorCode, 413);
		alice.sendRequest(51, 'textMessage', text('x'.repeat(4096)));
		assert.equal((await alice.response(51)).ok, true);
		assert.equal((await bob.next('textMessage')).message.length, 4096);
	});
});

describe('An id or a name', () => {
	for (const [what, odd] of [
		['a line break', 'a\nb'],
		['a NUL', 'a\0b'],
		['a right-to-left override', 'a\u202eb'],
		['an isolate', 'a\u2066b'],
		['a line separator', 'a\u2028b'],
	] as const) {
		it(`has no ${what.replace(/^an? /, '')}`, async (t) => {
			const client = (await serve(t)).connect();
			for (const [index, key] of ['roomId', 'userId', 'userName'].entries()) {
				client.sendRequest(index, 'join', { ...join('alice'), [key]: odd });
				assert.equal((await client.response(index)).errorCode, 400, key);
			}
			client.sendRequest(9, 'join', { ...join('alice'), userName: 'علي 👩‍👩‍👧 Åsa' });
			assert.equal((await client.response(9)).ok, true);
		});
	}
});
