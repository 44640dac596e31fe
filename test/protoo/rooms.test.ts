import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PusherData, UserData } from 'sfu-rooms/protoo';
import { receivingOffer, sendingOffer } from './offers.js';
import { serve, specsOf } from './setup.js';
import type { Notification, ProtooClient } from '../support/protooClient.js';

const methods = (notifications: Notification[]) => notifications.map(({ method }) => method);

describe('The others in the room, and nobody else, are told', () => {
	async function start(t: Parameters<typeof serve>[0]) {
		const server = await serve(t);
		const alice = await server.join('alice');
		const bob = await server.join('bob');
		const elsewhere = await server.join('alice', 'another room');
		const outside = server.connect();
		await Promise.all([alice.told(), bob.told()]);
		return { server, alice, bob, others: [elsewhere, outside] };
	}
	async function assertTold(clients: ProtooClient[], expected: string[]) {
		for (const client of clients) assert.deepEqual(methods(await client.told()), expected);
	}

	it('newUser', async (t) => {
		const { server, alice, bob, others } = await start(t);
		const carol = await server.join('carol');
		await assertTold([alice, bob], ['newUser']);
		await assertTold([carol, ...others], []);
	});

	it('newPusher, once for all pushers of an offer', async (t) => {
		const { alice, bob, others } = await start(t);
		await alice.push(sendingOffer());
		await assertTold([bob], ['newPusher']);
		await assertTold([alice, ...others], []);
	});

	it('nothing of a pull', async (t) => {
		const { alice, bob, others } = await start(t);
		const pushed = await alice.push(sendingOffer());
		await bob.told();
		await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
		await assertTold([alice, bob, ...others], []);
	});

	it('pusherClosed, when a pusher alone is closed', async (t) => {
		const { server, alice, bob, others } = await start(t);
		const { pushers } = await alice.push(sendingOffer());
		await bob.told();
		const user = (await server.sfu.getOrCreateRoom('room')).users.get('alice')!;
		user.pushers.get(pushers[0]!.pusherId)!.close();
		assert.deepEqual(await bob.told(), [
			{
				notification: true,
				method: 'pusherClosed',
				data: { roomId: 'room', userId: 'alice', pusherIds: [pushers[0]!.pusherId] },
			},
		]);
		await assertTold([alice, ...others], []);
	});

	it('pusherClosed of each pusher, when a connection is closed', async (t) => {
		const { server, alice, bob, others } = await start(t);
		const { pushers } = await alice.push(sendingOffer());
		await bob.told();
		(await server.sfu.getOrCreateRoom('room')).users.get('alice')!.connections[0]!.close();
		const closed = (await bob.told()).flatMap(({ data }) => (data as { pusherIds: string[] }).pusherIds);
		assert.deepEqual(closed.sort(), pushers.map(({ pusherId }) => pusherId).sort());
		await assertTold([alice, ...others], []);
	});

	it('userLeft alone, when a user with pushers leaves', async (t) => {
		const { alice, bob, others } = await start(t);
		await alice.push(sendingOffer());
		await bob.told();
		await alice.leave();
		await assertTold([bob], ['userLeft']);
		await assertTold([alice, ...others], []);
	});
});

describe('A puller is told', () => {
	async function start(t: Parameters<typeof serve>[0]) {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const pushed = await alice.push(sendingOffer());
		const pulled = await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
		await Promise.all([alice.told(), bob.told()]);
		const { users } = await server.sfu.getOrCreateRoom('room');
		return { server, alice, bob, pushed, pulled, alicesUser: users.get('alice')!, bobsUser: users.get('bob')! };
	}

	it('pullerClosed, when what it pulls is gone', async (t) => {
		const { alice, bob, pulled, alicesUser } = await start(t);
		const { pullerId, pusherId } = pulled.pullers[0]!;
		alicesUser.pushers.get(pusherId)!.close();
		assert.deepEqual(await bob.next('pullerClosed'), {
			pullerId,
			pusherId,
			userId: 'alice',
			connectionId: pulled.connectionId,
			reason: 'pusherClosed',
		});
		assert.deepEqual(methods(await bob.told()), ['pusherClosed']);
		assert.deepEqual(await alice.told(), []);
	});

	it('pullerClosed of each puller, when its connection is closed', async (t) => {
		const { alice, bob, pulled, bobsUser } = await start(t);
		bobsUser.connections[0]!.close();
		const closed = (await bob.told()).map(({ data }) => data as { pullerId: string; reason: string });
		assert.deepEqual(
			closed.map(({ pullerId, reason }) => [pullerId, reason]).sort(),
			pulled.pullers.map(({ pullerId }) => [pullerId, 'connectionClosed']).sort(),
		);
		assert.deepEqual(await alice.told(), []);
	});

	it('mediaLost, when the media worker has died; it can offer again', async (t) => {
		const { server, alice, bob, pushed, pulled } = await start(t);
		const replaced = new Promise((resolve) => server.sfu.once('workerReplaced', resolve));
		const [{ pid } = { pid: 0 }] = await server.sfu.dump();
		process.kill(pid, 'SIGKILL');
		assert.deepEqual(await alice.next('mediaLost'), { connectionIds: [pushed.connectionId] });
		assert.deepEqual(await bob.next('mediaLost'), { connectionIds: [pulled.connectionId] });
		await replaced;
		await bob.pull(receivingOffer(), 'alice', specsOf(await alice.push(sendingOffer())));
	});
});

describe('heartbeat', () => {
	it('is answered with the room and the user', async (t) => {
		const alice = await (await serve(t)).join('alice');
		assert.deepEqual(
			await alice.request('heartbeat', { roomId: 'room', userId: 'alice', userName: 'Alice', time: Date.now() }),
			{ code: 0, message: 'ok', roomId: 'room', userId: 'alice' },
		);
	});
});

describe('textMessage', () => {
	for (const time of [1763887795123, '2026-11-23T08:49:55Z', undefined]) {
		it(`goes to the others, from whom the socket joined as (time: ${String(time)})`, async (t) => {
			const server = await serve(t);
			const [alice, bob] = [await server.join('alice'), await server.join('bob')];
			const elsewhere = await server.join('carol', 'another room');
			await alice.told();
			const text = { roomId: 'room', userId: 'alice', message: '<b>hello</b>', ...(time !== undefined && { time }) };
			alice.notify('textMessage', { ...text, userName: 'Mallory', admin: true });
			await alice.heartbeat();
			assert.deepEqual(await bob.told(), [
				{ notification: true, method: 'textMessage', data: { ...text, userName: 'User_alice' } },
			]);
			for (const client of [alice, elsewhere]) assert.deepEqual(await client.told(), []);
		});
	}

	it('keeps the order of one sender', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const texts = Array.from({ length: 50 }, (_, index) => String(index));
		for (const message of texts) alice.notify('textMessage', { roomId: 'room', userId: 'alice', message });
		await alice.heartbeat();
		assert.deepEqual(
			(await bob.told()).map(({ data }) => (data as { message: string }).message),
			texts,
		);
	});
});

describe('The answer to join and the notifications after it', () => {
	type View = Map<string, Set<string>>;
	const ids = (pushers: PusherData[]) => pushers.map(({ pusherId }) => pusherId);

	/** What a client knows of the room. Whatever it is told twice, or of somebody it does not know, fails. */
	function viewOf(joined: UserData[], notifications: Notification[]) {
		const view: View = new Map();
		const add = ({ userId, pushers }: UserData) => {
			assert.ok(!view.has(userId), `${userId} is told twice`);
			view.set(userId, new Set(ids(pushers)));
		};
		joined.forEach(add);
		for (const notification of notifications) {
			const { method, data } = notification;
			if (method === 'newUser') {
				data.forEach(add);
			} else if (method === 'newPusher') {
				const known = view.get(data.userId);
				assert.ok(known, `${data.userId} pushes before it is there`);
				for (const id of ids(data.pushers)) {
					assert.ok(!known.has(id), `pusher ${id} is told twice`);
					known.add(id);
				}
			} else if (method === 'pusherClosed') {
				for (const id of data.pusherIds) assert.ok(view.get(data.userId)?.delete(id), `pusher ${id} was never told`);
			} else if (method === 'userLeft') {
				for (const id of data) assert.ok(view.delete(id), `${id} was never told`);
			} else {
				assert.fail(`an unexpected ${method}`);
			}
		}
		return view;
	}

	it('together give each client the room, however many join, push and leave at once', async (t) => {
		const server = await serve(t);
		const count = 16;
		const views = new Map<string, () => Promise<View>>();
		await Promise.all(
			Array.from({ length: count }, async (_, index) => {
				const client = server.connect();
				const userId = `user${index}`;
				const { users } = await client.join('room', userId);
				await client.push(sendingOffer());
				if (index % 4 === 1) await client.leave();
				else if (index % 4 === 2) client.close();
				else views.set(userId, async () => viewOf(users, await client.told()));
				if (index % 4 === 3) {
					const user = (await server.sfu.getOrCreateRoom('room')).users.get(userId)!;
					[...user.pushers.values()][0]!.close();
				}
			}),
		);
		const { users } = await server.sfu.getOrCreateRoom('room');
		assert.deepEqual([...users.keys()].sort(), [...views.keys()].sort());
		for (const [userId, see] of views) {
			const others = [...users.values()].filter((user) => user.userId !== userId);
			const expected: View = new Map(others.map((user) => [user.userId, new Set(user.pushers.keys())]));
			assert.deepEqual(await see(), expected, `the view of ${userId}`);
		}
	});

	it('come in this order, even if all is sent in one go', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		const bob = server.connect();
		await Promise.all([
			alice.push(sendingOffer()),
			bob.join('room', 'bob'),
			server.join('carol'),
			alice.push(sendingOffer('VP8')),
		]);
		assert.ok('response' in (bob.received[0] as object), 'the answer is the first that bob gets');
	});
});
