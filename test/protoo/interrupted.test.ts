import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type AuthorizeAction, ProtooAdapter } from 'sfu-rooms/protoo';
import { receivingOffer, sendingOffer } from './offers.js';
import { deferred, held, serve, type Server, specsOf, until, untilHeldIs } from './setup.js';
import { ProtooClient, type RequestError } from '../support/protooClient.js';

type Begin = (client: ProtooClient) => Promise<unknown>;

const offers = { push: sendingOffer(), pull: receivingOffer() };

/** A room with Bob, who pushes, and Alice, who is about to do something and closes her socket meanwhile. */
async function start(t: Parameters<typeof serve>[0], options: Parameters<typeof serve>[1] = {}) {
	const server = await serve(t, { reconnectTimeout: 30, ...options }, { emptyRoomTimeout: 30 });
	const bob = await server.join('bob');
	const specs = specsOf(await bob.push(sendingOffer()));
	const begin: Record<'join' | 'push' | 'pull', Begin> = {
		join: (client) => client.join('room', 'alice'),
		push: (client) => client.push(offers.push),
		pull: (client) => client.pull(offers.pull, 'bob', specs),
	};
	return { server, bob, begin };
}

async function untilAliceIsGone(server: Server, before: Awaited<ReturnType<typeof held>>) {
	const room = await server.sfu.getOrCreateRoom('room');
	// What is to be gone has to have come: the worker answers in order.
	await held(server.sfu);
	await until(() => server.adapter.sockets === 1 && [...room.users.keys()].join() === 'bob', 'Alice is still there');
	await untilHeldIs(server.sfu, before);
	assert.deepEqual([...server.sfu.rooms.keys()], ['room']);
	assert.deepEqual(server.errors, []);
}

for (const method of ['join', 'push', 'pull'] as const) {
	for (const code of [1000, 1006]) {
		describe(`A socket that is closed (${code}) during ${method} leaves nothing behind`, () => {
			it('while it is being authorised', async (t) => {
				const asked = deferred<unknown>();
				const allowed = deferred<boolean>();
				const authorize = ({ action, userId }: AuthorizeAction) => {
					if (userId !== 'alice' || action !== method) return true;
					asked.resolve(undefined);
					return allowed.promise;
				};
				const { server, bob, begin } = await start(t, { authorize });
				const before = await held(server.sfu);
				const alice = server.connect();
				if (method !== 'join') await alice.join('room', 'alice');
				void begin[method](alice);
				await asked.promise;
				alice.close(code);
				await alice.closed;
				allowed.resolve(true);
				await untilAliceIsGone(server, before);
				await bob.push(sendingOffer());
			});

			it('after any number of turns of the event loop', async (t) => {
				const { server, bob, begin } = await start(t);
				const before = await held(server.sfu);
				let answered = false;
				for (let turns = 0; turns < 60 && !answered; turns++) {
					const alice = server.connect();
					if (method !== 'join') await alice.join('room', 'alice');
					const beginning = alice.received.length;
					void begin[method](alice);
					for (let turn = 0; turn < turns; turn++) await setImmediate();
					// From here on nothing is interrupted any more.
					answered = alice.received.length > beginning;
					alice.close(code);
					await untilAliceIsGone(server, before);
				}
				await bob.push(sendingOffer());
				const view = (await bob.told()).flatMap(({ method, data }) =>
					method === 'newUser' ? 1 : method === 'userLeft' && data[0] === 'alice' ? -1 : [],
				);
				assert.equal(
					view.reduce((sum, change) => sum + change, 0),
					0,
					'whoever came has left',
				);
			});
		});
	}
}

for (const code of [1000, 1006]) {
	describe(`A socket that is closed (${code}) while its join is being authorised`, () => {
		async function interrupted(t: Parameters<typeof serve>[0], roomId: string) {
			const asked = deferred<unknown>();
			const allowed = deferred<boolean>();
			const { server, bob } = await start(t, {
				authorize: ({ userId }) => {
					if (userId !== 'alice') return true;
					asked.resolve(undefined);
					return allowed.promise;
				},
			});
			const opened: string[] = [];
			server.sfu.on('roomOpened', ({ room }) => opened.push(room.roomId));
			const alice = server.connect();
			void alice.join(roomId, 'alice');
			await asked.promise;
			alice.close(code);
			await alice.closed;
			allowed.resolve(true);
			// Rooms are opened one after the other, by one worker.
			await server.join('carol', 'another');
			return { bob, opened };
		}

		it('is nobody that the others are told of', async (t) => {
			const { bob } = await interrupted(t, 'room');
			assert.deepEqual(await bob.told(), []);
		});

		it('opens no room', async (t) => {
			const { opened } = await interrupted(t, 'new');
			assert.deepEqual(opened, ['another']);
		});
	});
}

it('A push is not made for a socket that was lost while it was being authorised', async (t) => {
	const asked = deferred<unknown>();
	const allowed = deferred<boolean>();
	const { server, bob, begin } = await start(t, {
		reconnectTimeout: 60_000,
		authorize: ({ userId, action }) => {
			if (userId !== 'alice' || action !== 'push') return true;
			asked.resolve(undefined);
			return allowed.promise;
		},
	});
	const alice = await server.join('alice');
	void begin.push(alice);
	await asked.promise;
	alice.lose();
	await alice.closed;
	allowed.resolve(true);
	const again = await server.join('alice');
	await again.pull(receivingOffer(), 'bob', specsOf(await bob.push(sendingOffer())));
	const { users } = await server.sfu.getOrCreateRoom('room');
	assert.deepEqual([...users.get('alice')!.pushers.keys()], []);
});

it('An adapter that is closed during a join leaves nothing behind', async (t) => {
	const { server } = await start(t);
	for (let turns = 0; turns < 10; turns++) {
		const adapter = new ProtooAdapter(server.sfu);
		const client = ProtooClient.overPair((socket) => {
			adapter.accept(socket);
		});
		void client.join('new', 'alice');
		for (let turn = 0; turn < turns; turn++) await setImmediate();
		adapter.close();
		assert.equal(await client.closed, 1001);
		await until(() => !server.sfu.rooms.has('new'), 'the room is still open');
	}
});

for (const method of ['join', 'push', 'pull'] as const) {
	it(`A room that is closed during ${method} leaves nothing behind, and fails it`, async (t) => {
		const server = await serve(t, {}, { emptyRoomTimeout: 30 });
		const empty = await held(server.sfu);
		const refusals = new Set<unknown>();
		for (let turns = 0; turns < 30; turns++) {
			const bob = await server.join('bob');
			const specs = specsOf(await bob.push(sendingOffer()));
			const alice = server.connect();
			if (method !== 'join') await alice.join('room', 'alice');
			const begin = {
				join: () => alice.join('room', 'alice'),
				push: () => alice.push(sendingOffer()),
				pull: () => alice.pull(receivingOffer(), 'bob', specs),
			}[method];
			const begun = begin().then(
				() => undefined,
				(error: unknown) => (error as RequestError).errorCode,
			);
			for (let turn = 0; turn < turns; turn++) await setImmediate();
			server.sfu.rooms.get('room')!.close();
			refusals.add(await begun);
			alice.close();
			bob.close();
			await untilHeldIs(server.sfu, empty);
		}
		// A join opens the room again.
		assert.deepEqual(refusals, new Set(method === 'join' ? [undefined] : [409, undefined]));
		assert.deepEqual(server.errors, []);
	});
}
