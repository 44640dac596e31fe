import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { SfuError } from 'sfu-rooms';
import { closeCodes } from 'sfu-rooms/protocol';
import type { RequestResult } from 'sfu-rooms/signaling';
import { sendingOffer } from '../protoo/offers.js';
import { deferred } from '../protoo/setup.js';
import { start } from './setup.js';

const alice = { roomId: 'room', userId: 'alice' };
const join = { ...alice, userName: 'Alice' };

function assertFails(result: RequestResult, code: string, message?: RegExp) {
	assert.ok('error' in result);
	assert.equal(result.error.code, code);
	if (message) assert.match(result.error.message, message);
}

describe('A session', () => {
	it('responds to each request exactly once, in their order', async (t) => {
		const { connect } = await start(t);
		const client = connect();
		const results = await Promise.all([
			client.request('join', join),
			client.request('heartbeat', alice),
			client.request('nothing', alice),
			client.request('leave', alice),
			client.request('heartbeat', alice),
		]);
		assert.deepEqual(client.received, results);
		assert.deepEqual(
			results.map((result) => ('data' in result ? (result.data as { message: string }).message : result.error.code)),
			['join success', 'ok', 'not_found', 'leave success', 'conflict'],
		);
	});

	it('lets no notification come between the state that a response has and the response', async (t) => {
		const { connect, join: joins } = await start(t);
		const bob = await joins('bob');
		const client = connect();
		const joined = client.request('join', join);
		const offer = { type: 'offer', sdp: sendingOffer() };
		for (let round = 0; round < 5; round++) {
			await bob.request('push', { roomId: 'room', userId: 'bob', sdp: { ...offer, sdp: sendingOffer() } });
		}
		const result = await joined;
		assert.ok('data' in result);
		const { users } = result.data as { users: { pushers: unknown[] }[] };
		const later = client.received.filter((message) => 'method' in message && message.method === 'newPusher');
		assert.equal(client.received[0], result, 'the response is the first that comes');
		assert.equal(users[0]!.pushers.length + later.length * 2, 10, 'each pusher is told of once');
	});

	it('handles one message after the other', async (t) => {
		const allowed = deferred<boolean>();
		const { connect } = await start(t, { authorize: ({ action }) => action === 'join' || allowed.promise });
		const client = connect();
		await client.request('join', join);
		const offer = { type: 'offer', sdp: sendingOffer() };
		const pushed = client.request('push', { ...alice, sdp: offer });
		const beaten = client.request('heartbeat', alice);
		await setImmediate();
		assert.equal(client.received.length, 1);
		allowed.resolve(true);
		const results = await Promise.all([pushed, beaten]);
		assert.deepEqual(client.received.slice(1), results);
	});

	it('lets others pass a pull that waits for the answer to another offer', async (t) => {
		const { connect, join: joins } = await start(t);
		const bob = await joins('bob');
		const pushed = await bob.request('push', {
			roomId: 'room',
			userId: 'bob',
			sdp: { type: 'offer', sdp: sendingOffer() },
		});
		assert.ok('data' in pushed);
		const { pushers } = pushed.data as { pushers: { kind: string; pusherId: string }[] };
		const client = connect();
		await client.request('join', join);
		const pull = ({ kind, pusherId }: { kind: string; pusherId: string }) =>
			client.request('pull', { ...alice, targetUserId: 'bob', specs: [{ type: kind, pusher_id: pusherId }] });
		assert.ok('data' in (await pull(pushers[0]!)));
		let settled = false;
		const waiting = pull(pushers[1]!).finally(() => (settled = true));
		assert.ok('data' in (await client.request('heartbeat', alice)));
		assert.equal(settled, false);
		client.session.closed(closeCodes.normal);
		assertFails(await waiting, 'closed');
	});

	it('answers 429 when too many requests wait', async (t) => {
		const allowed = deferred<boolean>();
		const { connect } = await start(t, { authorize: () => allowed.promise, limits: { pendingRequests: 2 } });
		const client = connect();
		const requests = [client.request('join', join), client.request('heartbeat', alice)];
		assertFails(await client.request('heartbeat', alice), 'limit_exceeded', /more than 2 requests/);
		allowed.resolve(true);
		for (const result of await Promise.all(requests)) assert.ok('data' in result);
		assert.ok('data' in (await client.request('heartbeat', alice)));
	});

	it('counts what its adapter handles, and ends a client that does not stop', async (t) => {
		const { connect, signaling } = await start(t, { limits: { messageBurst: 3, messagesPerSecond: 1 } });
		const client = connect();
		for (let count = 0; count < 3; count++) assert.equal(client.session.count(), undefined);
		assert.equal(client.session.count()?.code, 'limit_exceeded');
		assertFails(await client.request('join', join), 'limit_exceeded', /too many messages/);
		client.session.notification('textMessage', {});
		assert.equal(client.session.open, true);
		client.session.count();
		assert.deepEqual([client.closedWith, client.session.open, signaling.sessions], [1008, false, 0]);
	});

	it('tells nothing of an unexpected error, and logs it', async (t) => {
		const fault = new Error('secret');
		const { connect, logged } = await start(t, { authorize: () => Promise.reject(fault) });
		const result = await connect().request('join', join);
		assertFails(result, 'internal', /^internal error$/);
		assert.ok('error' in result && result.error.cause === fault);
		const errors = logged.filter(({ level }) => level === 'error');
		assert.equal(errors.length, 1);
		assert.equal((errors[0]!.details as { method: string }).method, 'join');
	});

	it('passes on an SfuError that authorize throws', async (t) => {
		const { connect } = await start(t, {
			authorize: () => {
				throw new SfuError('limit_exceeded', 'not today');
			},
		});
		assertFails(await connect().request('join', join), 'limit_exceeded', /^not today$/);
	});

	it('takes whatever authorize throws or returns', async (t) => {
		const thrower = () => {
			throw null as unknown as Error;
		};
		const answers: (() => unknown)[] = [
			thrower,
			// eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- What apps do.
			() => Promise.reject(undefined),
			() => ({ then: thrower }),
			() => Object.defineProperty({}, 'userName', { enumerable: true, get: thrower }),
			() => new Proxy({}, { ownKeys: thrower }),
		];
		const { connect, logged } = await start(t, { authorize: () => answers[0]!() as boolean });
		const client = connect();
		while (answers.length > 0) {
			assertFails(await client.request('join', join), 'internal', /^internal error$/);
			answers.shift();
		}
		answers.push(() => true);
		assert.ok('data' in (await client.request('join', join)));
		assert.equal(logged.filter(({ level }) => level === 'error').length, 5);
	});

	it('refuses what is nested too deep, as the fault of the client', async (t) => {
		const { connect, logged, sfu } = await start(t);
		sfu.handle('echo', ({ data }) => data);
		const client = connect();
		await client.request('join', join);
		const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
		const codeOf = (result: RequestResult) => ('error' in result ? result.error.code : 'done');
		for (const depth of [1500, 3000, 4500, 8000, 100_000]) {
			const asked = await client.request('appRequest' as string, { ...alice, name: 'echo', data: nested(depth) });
			const updated = await client.request('updateUser', { ...alice, metadata: nested(depth) });
			for (const code of [asked, updated].map(codeOf))
				assert.match(code, /^(?:invalid_argument|too_large)$/, String(depth));
		}
		assert.ok('data' in (await client.request('appRequest' as string, { ...alice, name: 'echo', data: nested(900) })));
		assert.deepEqual(
			logged.filter(({ level }) => level === 'error'),
			[],
		);
	});

	it('does not send a long name of a notification back', async (t) => {
		const { connect } = await start(t);
		const client = connect();
		client.session.notification('x'.repeat(1_000_000), {});
		await client.request('heartbeat', alice);
		const { method, errorReason } = client.told[0]!.data as { method: string; errorReason: string };
		assert.ok(method.length <= 64 && errorReason.length <= 200);
	});

	it('goes on when its adapter fails to respond', async (t) => {
		const { connect, logged } = await start(t);
		const client = connect();
		client.session.request('join', join, () => {
			throw new Error('broken');
		});
		assert.ok('data' in (await client.request('heartbeat', alice)));
		assert.equal(logged.filter(({ level }) => level === 'error').length, 1);
	});

	it('drops notifications that it does not know, or that are invalid', async (t) => {
		const { connect, join: joins, logged } = await start(t);
		const bob = await joins('bob');
		const client = connect();
		await client.request('join', join);
		client.session.notification('newUser', [{ userId: 'eve' }]);
		client.session.notification('textMessage', null);
		client.session.notification('textMessage', { ...alice, userId: 'bob', message: 'hello' });
		await client.request('heartbeat', alice);
		assert.deepEqual(
			bob.received.flatMap((message) => ('method' in message ? message.method : [])),
			['newUser'],
		);
		assert.deepEqual(
			logged.filter(({ level }) => level === 'error'),
			[],
		);
	});

	it('responds to what waits when it is closed, and to what comes later', async (t) => {
		const allowed = deferred<boolean>();
		const { sfu, connect, signaling } = await start(t, { authorize: () => allowed.promise });
		const client = connect();
		const requests = [client.request('join', join), client.request('heartbeat', alice)];
		await setImmediate();
		client.session.close(1000, '');
		client.session.close(1000, '');
		client.session.closed(1006);
		assert.deepEqual([client.closedWith, client.session.open, signaling.sessions], [1000, false, 0]);
		allowed.resolve(true);
		for (const result of await Promise.all(requests)) assertFails(result, 'closed');
		assertFails(await client.request('heartbeat', alice), 'closed');
		assert.equal(sfu.rooms.size, 0);
	});

	for (const [code, leaves] of [
		[closeCodes.normal, true],
		[closeCodes.goingAway, true],
		[closeCodes.noCode, true],
		[closeCodes.lost, false],
		[closeCodes.tooSlow, false],
		[4001, false],
	] as const) {
		it(`${leaves ? 'lets its user leave' : 'keeps its user for a while'} when the socket is closed with ${code}`, async (t) => {
			const { sfu, join: joins } = await start(t);
			const client = await joins('alice');
			const { users } = sfu.rooms.get('room')!;
			client.session.closed(code);
			client.session.closed(code);
			assert.equal(users.has('alice'), !leaves);
		});
	}

	it('gives its user to another session', async (t) => {
		const { sfu, connect, join: joins } = await start(t);
		const first = await joins('alice');
		const second = connect();
		const { resumeToken } = first.joined;
		const result = await second.request('join', { ...join, resumeToken });
		assert.equal('data' in result && (result.data as { resumed: boolean }).resumed, true);
		assert.deepEqual([first.closedWith, first.session.open], [closeCodes.replaced, false]);
		first.session.closed(1000);
		assert.ok(sfu.rooms.get('room')!.users.has('alice'));
	});

	it('is closed at once after the end of signalling', async (t) => {
		const { signaling, join: joins, connect, sfu } = await start(t);
		const client = await joins('alice');
		signaling.close();
		signaling.close();
		assert.deepEqual([client.closedWith, client.session.open], [1001, false]);
		const late = connect();
		assert.deepEqual([late.closedWith, late.session.open, signaling.sessions], [1001, false, 0]);
		assert.equal(sfu.rooms.get('room')!.users.size, 0);
		assert.equal(sfu.closed, false);
	});
});
