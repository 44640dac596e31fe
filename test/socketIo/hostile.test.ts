import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { MessageRefusedData } from 'sfu-rooms/socket.io';
import { serve, until, type Client } from './setup.js';

const member = { roomId: 'room', userId: 'alice' };

/** Writes a packet as no client of Socket.IO would. */
const write = ({ socket }: Client, packet: string | Buffer) => {
	(socket.io.engine as unknown as { write(data: string | Buffer): void }).write(packet);
};

/** Asserts that the server still works, for this client and for others. */
async function assertAlive(server: Awaited<ReturnType<typeof serve>>, client?: Client) {
	if (client) assert.ok((await client.ask('heartbeat', member)).ok);
	await server.join(`other ${server.adapter.sockets}`);
	assert.deepEqual(server.errors, []);
}

describe('A client of Socket.IO that sends', () => {
	it('a request without an acknowledgement is told that nobody knows such a notification', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		alice.emit('leave', member);
		const refused = (await alice.next('messageRefused')) as MessageRefusedData;
		assert.deepEqual([refused.errorCode, refused.method], [404, 'leave']);
		await assertAlive(server, alice);
	});

	const wrong: [what: string, args: unknown[], reason: RegExp][] = [
		['no data', [], /^data must be object$/],
		['null', [null], /^data must be object$/],
		['an array', [[1]], /^data must be object$/],
		['two values', [member, member], /^an event has one value/],
		['binary', [Buffer.from('hello')], /without binary data$/],
		['binary within data', [{ ...member, more: [Buffer.from('hello')] }], /without binary data$/],
	];
	for (const [what, args, reason] of wrong) {
		it(`${what} gets a failure, and nothing changes`, async (t) => {
			const server = await serve(t);
			const alice = await server.join('alice');
			const response = await alice.ask('leave', ...args);
			assert.ok(!response.ok);
			assert.equal(response.errorCode, 400);
			assert.match(response.errorReason, reason);
			await assertAlive(server, alice);
		});
	}

	it('events whose names are no strings, or missing, or of Socket.IO and Node, changes nothing', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		alice.emit(5, member);
		write(alice, '2');
		assert.equal(((await alice.next('messageRefused')) as MessageRefusedData).errorCode, 400);
		assert.equal(((await alice.next('messageRefused')) as MessageRefusedData).errorCode, 400);
		for (const name of ['error', 'constructor', '__proto__', 'closing', 'toString']) {
			const response = await alice.ask(name, member);
			assert.ok(!response.ok && response.errorCode === 404, name);
		}
		await assertAlive(server, alice);
	});

	for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']) {
		it(`the reserved event ${name} loses its connection, and its user may come back`, async (t) => {
			const server = await serve(t);
			const alice = await server.join('alice');
			write(alice, `2["${name}",{}]`);
			await until(() => !alice.socket.connected, 'the socket stays open');
			const again = await server.connect();
			assert.equal((await again.join('alice', { resumeToken: alice.joined!.resumeToken })).resumed, true);
			await assertAlive(server);
		});
	}

	it('what is no packet loses its connection', async (t) => {
		const server = await serve(t);
		for (const packet of [
			'9',
			'2{',
			'2[',
			'51-["join",{"_placeholder":true,"num":0}]2',
			Buffer.from('x'),
			'5999-["join"]',
		]) {
			const client = await server.connect();
			write(client, packet);
			if (packet === '51-["join",{"_placeholder":true,"num":0}]2') write(client, '2["join"]');
			await until(() => !client.socket.connected, `${String(packet)}: the socket stays open`);
		}
		await assertAlive(server);
	});

	it('data of a great depth gets an answer', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		const depth = 50_000;
		write(alice, `2["textMessage",${'['.repeat(depth)}${']'.repeat(depth)}]`);
		assert.equal(((await alice.next('messageRefused')) as MessageRefusedData).errorCode, 400);
		await assertAlive(server, alice);
	});

	it('data with names that every object has gets an answer, and changes no object', async (t) => {
		const server = await serve(t);
		const alice = await server.connect();
		write(
			alice,
			'21["join",{"roomId":"room","userId":"alice","userName":"A","__proto__":{"takeOver":true,"polluted":1}}]',
		);
		write(alice, '22["join",{"__proto__":{"roomId":"room","userId":"alice","userName":"A"}}]');
		write(alice, '2["textMessage",{"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":1}]');
		assert.equal(((await alice.next('messageRefused')) as MessageRefusedData).errorCode, 400);
		assert.equal(({} as { polluted?: number }).polluted, undefined);
		const response = await alice.ask('join', { ...member, userName: 'A' });
		assert.ok(!response.ok && response.errorCode === 409, 'the first one has joined');
		await assertAlive(server, alice);
	});

	it('texts of a million characters gets an answer, wherever they are', async (t) => {
		const server = await serve(t, {}, { maxHttpBufferSize: 4_000_000 });
		const long = 'x'.repeat(1_000_000);
		const alice = await server.join('alice');
		for (const data of [
			{ ...member, message: long },
			{ ...member, [long]: 1 },
			long,
			[long],
			{ ...member, roomId: long },
		]) {
			const response = await alice.ask('textMessage', data);
			assert.ok(!response.ok && response.errorCode === 413 && response.errorReason.length < 200);
		}
		alice.emit(long, member);
		const refused = (await alice.next('messageRefused')) as MessageRefusedData;
		assert.ok(refused.errorCode === 413 && refused.method!.length <= 64);
		await assertAlive(server, alice);
	});

	it('connections to namespaces that there are not, or that it has already, harms nobody', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		write(alice, '0/none,');
		write(alice, `0/${'n'.repeat(100_000)},{"auth":{}}`);
		write(alice, '2/none,["join",{}]');
		await until(() => !alice.socket.connected, 'a packet for a namespace without a socket ends the connection');
		const again = await server.connect();
		assert.equal((await again.join('alice', { resumeToken: alice.joined!.resumeToken })).resumed, true);
		write(again, '0');
		await until(() => !again.socket.connected, 'a second connection to the same namespace ends it');
		await assertAlive(server);
	});

	it('nothing any more leaves nothing behind', async (t) => {
		const sockets: { conn: EventEmitter; listenersAny: () => unknown[] }[] = [];
		const server = await serve(t, {}, {}, (socket, adapter) => {
			sockets.push(socket as unknown as (typeof sockets)[number]);
			adapter.accept(socket);
		});
		const client = await server.join('alice');
		const [socket] = sockets;
		assert.ok(socket);
		const before = socket.conn.listenerCount('drain');
		server.adapter.close();
		server.adapter.close();
		assert.equal((await client.closing()).code, 1001);
		assert.equal(socket.conn.listenerCount('drain'), before - 1);
		assert.deepEqual(socket.listenersAny(), []);
		assert.equal(server.adapter.sockets, 0);
		assert.deepEqual(server.errors, []);
	});

	it('acknowledgements of nothing changes nothing', async (t) => {
		const server = await serve(t);
		const alice = await server.join('alice');
		for (const packet of ['30[]', '3999999999999["x"]', '3["x"]', '3']) write(alice, packet);
		await assertAlive(server, alice);
	});

	it('events that may get lost is heard all the same', async (t) => {
		const server = await serve(t);
		const [alice, bob] = [await server.join('alice'), await server.join('bob')];
		(alice.socket.volatile as unknown as { emit(event: string, data: unknown): void }).emit('textMessage', {
			...member,
			message: 'hello',
		});
		assert.equal(((await bob.next('textMessage')) as { message: string }).message, 'hello');
	});

	it('too many invalid messages is disconnected with 1008', async (t) => {
		const server = await serve(t, { limits: { invalidMessages: 3 } });
		const alice = await server.join('alice');
		for (let count = 0; count < 3; count++) await alice.ask('leave', member, member);
		assert.equal(alice.socket.connected, true);
		alice.emit('leave', member, member);
		assert.deepEqual(await alice.closing(), { code: 1008, reason: 'too many invalid messages' });
		await assertAlive(server);
	});

	for (const [what, data] of [
		['valid', member],
		['invalid', [member]],
	] as const) {
		it(`a flood of ${what} messages is disconnected with 1008`, async (t) => {
			const limits = { messageBurst: 10, messagesPerSecond: 1, invalidMessages: 100 };
			const server = await serve(t, { limits });
			const alice = await server.join('alice');
			for (let count = 0; count < 40; count++) alice.emit('nothing', data, ...(what === 'invalid' ? [1] : []));
			assert.deepEqual(await alice.closing(), { code: 1008, reason: 'too many messages' });
			await assertAlive(server);
		});
	}
});

describe('A message of Socket.IO that is too long', () => {
	const limits = { messageLength: 2000, unjoinedLength: 500 };
	const text = (length: number) => ({ ...member, message: 'x'.repeat(length) });

	it('gets 413, sooner before the join', async (t) => {
		const server = await serve(t, { limits });
		const alice = await server.connect();
		const early = await alice.ask('textMessage', text(600));
		assert.ok(!early.ok && early.errorCode === 413);
		await alice.join('alice');
		assert.ok((await alice.ask('textMessage', text(600))).ok);
		const late = await alice.ask('textMessage', text(2100));
		assert.ok(!late.ok && late.errorCode === 413);
		await assertAlive(server, alice);
	});

	it('closes the socket with 1009 if it is more than sixteen times as long', async (t) => {
		const server = await serve(t, { limits });
		const alice = await server.join('alice');
		alice.emit('textMessage', text(33_000));
		assert.equal((await alice.closing()).code, 1009);
		await assertAlive(server);
	});

	it('is not read beyond maxHttpBufferSize', async (t) => {
		const server = await serve(t, {}, { maxHttpBufferSize: 10_000 });
		const alice = await server.join('alice');
		alice.emit('textMessage', text(20_000));
		await until(() => !alice.socket.connected, 'the socket stays open');
		await assertAlive(server);
	});

	it('in sum gets 429', async (t) => {
		const server = await serve(t, { limits: { lengthBurst: 2000, lengthPerSecond: 1 } });
		const alice = await server.join('alice');
		assert.ok((await alice.ask('textMessage', text(1500))).ok);
		const response = await alice.ask('textMessage', text(1500));
		assert.ok(!response.ok && response.errorCode === 429);
	});
});

describe('A client of Socket.IO that does not read', () => {
	for (const transport of ['websocket', 'polling'] as const) {
		it(`loses its socket, and its user may come back, over ${transport}`, async (t) => {
			const server = await serve(t, {
				limits: { bufferedBytes: 100_000, messageBurst: 100_000, messagesPerSecond: 100_000 },
			});
			const [bob, alice] = [await server.join('bob'), await server.join('alice', { transports: [transport] })];
			const room = server.sfu.rooms.get('room')!;
			// The client reads no more from its socket, or does not poll.
			const engine = alice.socket.io.engine as unknown as {
				transport: { ws?: { _socket: { pause(): void; destroy(): void } }; doPoll?: () => void; pollXhr?: unknown };
			};
			engine.transport.ws?._socket.pause();
			engine.transport.doPoll = () => undefined;
			const reasons: string[] = [];
			for (const socket of server.server.sockets.sockets.values()) {
				if (socket.id === alice.socket.id) socket.on('disconnect', (reason) => reasons.push(reason));
			}
			let sent = 0;
			const deadline = performance.now() + 20_000;
			// A slow reader misses texts, but no names.
			while (reasons.length === 0) {
				assert.ok(performance.now() < deadline, `not closed after ${sent} renames`);
				room.users.get('bob')!.rename('b'.repeat(200));
				room.users.get('bob')!.rename('c'.repeat(200));
				sent++;
				if (sent % 500 === 0) await bob.ask('heartbeat', { roomId: 'room', userId: 'bob' });
			}
			engine.transport.ws?._socket.destroy();
			assert.deepEqual(reasons, ['server namespace disconnect']);
			assert.ok(room.users.has('alice'), 'it may come back');
			await assertAlive(server);
		});
	}
});
