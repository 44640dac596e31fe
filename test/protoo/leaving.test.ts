import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { receivingOffer, sendingOffer } from './offers.js';
import { deferred, held, serve, specsOf, until, untilHeldIs } from './setup.js';
import type { Notification } from '../support/protooClient.js';

const methods = (notifications: Notification[]) => notifications.map(({ method }) => method);

// Longer than any of these tests takes.
const never = 60_000;

describe('leave', () => {
	it('tells the others, and frees what the user had', async (t) => {
		const server = await serve(t, { reconnectTimeout: never });
		const bob = await server.join('bob');
		const before = await held(server.sfu);
		const alice = await server.join('alice');
		const { pushers } = await bob.push(sendingOffer());
		await alice.push(sendingOffer());
		await alice.pull(
			receivingOffer(),
			'bob',
			pushers.map(({ kind, pusherId }) => ({ type: kind, pusher_id: pusherId })),
		);
		await bob.told();
		assert.deepEqual(await alice.leave(), { code: 0, message: 'leave success' });
		assert.deepEqual(await bob.told(), [{ notification: true, method: 'userLeft', data: ['alice'] }]);
		(await server.sfu.getOrCreateRoom('room')).users.get('bob')!.connections[0]!.close();
		await untilHeldIs(server.sfu, before);
	});

	it('leaves the socket for another join, of any room and as any user', async (t) => {
		const server = await serve(t);
		const bob = await server.join('bob');
		const alice = await server.join('alice');
		await alice.push(sendingOffer());
		for (const [roomId, userId] of [
			['room', 'alice'],
			['room', 'carol'],
			['another room', 'alice'],
			['room', 'alice'],
		] as const) {
			await alice.leave();
			await alice.join(roomId, userId);
			await alice.push(sendingOffer());
		}
		const { users } = await server.sfu.getOrCreateRoom('room');
		assert.deepEqual([...users.keys()], ['bob', 'alice']);
		assert.deepEqual(
			methods(await bob.told()),
			['alice', 'alice', 'carol', 'alice'].flatMap((_, index) =>
				index === 3 ? ['newUser', 'newPusher'] : ['newUser', 'newPusher', 'userLeft'],
			),
		);
	});

	it('ends what the socket is told', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await alice.told();
		await alice.leave();
		await bob.push(sendingOffer());
		await server.join('carol');
		assert.deepEqual(await alice.told(), []);
	});
});

describe('A client that closes its socket', () => {
	for (const code of [1000, 1001, 1005]) {
		it(`with ${code} leaves at once`, async (t) => {
			const server = await serve(t, { reconnectTimeout: never });
			const [alice, bob] = [await server.join('alice'), await server.join('bob')];
			await alice.push(sendingOffer());
			await bob.told();
			alice.close(code);
			assert.deepEqual(await bob.next('userLeft'), ['alice']);
			assert.deepEqual(await bob.told(), []);
			assert.equal(server.adapter.sockets, 1);
		});
	}
});

describe('A user whose socket is lost', () => {
	for (const code of [1006, 1002, 1009, 1011, 4001]) {
		it(`(${code}) leaves after reconnectTimeout, once`, async (t) => {
			const server = await serve(t, { reconnectTimeout: 200 });
			const [alice, bob] = [await server.join('alice'), await server.join('bob')];
			const before = await held(server.sfu);
			await alice.push(sendingOffer());
			await bob.told();
			const lost = performance.now();
			alice.close(code);
			assert.deepEqual(await bob.told(), [], 'not yet');
			assert.deepEqual(await bob.next('userLeft'), ['alice']);
			assert.ok(performance.now() - lost > 190, 'not before the timeout');
			await untilHeldIs(server.sfu, before);
			await setTimeout(300);
			assert.deepEqual(await bob.told(), [], 'and never again');
		});
	}

	it('comes back by joining on another socket, with its pushers and pullers alive', async (t) => {
		const server = await serve(t, { reconnectTimeout: 300 });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const pushed = await alice.push(sendingOffer());
		await alice.pull(receivingOffer(), 'bob', specsOf(await bob.push(sendingOffer())));
		await bob.told();
		const before = await held(server.sfu);

		alice.lose();
		const again = server.connect();
		const { users, resumed } = await again.comeBack(alice);
		assert.equal(resumed, true);
		assert.deepEqual(
			users.map(({ userId, pushers }) => [userId, pushers.length]),
			[['bob', 2]],
		);
		await setTimeout(400);
		assert.deepEqual(await bob.told(), [], 'the others notice nothing');
		assert.deepEqual(await held(server.sfu), before);
		await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
		await again.push(sendingOffer());
		assert.deepEqual(methods(await bob.told()), ['newPusher']);
	});

	it('begins anew without its token: what it had is closed, and automatic pulls begin with a new connection', async (t) => {
		const server = await serve(t, { reconnectTimeout: never });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await bob.push(sendingOffer());
		const pull = { roomId: 'room', userId: 'alice', autoPull: true };
		const { connectionId } = (await alice.request('pull', pull)) as { connectionId: string };
		await alice.asked();
		await alice.push(sendingOffer());
		await bob.told();
		alice.lose();
		const again = server.connect();
		assert.equal((await again.join('room', 'alice')).resumed, false);
		assert.deepEqual(methods(await bob.told()), ['userLeft', 'newUser']);
		const pulled = (await again.request('pull', pull)) as { connectionId: string };
		assert.notEqual(pulled.connectionId, connectionId);
		const { data } = await again.asked();
		assert.equal(data.connectionId, pulled.connectionId);
		assert.equal(data.pullers.length, 2);
		const user = server.sfu.rooms.get('room')!.users.get('alice')!;
		assert.deepEqual([user.pushers.size, user.connections.length], [0, 1]);
	});

	it('can be lost again, and again', async (t) => {
		const server = await serve(t, { reconnectTimeout: 500 });
		const bob = await server.join('bob');
		const sockets = [await server.join('alice')];
		for (let round = 0; round < 2; round++) {
			const before = sockets.at(-1)!;
			await setTimeout(300);
			before.lose();
			await setTimeout(300);
			const again = server.connect();
			if (round === 0) await again.comeBack(before);
			sockets.push(again);
		}
		assert.deepEqual(methods(await bob.told()), ['newUser']);
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
	});

	it('is told what happens from its answer to join on, not what happened before', async (t) => {
		const server = await serve(t, { reconnectTimeout: never });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		alice.lose();
		await bob.push(sendingOffer());
		const again = server.connect();
		await again.comeBack(alice);
		assert.deepEqual(await again.told(), []);
		await bob.push(sendingOffer());
		assert.deepEqual(methods(await again.told()), ['newPusher']);
	});

	it('is gone when its room is closed meanwhile', async (t) => {
		const server = await serve(t, { reconnectTimeout: 50 });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		alice.lose();
		(await server.sfu.getOrCreateRoom('room')).close();
		await bob.join('room', 'bob');
		await server.join('carol');
		await setTimeout(100);
		assert.deepEqual(methods(await bob.told()), ['newUser', 'roomClosed', 'newUser'].slice(1));
	});
});

describe('A user that joins on another socket while the first is open', () => {
	it('closes the first with 4000, without leaving', async (t) => {
		const server = await serve(t, { rtcpilot: true, reconnectTimeout: 50 });
		const [first, bob] = [await server.join('alice'), await server.join('bob')];
		const pushed = await first.push(sendingOffer());
		await bob.told();
		const second = server.connect();
		assert.equal((await second.comeBack(first)).resumed, true);
		assert.equal(await first.closed, 4000);
		assert.equal(server.adapter.sockets, 2);
		await setTimeout(100);
		assert.deepEqual(await bob.told(), []);
		await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
		await second.push(sendingOffer());
		await bob.push(sendingOffer());
		assert.deepEqual(methods(await second.told()), ['newPusher']);
	});

	for (const existing of [true, false]) {
		it(`at the same time leaves one of both (${existing ? 'an open' : 'a new'} room)`, async (t) => {
			const server = await serve(t, { rtcpilot: true });
			const bob = existing ? await server.join('bob') : undefined;
			const clients = Array.from({ length: 5 }, () => server.connect());
			const joined = clients.map((client) => client.join('room', 'alice'));
			await Promise.allSettled(joined);
			await until(() => server.adapter.sockets === (bob ? 2 : 1), 'all but one are closed');
			const closed = await Promise.all(
				clients.map((client) => Promise.race([client.closed, client.heartbeat().then(() => 'open')])),
			);
			assert.deepEqual(closed.sort(), [4000, 4000, 4000, 4000, 'open']);
			const { users } = await server.sfu.getOrCreateRoom('room');
			assert.equal(users.size, bob ? 2 : 1);
			if (bob) assert.deepEqual(methods(await bob.told()), ['newUser']);
		});
	}

	for (const dying of [0, 1]) {
		for (const existing of [true, false]) {
			it(`joins, though of two sockets the ${dying === 0 ? 'first' : 'second'} closes meanwhile (${existing ? 'an open' : 'a new'} room)`, async (t) => {
				const allowed = deferred<boolean>();
				const server = await serve(t, {
					authorize: (action) => (action.action === 'join' && action.userId === 'alice' ? allowed.promise : true),
				});
				if (existing) await server.join('bob');
				const clients = [server.connect(), server.connect()] as const;
				const joined = clients.map((client) => client.join('room', 'alice'));
				clients[dying]!.close();
				await clients[dying]!.closed;
				allowed.resolve(true);
				const alive = 1 - dying;
				assert.equal((await joined[alive]!).code, 0);
				await clients[alive]!.push(sendingOffer());
				await clients[alive]!.heartbeat();
			});
		}
	}
});

describe('The rtcpilot option', () => {
	const membership = { roomId: 'room', userId: 'alice' };
	const extra = (notifications: Notification[]) =>
		notifications
			.filter(({ method }) => ['userDisconnect', 'userReconnect', 'userLeave'].includes(method))
			.map(({ method, data }) => ({ method, data }));

	async function run(t: Parameters<typeof serve>[0], rtcpilot?: boolean) {
		const server = await serve(t, { ...(rtcpilot !== undefined && { rtcpilot }), reconnectTimeout: 100 });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const told: Notification[][] = [];
		alice.lose();
		told.push(await bob.told());
		const again = await server.join('alice');
		told.push(await bob.told(), await again.told());
		again.lose();
		const left = await bob.next('userLeft');
		told.push(await bob.told());
		await server.join('alice').then((client) => client.leave());
		told.push(await bob.told());
		return { left, told: told.map(extra) };
	}

	it('on tells of userDisconnect, userReconnect and userLeave', async (t) => {
		const { left, told } = await run(t, true);
		assert.deepEqual(left, ['alice'], 'beside userLeft');
		const userLeave = { method: 'userLeave', data: membership };
		const userDisconnect = { method: 'userDisconnect', data: membership };
		assert.deepEqual(told, [
			[userDisconnect],
			[{ method: 'userReconnect', data: { ...membership, userName: 'User_alice' } }],
			[],
			[userDisconnect, userLeave],
			[userLeave],
		]);
	});

	for (const rtcpilot of [false, undefined]) {
		it(`${rtcpilot === false ? 'off' : 'by default'} tells of none`, async (t) => {
			const { told } = await run(t, rtcpilot);
			assert.deepEqual(told.flat(), []);
		});
	}
});

describe('What the app closes', () => {
	it('a room: all in it are told roomClosed with the reason, and may join another', async (t) => {
		const server = await serve(t);
		const before = await held(server.sfu);
		const clients = [await server.join('alice'), await server.join('bob')];
		for (const client of clients) await client.push(sendingOffer());
		await Promise.all(clients.map((client) => client.told()));
		(await server.sfu.getOrCreateRoom('room')).close('maintenance');
		for (const client of clients) {
			assert.deepEqual(await client.told(), [
				{ notification: true, method: 'roomClosed', data: { roomId: 'room', reason: 'maintenance' } },
			]);
			await assert.rejects(client.push(sendingOffer()), { errorCode: 409 });
		}
		await untilHeldIs(server.sfu, before);
		const [alice, bob] = clients;
		await alice!.join('room', 'alice');
		await bob!.join('room', 'bob');
		await alice!.push(sendingOffer());
		assert.deepEqual(methods(await bob!.told()), ['newPusher']);
	});

	it('a user: it is told kicked with the reason, the others userLeft', async (t) => {
		const server = await serve(t, { reconnectTimeout: 50 });
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await alice.push(sendingOffer());
		await Promise.all([alice.told(), bob.told()]);
		(await server.sfu.getOrCreateRoom('room')).users.get('alice')!.close('banned');
		assert.deepEqual(await alice.told(), [
			{ notification: true, method: 'kicked', data: { roomId: 'room', reason: 'banned' } },
		]);
		assert.deepEqual(await bob.told(), [{ notification: true, method: 'userLeft', data: ['alice'] }]);
		await assert.rejects(alice.push(sendingOffer()), { errorCode: 409 });
		await alice.join('room', 'alice');
		assert.deepEqual(methods(await bob.told()), ['newUser']);
	});

	it('the adapter: all sockets are closed with 1001 and all users leave; the Sfu stays open', async (t) => {
		const server = await serve(t, { reconnectTimeout: never });
		const before = await held(server.sfu);
		const clients = [await server.join('alice'), await server.join('bob'), server.connect()];
		const room = await server.sfu.getOrCreateRoom('room');
		await clients[0]!.push(sendingOffer());
		server.adapter.close();
		server.adapter.close();
		for (const client of clients) assert.equal(await client.closed, 1001);
		assert.equal(server.adapter.sockets, 0);
		assert.deepEqual([...room.users.keys()], []);
		assert.equal(server.sfu.closed, false);
		room.close();
		await untilHeldIs(server.sfu, before);
	});

	it('the adapter, while a user’s socket is lost: that user leaves too', async (t) => {
		const server = await serve(t, { reconnectTimeout: never });
		const alice = await server.join('alice');
		alice.lose();
		await alice.closed;
		server.adapter.close();
		assert.deepEqual([...(await server.sfu.getOrCreateRoom('room')).users.keys()], []);
	});

	it('the adapter, which then closes each new socket with 1001', async (t) => {
		const server = await serve(t);
		server.adapter.close();
		const client = server.connect();
		assert.equal(await client.closed, 1001);
		assert.equal(server.adapter.sockets, 0);
	});

	it('the Sfu: all are told roomClosed, and what they ask is refused', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		server.sfu.close();
		assert.deepEqual(await alice.next('roomClosed'), { roomId: 'room', reason: 'sfuClosed' });
		await assert.rejects(alice.join('room', 'alice'), { errorCode: 409, errorReason: /closed/ });
	});
});
