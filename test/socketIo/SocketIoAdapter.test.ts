import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SfuError } from 'sfu-rooms';
import type { OfferData, PushSuccess, SocketIoResponse } from 'sfu-rooms/socket.io';
import { sendingOffer } from '../protoo/offers.js';
import { AnsweringPeer } from '../support/answers.js';
import { serve, until } from './setup.js';

const member = (userId: string) => ({ roomId: 'room', userId });

describe('Over Socket.IO, a client', () => {
	it('gets the response to a request as its acknowledgement', async (t) => {
		const server = await serve(t);
		const alice = await server.connect();
		assert.deepEqual(await alice.ask('leave', member('alice')), {
			ok: false,
			errorCode: 409,
			errorReason: 'this socket has not joined',
		});
		assert.deepEqual((await alice.join('alice')).users, []);
		assert.deepEqual(await alice.ask('leave', member('alice')), {
			ok: true,
			data: { code: 0, message: 'leave success' },
		});
		assert.deepEqual(server.errors, []);
	});

	it('gets notifications as events, in order with the responses', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		const bob = await server.join('bob');
		assert.deepEqual(await alice.next('newUser'), [{ userId: 'bob', userName: 'bob', pushers: [] }]);
		bob.emit('textMessage', { ...member('bob'), message: 'hello' });
		assert.equal(((await alice.next('textMessage')) as { message: string }).message, 'hello');
		const order: string[] = [];
		alice.socket.onAny((event: string) => order.push(event));
		// Two others join while the request is under way.
		await Promise.all([server.join('carol'), server.join('dave')]);
		await alice.ask('heartbeat', member('alice'));
		assert.deepEqual(order, ['newUser', 'newUser']);
	});

	it('pushes, pulls by offers of the server, and acknowledges them', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		const down = new AnsweringPeer();
		const offers: OfferData[] = [];
		bob.socket.on('offer', (offer, respond) => {
			offers.push(offer);
			respond({ ok: true, data: { sdp: { type: 'answer', sdp: down.answer(offer.sdp.sdp) } } });
		});
		const pushed = await alice.ask('push', { ...member('alice'), sdp: { type: 'offer', sdp: sendingOffer() } });
		assert.ok(pushed.ok);
		const ids = (pushed.data as PushSuccess).pushers.map(({ pusherId }) => pusherId).sort();
		assert.ok((await bob.ask('pull', { ...member('bob'), autoPull: true })).ok);
		await until(() => offers.length === 1, 'no offer came');
		assert.deepEqual(offers[0]!.pullers.map(({ pusherId }) => pusherId).sort(), ids);
		await alice.ask('unpush', { ...member('alice'), pusherIds: ids });
		// There is one offer at a time: the next one comes when the first answer is taken.
		await until(() => offers.length === 2, 'the answer is not taken');
		assert.deepEqual(offers[1]!.pullers, []);
	});

	it('that fails an offer loses what it adds', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		bob.socket.on('offer', (_, respond) => {
			respond({ ok: false, errorCode: 500, errorReason: 'because' });
		});
		await bob.ask('pull', { ...member('bob'), autoPull: true });
		await alice.ask('push', { ...member('alice'), sdp: { type: 'offer', sdp: sendingOffer() } });
		assert.equal(((await bob.next('pullerClosed')) as { reason: string }).reason, 'rejected');
	});

	for (const [what, response] of [
		['nothing', []],
		['what is no response', [{ sdp: 'v=0' }]],
		['binary', [Buffer.from('v=0')]],
	] as const) {
		it(`that acknowledges an offer with ${what} is told so at once`, async (t) => {
			const server = await serve(t);
			const [alice, bob] = [await server.join('alice'), await server.join('bob')];
			bob.socket.on('offer', (_, respond) => {
				(respond as (...values: readonly unknown[]) => void)(...response);
			});
			await bob.ask('pull', { ...member('bob'), autoPull: true });
			await alice.ask('push', { ...member('alice'), sdp: { type: 'offer', sdp: sendingOffer() } });
			const refused = (await bob.next('messageRefused')) as { errorCode: number; method: string };
			assert.deepEqual([refused.errorCode, refused.method], [400, 'offer']);
			assert.equal(((await bob.next('pullerClosed')) as { reason: string }).reason, 'rejected');
			assert.deepEqual(server.errors, []);
		});
	}

	it('works over HTTP long-polling, too', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice', { transports: ['polling'] });
		await server.join('bob');
		await alice.next('newUser');
	});

	it('is known to authorize by the auth of its handshake', async (t) => {
		const server = await serve(t, {
			authorize: { join: ({ userId }, { auth, headers }) => auth.token === userId && headers.cookie === 'a=b' },
		});
		const refused = await server.connect({ auth: { token: 'alice' } });
		const response = await refused.ask('join', { ...member('alice'), userName: 'alice' });
		assert.ok(!response.ok && response.errorCode === 403);
		const alice = await server.join('alice', { auth: { token: 'alice' }, extraHeaders: { cookie: 'a=b' } });
		const user = server.sfu.rooms.get('room')!.users.get('alice')!;
		assert.equal(server.adapter.contextOf(user)?.auth.token, 'alice');
		assert.ok(alice.socket.connected);
	});

	it('shares its socket with the events of the app', async (t) => {
		const asked: unknown[] = [];
		const server = await serve(t, {}, {}, (socket, adapter) => {
			adapter.accept(socket);
			(socket as unknown as { on(event: string, listener: (...values: unknown[]) => void): void }).on(
				'weather',
				(place, answer) => {
					asked.push(place);
					(answer as (value: string) => void)('sunny');
				},
			);
		});
		const alice = await server.join('alice');
		assert.equal(await alice.ask('weather', 'Bern'), 'sunny');
		assert.deepEqual(asked, ['Bern']);
		const unknown = await alice.ask('forecast', { place: 'Bern' });
		assert.deepEqual(unknown, { ok: false, errorCode: 404, errorReason: 'no method "forecast"' });
	});
});

describe('The user of a socket of Socket.IO', () => {
	it('leaves when its client disconnects', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		alice.socket.disconnect();
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
	});

	it('stays when the transport is lost, and goes on when it comes back with its token', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		await alice.ask('push', { ...member('alice'), sdp: { type: 'offer', sdp: sendingOffer() } });
		alice.socket.io.engine.close();
		await until(() => server.adapter.sockets === 1, 'the loss is not noticed');
		const again = await server.connect();
		const joined = await again.join('alice', { resumeToken: alice.joined!.resumeToken });
		assert.equal(joined.resumed, true);
		assert.equal(joined.connections?.[0]?.pushers.length, 2);
		assert.deepEqual(bob.told('userLeft'), []);
	});

	it('leaves when the app disconnects the socket, or closes the server of Socket.IO', async (t) => {
		const server = await serve(t);
		await server.join('alice');
		const bob = await server.join('bob');
		const room = server.sfu.rooms.get('room')!;
		for (const socket of await server.server.fetchSockets()) if (socket.id !== bob.socket.id) socket.disconnect();
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
		await server.server.close();
		await until(() => room.users.size === 0, 'Bob stays');
	});

	it('comes back after a recovered connection by joining with its token, as after any other one', async (t) => {
		const server = await serve(t, {}, { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } });
		const alice = await server.join('alice', { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 });
		const bob = await server.join('bob');
		await alice.next('newUser');
		const { id } = alice.socket;
		alice.socket.io.engine.close();
		await until(() => alice.ends.length > 0, 'not cut');
		await until(() => alice.socket.connected, 'not connected again');
		assert.equal(alice.socket.recovered, true);
		assert.equal(alice.socket.id, id);
		const response = await alice.ask('heartbeat', member('alice'));
		assert.ok(!response.ok && response.errorCode === 409, 'a recovered socket has not joined');
		assert.equal((await alice.join('alice', { resumeToken: alice.joined!.resumeToken })).resumed, true);
		await server.join('carol');
		assert.deepEqual(await alice.next('newUser'), [{ userId: 'carol', userName: 'carol', pushers: [] }]);
		assert.deepEqual(bob.told('userLeft'), []);
	});
});

describe('SocketIoAdapter', () => {
	it('says why it closes, since Socket.IO has no codes: 1001', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		const room = server.sfu.rooms.get('room')!;
		server.adapter.close();
		assert.equal((await alice.closing()).code, 1001);
		// The client of Socket.IO does not connect again by itself after this one.
		assert.deepEqual(alice.ends, ['io server disconnect']);
		assert.equal(room.users.size, 0);
		assert.equal(server.adapter.sockets, 0);
		const late = await server.connect();
		assert.equal((await late.closing()).code, 1001);
		server.adapter.close();
	});

	it('says so when another client has taken the place of the user: 4000', async (t) => {
		const server = await serve(t, { authorize: { join: () => ({ takeOver: true }) } });
		const alice = await server.join('alice');
		await server.join('alice');
		assert.deepEqual(await alice.next('replaced'), member('alice'));
		assert.equal((await alice.closing()).code, 4000);
	});

	it('leaves the connection to the other namespaces', async (t) => {
		const server = await serve(t, { authorize: { join: () => ({ takeOver: true }) } });
		const alice = await server.connect({ forceNew: true });
		const other = alice.socket.io.socket('/other');
		server.server.of('/other').on('connection', () => undefined);
		if (!other.connected)
			await new Promise((resolve) =>
				other.connect().once('connect', () => {
					resolve(undefined);
				}),
			);
		await alice.join('alice');
		await server.join('alice');
		await alice.closing();
		assert.equal(other.connected, true);
		other.disconnect();
	});

	it('refuses wrong options', async (t) => {
		const { sfu } = await serve(t);
		const { SocketIoAdapter } = await import('sfu-rooms/socket.io');
		assert.throws(
			() => new SocketIoAdapter(sfu, { reconnectTimeout: -1 }),
			(error) => error instanceof SfuError && error.code === 'invalid_argument',
		);
	});

	it('drops a socket that does not join in time', async (t) => {
		const server = await serve(t, { limits: { joinTimeout: 50 } });
		const silent = await server.connect();
		assert.deepEqual(await silent.closing(), { code: 1008, reason: 'did not join in time' });
	});
});

/** So that the types are those that a page uses. */
export const typed = (response: SocketIoResponse<PushSuccess>) =>
	response.ok ? response.data.sdp : response.errorCode;
