import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import express from 'express';
import session from 'express-session';
import { Sfu, SfuError, type Logger } from 'sfu-rooms';
import { ExpressAdapter, type ExpressOptions } from 'sfu-rooms/express';
import { WebSocket, WebSocketServer } from 'ws';
import { deferred } from '../protoo/setup.js';
import { ProtooClient } from '../support/protooClient.js';

declare module 'express-session' {
	interface SessionData {
		account: string;
	}
}

async function startSfu(t: TestContext) {
	const errors: unknown[] = [];
	const ignore = () => undefined;
	const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (...e) => void errors.push(e) };
	const sfu = await Sfu.create({ workers: { count: 1 }, logger });
	t.after(() => {
		sfu.close();
	});
	return { sfu, errors };
}

/** A server that listens, for one test. */
async function listen(t: TestContext, app?: RequestListener) {
	const server = createServer(app);
	await once(server.listen(0, '127.0.0.1'), 'listening');
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	return { server, port, url: `http://127.0.0.1:${port}` };
}

/** An Express app with an adapter on it, and what the app uses before. */
async function serve<Context = IncomingMessage>(
	t: TestContext,
	options: ExpressOptions<Context, express.Request> = {},
	before: express.RequestHandler[] = [],
) {
	const { sfu, errors } = await startSfu(t);
	const rooms = new ExpressAdapter(sfu, options);
	t.after(() => {
		rooms.close();
	});
	const app = express().set('env', 'test');
	for (const handler of before) app.use(handler);
	app.use(rooms.router);
	const listening = await listen(t, app);
	rooms.handleUpgrade(listening.server, app);
	return { sfu, rooms, app, errors, ...listening };
}

/** Opens a WebSocket, and resolves to it, or to the status that it is refused with. */
async function open(t: TestContext, url: string, headers: Record<string, string> = {}) {
	const socket = new WebSocket(url.replace('http', 'ws'), { headers });
	t.after(() => {
		socket.terminate();
	});
	const refused = once(socket, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode);
	const failed = once(socket, 'error').then(([error]) => (error as Error).message);
	return Promise.race([once(socket, 'open').then(() => socket), refused, failed]);
}

async function join(t: TestContext, url: string, userId: string, headers?: Record<string, string>) {
	const socket = new WebSocket(url.replace('http', 'ws'), { headers: headers ?? {} });
	t.after(() => {
		socket.terminate();
	});
	const client = await ProtooClient.overWebSocket(socket);
	await client.join('room', userId);
	return client;
}

describe('ExpressAdapter', () => {
	it('opens WebSockets at /webrtc, through the app', async (t) => {
		const { url, rooms, sfu } = await serve(t);
		await join(t, `${url}/webrtc?room=1`, 'alice');
		assert.equal(rooms.sockets, 1);
		const context = rooms.contextOf(sfu.rooms.get('room')!.users.get('alice')!);
		assert.equal(context?.url, '/webrtc?room=1');
	});

	it('answers what is no WebSocket with 426, and leaves other paths alone', async (t) => {
		const { url, app } = await serve(t);
		app.get('/webrtc/more', (_, response) => void response.send('more'));
		const plain = await fetch(`${url}/webrtc`);
		assert.equal(plain.status, 426);
		assert.equal(plain.headers.get('upgrade'), 'websocket');
		assert.equal(await (await fetch(`${url}/webrtc/more`)).text(), 'more');
	});

	it('knows the session of the cookie', async (t) => {
		const sessions = session({ secret: 'of the test', resave: false, saveUninitialized: false });
		const login: express.RequestHandler = (request, response, next) => {
			if (request.path !== '/login') {
				next();
				return;
			}
			request.session.account = 'alice';
			response.send('welcome');
		};
		const { url } = await serve(
			t,
			{
				context: (request) => {
					if (!request.session.account) throw new SfuError('forbidden', 'Sign in first');
					return request.session.account;
				},
				authorize: { join: ({ userId }, account) => userId === account },
			},
			[sessions, login],
		);
		assert.equal(await open(t, `${url}/webrtc`), 403);
		const response = await fetch(`${url}/login`);
		const [cookie = ''] = response.headers.getSetCookie().map((text) => text.split(';')[0]!);
		assert.equal(await open(t, `${url}/webrtc`, { cookie: `${cookie}x` }), 403);
		await join(t, `${url}/webrtc`, 'alice', { cookie });
		await assert.rejects(join(t, `${url}/webrtc`, 'bob', { cookie }), { errorCode: 403 });
	});

	it('lets a middleware refuse the WebSocket, with a status of its own', async (t) => {
		const { url, rooms } = await serve(t, {}, [
			(request, response, next) => {
				if (request.headers.authorization === 'Bearer right') next();
				else response.status(401).json({ error: 'no token' });
			},
		]);
		assert.equal(await open(t, `${url}/webrtc`), 401);
		assert.equal(rooms.sockets, 0);
		assert.ok((await open(t, `${url}/webrtc`, { authorization: 'Bearer right' })) instanceof WebSocket);
	});

	it('gives an unexpected error of `context` to the error handlers of the app', async (t) => {
		const seen: unknown[] = [];
		const { url, app } = await serve(t, {
			context: () => Promise.reject(new Error('the database is gone')),
		});
		app.use((error: Error, _: express.Request, response: express.Response, __: express.NextFunction) => {
			seen.push(error.message);
			response.sendStatus(500);
		});
		assert.equal(await open(t, `${url}/webrtc`), 500);
		assert.deepEqual(seen, ['the database is gone']);
	});

	it('is reached by the path of a router that it is in', async (t) => {
		const { sfu } = await startSfu(t);
		const rooms = new ExpressAdapter(sfu, { path: '/api/rooms' });
		t.after(() => {
			rooms.close();
		});
		const app = express().use('/api', express.Router().use(rooms.router));
		const { server, url } = await listen(t, app);
		rooms.handleUpgrade(server, app);
		await join(t, `${url}/api/rooms`, 'alice');
	});

	it('answers 404 if the app does not use its router', async (t) => {
		const { sfu } = await startSfu(t);
		const rooms = new ExpressAdapter(sfu);
		const app = express();
		const { server, url } = await listen(t, app);
		rooms.handleUpgrade(server, app);
		assert.equal(await open(t, `${url}/webrtc`), 404);
		rooms.close();
	});
});

describe('The pages that may open a WebSocket of ExpressAdapter', () => {
	it('are those of the host itself', async (t) => {
		const { url, port } = await serve(t);
		for (const origin of ['https://elsewhere.example', `http://127.0.0.1:${port}.elsewhere.example`, 'null', '']) {
			assert.equal(await open(t, `${url}/webrtc`, { origin }), 403, origin);
		}
		assert.ok((await open(t, `${url}/webrtc`, { origin: url })) instanceof WebSocket);
		assert.ok((await open(t, `${url}/webrtc`)) instanceof WebSocket, 'a program that is no browser');
	});

	it('are those of a list alone, or any', async (t) => {
		const listed = await serve(t, { origins: ['https://example.com'] });
		assert.equal(await open(t, `${listed.url}/webrtc`, { origin: listed.url }), 403);
		assert.ok((await open(t, `${listed.url}/webrtc`, { origin: 'https://example.com' })) instanceof WebSocket);
		const any = await serve(t, { origins: 'any' });
		assert.ok((await open(t, `${any.url}/webrtc`, { origin: 'https://elsewhere.example' })) instanceof WebSocket);
	});
});

describe('Beside other listeners for upgrade, ExpressAdapter', () => {
	it('leaves them their paths', async (t) => {
		const { server, url } = await serve(t);
		const chat = new WebSocketServer({ noServer: true });
		server.on('upgrade', (request, socket, head) => {
			if (request.url === '/chat')
				chat.handleUpgrade(request, socket, head, (client) => {
					client.send('hello');
				});
		});
		const socket = new WebSocket(`${url.replace('http', 'ws')}/chat`);
		const [message] = (await once(socket, 'message')) as [Buffer];
		assert.equal(message.toString(), 'hello');
		socket.terminate();
		await join(t, `${url}/webrtc`, 'alice');
	});

	it('shares a server with another one of another path', async (t) => {
		const { server, url, sfu, app, rooms } = await serve(t);
		const others = new ExpressAdapter(sfu, { path: '/other' });
		app.use(others.router);
		others.handleUpgrade(server, app);
		const same = new ExpressAdapter(sfu);
		assert.throws(() => {
			same.handleUpgrade(server, app);
		}, /another adapter has the path/);
		await join(t, `${url}/other`, 'alice');
		await join(t, `${url}/webrtc`, 'bob');
		assert.deepEqual([rooms.sockets, others.sockets], [1, 1]);
		// Nobody takes this one.
		assert.equal(await open(t, `${url}/third`), 404);
		others.close();
		assert.equal(await open(t, `${url}/other`), 404);
		await join(t, `${url}/webrtc`, 'carol');
	});
});

describe('Of hostile clients, ExpressAdapter', () => {
	it('refuses a handshake that is none, and ends its connection', async (t) => {
		const { url, port, errors } = await serve(t);
		for (const more of [
			'',
			'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n',
			'Sec-WebSocket-Version: 1\r\n',
		]) {
			const socket = connectTcp(port, '127.0.0.1');
			socket.write(`GET /webrtc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`);
			const [data] = (await once(socket, 'data')) as [Buffer];
			assert.match(data.toString(), /^HTTP\/1\.1 4\d\d /);
			if (!socket.closed) await once(socket, 'close');
		}
		await join(t, `${url}/webrtc`, 'alice');
		assert.deepEqual(errors, []);
	});

	it('survives an app that throws, at once or later', async (t) => {
		const { sfu, errors } = await startSfu(t);
		const rooms = new ExpressAdapter(sfu);
		const { server, url } = await listen(t);
		rooms.handleUpgrade(server, ({ url: path }) => {
			if (path?.includes('now')) throw new Error('of the app, now');
			return Promise.reject(new Error('of the app, later'));
		});
		for (const when of ['now', 'later']) await assert.rejects(open(t, `${url}/webrtc?${when}`), /hang up/);
		assert.equal(errors.length, 2);
		assert.equal(rooms.sockets, 0);
		rooms.close();
		assert.equal(server.listenerCount('upgrade'), 0);
	});

	it('leaves a request alone that the app has answered meanwhile', async (t) => {
		const answer = deferred<string>();
		const { url, rooms } = await serve(t, { context: () => answer.promise }, [
			(_, response, next) => {
				next();
				response.status(402).end('pay first');
				answer.resolve('late');
			},
		]);
		assert.equal(await open(t, `${url}/webrtc`), 402);
		assert.equal(rooms.sockets, 0);
	});

	it('survives those that go away while they are asked about', async (t) => {
		let asked!: () => void;
		const asking = new Promise<void>((resolve) => (asked = resolve));
		let answer!: (context: string) => void;
		const { url, port, rooms, errors } = await serve<string>(t, {
			context: ({ url: path }) => {
				if (path.includes('now')) return 'now';
				asked();
				return new Promise((resolve) => (answer = resolve));
			},
		});
		const socket = connectTcp(port, '127.0.0.1');
		socket.write(
			'GET /webrtc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
				'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
		);
		await asking;
		socket.resetAndDestroy();
		await join(t, `${url}/webrtc?now`, 'bob');
		answer('too late');
		await join(t, `${url}/webrtc?now`, 'carol');
		assert.equal(rooms.sockets, 2);
		assert.deepEqual(errors, []);
	});

	it('closes a WebSocket with a frame of more than maxPayload', async (t) => {
		const { url } = await serve(t, { maxPayload: 1000 });
		const client = await join(t, `${url}/webrtc`, 'alice');
		client.send('x'.repeat(1001));
		assert.equal(await client.closed, 1009);
	});
});

describe('When it closes, ExpressAdapter', () => {
	it('closes its WebSockets with 1001, and leaves the server and the Sfu open', async (t) => {
		const { url, rooms, sfu, server, app } = await serve(t);
		const client = await join(t, `${url}/webrtc`, 'alice');
		rooms.close();
		rooms.close();
		assert.equal(await client.closed, 1001);
		assert.equal(sfu.closed, false);
		assert.equal((await fetch(`${url}/webrtc`)).status, 426);
		assert.throws(
			() => {
				rooms.handleUpgrade(server, app);
			},
			(error) => error instanceof SfuError && error.code === 'closed',
		);
	});

	it('opens none that was under way', async (t) => {
		let answer!: (context: string) => void;
		const asked = deferred<undefined>();
		const { url, rooms } = await serve<string>(t, {
			context: () => {
				asked.resolve(undefined);
				return new Promise((resolve) => (answer = resolve));
			},
		});
		const opening = open(t, `${url}/webrtc`);
		await asked.promise;
		rooms.close();
		answer('late');
		assert.equal(await opening, 503);
	});

	it('refuses wrong options', async (t) => {
		const { sfu } = await startSfu(t);
		for (const options of [
			{ path: 'webrtc' },
			{ origins: 'all' },
			{ maxPayload: 0 },
			{ pingInterval: -1 },
			{ no: 1 },
		]) {
			assert.throws(
				() => new ExpressAdapter(sfu, options as never),
				(error) => error instanceof SfuError && error.code === 'invalid_argument',
				JSON.stringify(options),
			);
		}
	});
});
