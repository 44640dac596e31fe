import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { sendingOffer } from './offers.js';
import { held, serve } from './setup.js';

describe('More messages than messageBurst', () => {
	const limits = { messageBurst: 10, messagesPerSecond: 1 };
	// After the join: what is left of the burst, and as many more as the socket survives.
	const survivable = limits.messageBurst * 2 - 1;
	const text = { roomId: 'room', userId: 'alice', message: 'hello' };

	it('are answered with 429, until time has passed', async (t) => {
		const alice = await (await serve(t, { limits })).join('alice');
		for (let count = 1; count < limits.messageBurst; count++) await alice.heartbeat();
		await assert.rejects(alice.heartbeat(), { errorCode: 429, errorReason: /too many messages/ });
		await setTimeout(1100);
		await alice.heartbeat();
	});

	it('are dropped when they are notifications', async (t) => {
		const server = await serve(t, { limits });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		for (let count = 0; count < survivable; count++) alice.notify('textMessage', text);
		for (let count = 1; count < limits.messageBurst; count++) await bob.next('textMessage');
		await setTimeout(1100);
		await alice.heartbeat();
		assert.deepEqual(await bob.told(), []);
	});

	it('close the socket with 1008 when as many follow', async (t) => {
		const server = await serve(t, { limits });
		const alice = await server.join('alice');
		for (let count = 0; count < survivable; count++) alice.notify('textMessage', text);
		await setImmediate();
		assert.equal(server.adapter.sockets, 1, 'not yet');
		alice.notify('textMessage', text);
		assert.equal(await alice.closed, 1008);
	});

	it('of one socket are not held against another', async (t) => {
		const server = await serve(t, { limits });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		for (let count = 0; count < survivable; count++) alice.notify('textMessage', text);
		await bob.push(sendingOffer());
	});
});

describe('More offers than offerBurst', () => {
	it('are answered with 429, and nothing comes of them, not even from another socket', async (t) => {
		const server = await serve(t, { limits: { offerBurst: 2, offersPerSecond: 1 } });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await alice.push(sendingOffer());
		await alice.push(sendingOffer());
		await bob.told();
		const before = await held(server.sfu);
		const tooMany = { errorCode: 429, errorReason: /too many offers/ };
		await assert.rejects(alice.push(sendingOffer()), tooMany);
		await assert.rejects(alice.pull(sendingOffer(), 'bob', [{ type: 'audio', pusher_id: 'any' }]), tooMany);
		const again = server.connect();
		await again.comeBack(alice);
		await assert.rejects(again.push(sendingOffer()), tooMany);
		assert.deepEqual(await bob.told(), []);
		assert.deepEqual(await held(server.sfu), before);
		await bob.push(sendingOffer());
	});
});
