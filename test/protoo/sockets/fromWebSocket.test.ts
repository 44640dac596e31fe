import websocket from '@fastify/websocket';
import express from 'express';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fromWebSocket, type WebSocketLike } from 'sfu-rooms/protoo';
import { WebSocket, WebSocketServer } from 'ws';
import { receivingOffer, sendingOffer } from '../offers.js';
import { held, serve, specsOf, until } from '../setup.js';
import { ProtooClient } from '../../support/protooClient.js';

type ServerWebSocket = WebSocketLike & EventEmitter;
type Accept = (webSocket: ServerWebSocket, request: IncomingMessage) => void;

async function listen(t: TestContext, server: HttpServer) {
	t.after(() => {
		server.close();
		server.closeAllConnections();
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

/** The ways to be hosted; each resolves to the URL to connect to. */
const hosts = {
	'ws beside Express': (t: TestContext, accept: Accept) => {
		const server = createServer(express());
		new WebSocketServer({ server, path: '/ws' }).on('connection', accept);
		return listen(t, server);
	},
	'ws at the upgrade of plain http': (t: TestContext, accept: Accept) => {
		const webSockets = new WebSocketServer({ noServer: true });
		const server = createServer();
		server.on('upgrade', (request, socket, head) => {
			webSockets.handleUpgrade(request, socket, head, accept);
		});
		return listen(t, server);
	},
	'@fastify/websocket': async (t: TestContext, accept: Accept) => {
		const app = fastify();
		await app.register(websocket);
		app.get('/ws', { websocket: true }, (webSocket, { raw }) => {
			accept(webSocket, raw);
		});
		t.after(() => app.close());
		return (await app.listen({ host: '127.0.0.1', port: 0 })).replace('http', 'ws') + '/ws';
	},
};

async function start(
	t: TestContext,
	options: Parameters<typeof serve>[1] = {},
	host: (typeof hosts)[keyof typeof hosts] = hosts['ws at the upgrade of plain http'],
) {
	const server = await serve(t, options);
	const accepted: ServerWebSocket[] = [];
	const url = await host(t, (webSocket, request) => {
		accepted.push(webSocket);
		server.adapter.accept(fromWebSocket(webSocket), request);
	});
	const connect = async (protocols: string[] = ['protoo'], path = '') => {
		const webSocket = new WebSocket(url + path, protocols);
		t.after(() => {
			webSocket.terminate();
		});
		return { webSocket, client: await ProtooClient.overWebSocket(webSocket) };
	};
	const join = async (userId: string) => {
		const connected = await connect();
		await connected.client.join('room', userId);
		return connected;
	};
	return { ...server, accepted, connect, join };
}

for (const [name, host] of Object.entries(hosts)) {
	describe(`Over ${name}`, () => {
		it('two clients join, push and pull, and one leaves', async (t) => {
			const { connect } = await start(t, {}, host);
			const [{ client: alice }, { client: bob }] = [await connect(), await connect()];
			await alice.join('room', 'alice');
			await bob.join('room', 'bob');
			assert.equal((await alice.next('newUser'))[0]?.userId, 'bob');
			const pushed = await alice.push(sendingOffer());
			assert.equal((await bob.next('newPusher')).pushers.length, 2);
			const { pullers } = await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
			assert.equal(pullers.length, 2);
			alice.close();
			assert.deepEqual(await bob.next('userLeft'), ['alice']);
		});

		it('the subprotocol protoo is accepted, and so is none', async (t) => {
			const { connect } = await start(t, {}, host);
			for (const [offered, accepted] of [
				[['protoo'], 'protoo'],
				[[], ''],
			] as const) {
				const { client, webSocket } = await connect([...offered]);
				assert.equal(webSocket.protocol, accepted);
				await client.join('room', `user of "${accepted}"`);
			}
		});

		it('authorize sees the HTTP request', async (t) => {
			const { connect } = await start(
				t,
				{ authorize: (_, request) => (request as IncomingMessage).url?.endsWith('?token=good') ?? false },
				host,
			);
			const [{ client: good }, { client: bad }] = [await connect([], '?token=good'), await connect([], '?token=bad')];
			await good.join('room', 'good');
			await assert.rejects(bad.join('room', 'bad'), { errorCode: 403 });
		});
	});
}

describe('A WebSocket', () => {
	for (const code of [1000, 1001, undefined]) {
		it(`that the client closes (${code ?? 'without a code'}) leaves at once`, async (t) => {
			const { join, adapter } = await start(t, { reconnectTimeout: 60_000 });
			const [{ webSocket }, { client: bob }] = [await join('alice'), await join('bob')];
			webSocket.close(code);
			assert.deepEqual(await bob.next('userLeft'), ['alice']);
			assert.equal(adapter.sockets, 1);
		});
	}

	it('that is cut off leaves after reconnectTimeout', async (t) => {
		const { join } = await start(t, { reconnectTimeout: 100, rtcpilot: true });
		const [{ webSocket }, { client: bob }] = [await join('alice'), await join('bob')];
		webSocket.terminate();
		assert.equal((await bob.next('userDisconnect')).userId, 'alice');
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
	});

	it('that breaks WebSocket’s own rules is closed, and throws nothing', async (t) => {
		const { join, accepted } = await start(t, { reconnectTimeout: 0 });
		const [{ webSocket, client: alice }, { client: bob }] = [await join('alice'), await join('bob')];
		assert.equal(accepted.length, 2);
		// A text frame has to be UTF-8 (RFC 6455, section 8.1).
		webSocket.send(Buffer.from([0xc3, 0x28]), { binary: false });
		assert.equal(await alice.closed, 1007);
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
	});

	it('is told a code when the server closes it', async (t) => {
		const { adapter, join } = await start(t, { rtcpilot: true });
		const { client } = await join('alice');
		const second = await join('alice');
		assert.equal(await client.closed, 4000);
		adapter.close();
		assert.equal(await second.client.closed, 1001);
	});

	it('that was closed before it is accepted is forgotten', async (t) => {
		const { connect, accepted, adapter } = await start(t);
		const { webSocket } = await connect();
		const closed = accepted[0]!;
		webSocket.terminate();
		await once(closed, 'close');
		adapter.accept(fromWebSocket(closed, { pingInterval: 0 }));
		await setImmediate();
		assert.equal(adapter.sockets, 0);
	});

	it('that was closed before it is accepted is not pinged', async (t) => {
		const { connect, accepted, adapter } = await start(t);
		const { webSocket } = await connect();
		const closed = accepted[0]!;
		webSocket.terminate();
		await once(closed, 'close');
		const terminate = t.mock.method(closed, 'terminate');
		t.mock.timers.enable({ apis: ['setInterval'] });
		adapter.accept(fromWebSocket(closed, { pingInterval: 10 }));
		await setImmediate();
		t.mock.timers.tick(100);
		assert.equal(terminate.mock.callCount(), 0);
	});
});

describe('A WebSocket whose other end is silent', () => {
	const pingInterval = 50;

	async function silent(t: TestContext, autoPong: boolean) {
		const { adapter } = await serve(t);
		const closed: Promise<unknown[]>[] = [];
		const url = await hosts['ws at the upgrade of plain http'](t, (webSocket) => {
			closed.push(once(webSocket, 'close'));
			adapter.accept(fromWebSocket(webSocket, { pingInterval }));
		});
		const webSocket = new WebSocket(url, { autoPong });
		t.after(() => {
			webSocket.terminate();
		});
		await once(webSocket, 'open');
		return { adapter, webSocket, closed: closed[0]! };
	}

	it('is lost when it answers no pings', async (t) => {
		const { adapter, closed } = await silent(t, false);
		assert.equal((await closed)[0], 1006);
		assert.equal(adapter.sockets, 0);
	});

	it('stays as long as it answers them', async (t) => {
		const { adapter, webSocket } = await silent(t, true);
		for (let pings = 0; pings < 5; pings++) await once(webSocket, 'ping');
		assert.equal(adapter.sockets, 1);
	});
});

describe('A binary frame', () => {
	it('is dropped like anything that is no protoo message, and the client is told', async (t) => {
		const { join, sfu } = await start(t);
		const [{ client: alice }, { client: bob }] = [await join('alice'), await join('bob')];
		await alice.told();
		const before = await held(sfu);
		alice.send(Buffer.from(JSON.stringify({ request: true, id: 99, method: 'leave' })));
		alice.send(Buffer.alloc(100_000));
		await alice.heartbeat();
		assert.deepEqual(
			(await alice.told()).map(({ method }) => method),
			['messageRefused', 'messageRefused'],
		);
		assert.deepEqual(await bob.told(), []);
		assert.deepEqual(await held(sfu), before);
		await alice.push(sendingOffer());
	});

	it('counts as garbage', async (t) => {
		const { join } = await start(t, { limits: { invalidMessages: 3 } });
		const { client } = await join('alice');
		for (let count = 0; count <= 3; count++) client.send(Buffer.from('{}'));
		assert.equal(await client.closed, 1008);
	});
});

describe('A client that does not read', () => {
	const limits = { bufferedBytes: 20_000, textLength: 9000, messageBurst: 10_000, lengthBurst: 1_000_000_000 };
	// Of these, more than one waits before the reader counts as slow, and would miss texts.
	const message = 'x'.repeat(9000);

	/**
	 * Writes to everybody until one of two sockets has been closed. A slow reader misses texts, so somebody comes and goes
	 * as well.
	 */
	async function flood(server: Awaited<ReturnType<typeof start>>, bob: ProtooClient) {
		const room = server.sfu.rooms.get('room')!;
		await until(async () => {
			for (let count = 0; count < 20; count++) bob.notify('textMessage', { roomId: 'room', userId: 'bob', message });
			for (let count = 0; count < 20; count++) (await room.join({ userId: 'x'.repeat(100) })).close();
			await bob.heartbeat();
			return server.adapter.sockets === 1;
		}, 'the slow reader is still there');
	}

	it('is closed with 1013 when more than bufferedBytes wait for it', async (t) => {
		const server = await start(t, { limits, reconnectTimeout: 0 });
		const [{ webSocket, client: alice }, { client: bob }] = [await server.join('alice'), await server.join('bob')];
		webSocket.pause();
		await flood(server, bob);
		let left: string | undefined;
		do [left] = await bob.next('userLeft');
		while (left !== 'alice');
		webSocket.resume();
		assert.equal(await alice.closed, 1013);
	});

	it('nor answers the close is cut off after five seconds', async (t) => {
		const server = await start(t, { limits });
		const [{ webSocket }, { client: bob }] = [await server.join('alice'), await server.join('bob')];
		webSocket.pause();
		const cutOff = once(server.accepted[0]!, 'close');
		await flood(server, bob);
		const closing = performance.now();
		assert.equal((await cutOff)[0], 1006);
		const took = performance.now() - closing;
		assert.ok(took > 4500 && took < 8000, `after ${took} ms`);
	});

	it('is not closed as long as it keeps up', async (t) => {
		const server = await start(t, { limits });
		const [{ client: alice }, { client: bob }] = [await server.join('alice'), await server.join('bob')];
		for (let count = 0; count < 20; count++) {
			bob.notify('textMessage', { roomId: 'room', userId: 'bob', message });
			assert.equal((await alice.next('textMessage')).message.length, message.length);
		}
	});
});
