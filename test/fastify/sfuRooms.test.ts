import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import websocket from '@fastify/websocket';
import { fastify, type FastifyInstance } from 'fastify';
import { Sfu, SfuError } from 'sfu-rooms';
import { sfuRooms } from 'sfu-rooms/fastify';
import { WebSocket } from 'ws';
import { until } from '../media/setup.js';
import { ProtooClient } from '../support/protooClient.js';

const workers = { count: 1 };

/** How many processes this one has started that still run. */
const childProcesses = async () => {
	const { pid } = process;
	return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean).length;
};

function createApp(t: TestContext): FastifyInstance {
	const app = fastify();
	t.after(() => app.close());
	return app;
}

const listen = (app: FastifyInstance) => app.listen({ port: 0, host: '127.0.0.1' });

function connect(t: TestContext, url: string, headers: Record<string, string> = {}) {
	const socket = new WebSocket(url.replace('http', 'ws'), { headers });
	t.after(() => {
		socket.terminate();
	});
	return socket;
}

/** The status that a WebSocket is refused with, or `open`. */
async function attempt(t: TestContext, url: string, headers?: Record<string, string>) {
	const socket = connect(t, url, headers);
	const refused = once(socket, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode);
	const failed = once(socket, 'error').then(([error]) => (error as Error).message);
	return Promise.race([once(socket, 'open').then(() => 'open'), refused, failed]);
}

async function join(t: TestContext, url: string, userId: string, headers?: Record<string, string>) {
	const client = await ProtooClient.overWebSocket(connect(t, url, headers));
	await client.join('room', userId);
	return client;
}

describe('The plugin sfuRooms', () => {
	it('creates an Sfu, decorates the app with it, and closes it with the app', async (t) => {
		const app = createApp(t);
		await app.register(sfuRooms, { sfu: { workers } });
		const url = await listen(app);
		const alice = await join(t, `${url}/webrtc`, 'alice');
		const { sfu, protoo } = app;
		assert.equal(protoo.sockets, 1);
		const context = protoo.contextOf(sfu.rooms.get('room')!.users.get('alice')!) as { url: string };
		assert.equal(context.url, '/webrtc');
		await app.close();
		assert.equal(await alice.closed, 1001);
		assert.equal(sfu.closed, true);
	});

	it('leaves a given Sfu open', async (t) => {
		const sfu = await Sfu.create({ workers });
		t.after(() => {
			sfu.close();
		});
		const app = createApp(t);
		await app.register(sfuRooms, { sfu });
		const alice = await join(t, `${await listen(app)}/webrtc`, 'alice');
		await app.close();
		assert.equal(await alice.closed, 1001);
		assert.equal(sfu.closed, false);
		assert.equal(sfu.rooms.get('room')?.users.size ?? 0, 0);
	});

	it('drains its Sfu first, longer than a hook may take', async (t) => {
		const app = fastify({ pluginTimeout: 5000 });
		t.after(() => app.close());
		await app.register(sfuRooms, { sfu: { workers }, drain: { timeout: 60_000 } });
		const alice = await join(t, `${await listen(app)}/webrtc`, 'alice');
		const closing = app.close();
		assert.deepEqual(await alice.next('migrate'), { roomId: 'room', timeout: 60_000 });
		await new Promise((resolve) => setTimeout(resolve, 6000));
		await alice.request('heartbeat', { roomId: 'room', userId: 'alice' });
		// The last one who leaves may not get its response: nothing holds the server any more.
		alice.sendRequest(99, 'leave', { roomId: 'room', userId: 'alice' });
		assert.equal(await alice.closed, 1001);
		await closing;
		assert.equal(app.sfu.closed, true);
	});

	it('runs the hooks of the app before the WebSocket opens', async (t) => {
		const app = createApp(t);
		app.addHook('preValidation', async (request, reply) => {
			if (request.headers.authorization === undefined) await reply.code(401).send({ message: 'no token' });
		});
		await app.register(sfuRooms, {
			sfu: { workers },
			context: ({ headers }) => {
				if (headers.authorization === 'none') throw new SfuError('forbidden', 'wrong token');
				if (headers.authorization === 'broken') throw new Error('the database is gone');
				return headers.authorization;
			},
			authorize: { join: ({ userId }, account: string) => userId === account },
		});
		const url = `${await listen(app)}/webrtc`;
		assert.equal(await attempt(t, url), 401);
		assert.equal(await attempt(t, url, { authorization: 'none' }), 403);
		assert.equal(await attempt(t, url, { authorization: 'broken' }), 500);
		assert.equal(app.protoo.sockets, 0);
		await join(t, url, 'alice', { authorization: 'alice' });
		await assert.rejects(join(t, url, 'bob', { authorization: 'alice' }), { errorCode: 403 });
	});

	it('lets the pages of its own host open the WebSocket, or those of a list', async (t) => {
		const app = createApp(t);
		await app.register(sfuRooms, { sfu: { workers } });
		await app.register(sfuRooms, { prefix: '/listed', origins: ['https://example.com'] });
		const url = await listen(app);
		assert.equal(await attempt(t, `${url}/webrtc`, { origin: 'https://elsewhere.example' }), 403);
		assert.equal(await attempt(t, `${url}/webrtc`, { origin: url }), 'open');
		assert.equal(await attempt(t, `${url}/listed/webrtc`, { origin: url }), 403);
		assert.equal(await attempt(t, `${url}/listed/webrtc`, { origin: 'https://example.com' }), 'open');
	});

	it('works twice with different prefixes, on one Sfu', async (t) => {
		const app = createApp(t);
		await app.register(sfuRooms, { sfu: { workers }, prefix: '/teachers' });
		await app.register(sfuRooms, { prefix: '/students', authorize: { join: true } });
		const url = await listen(app);
		const teacher = await join(t, `${url}/teachers/webrtc`, 'teacher');
		const student = await join(t, `${url}/students/webrtc`, 'student');
		assert.deepEqual(await teacher.next('newUser'), [{ userId: 'student', userName: 'User_student', pushers: [] }]);
		assert.equal(app.protoo.sockets, 1, 'of the first');
		await app.close();
		assert.deepEqual(await Promise.all([teacher.closed, student.closed]), [1001, 1001]);
	});

	it('works in scopes, each with its own Sfu and hooks, beside other WebSockets', async (t) => {
		const app = createApp(t);
		await app.register(websocket, { options: { maxPayload: 100_000 } });
		app.get('/chat', { websocket: true }, (socket) => {
			socket.send('hello');
		});
		const sfus: Sfu[] = [];
		for (const prefix of ['/a', '/b']) {
			await app.register(
				async (scope) => {
					if (prefix === '/b')
						scope.addHook('onRequest', async (_, reply) => {
							await reply.code(401).send();
						});
					await scope.register(sfuRooms, { sfu: { workers } });
					sfus.push(scope.sfu);
				},
				{ prefix },
			);
		}
		const url = await listen(app);
		assert.notEqual(sfus[0], sfus[1]);
		assert.equal(app.hasDecorator('sfu'), false);
		await join(t, `${url}/a/webrtc`, 'alice');
		assert.equal(sfus[0]!.rooms.get('room')!.users.size, 1);
		assert.equal(await attempt(t, `${url}/b/webrtc`), 401);
		const [message] = (await once(connect(t, `${url}/chat`), 'message')) as [Buffer];
		assert.equal(message.toString(), 'hello');
		await app.close();
		assert.deepEqual(
			sfus.map(({ closed }) => closed),
			[true, true],
		);
	});

	it('says what is missing where scopes would hide @fastify/websocket from each other', async (t) => {
		const app = createApp(t);
		await app.register(async (scope) => {
			await scope.register(sfuRooms, { sfu: { workers } });
		});
		await assert.rejects(async () => {
			await app.register(async (scope) => {
				await scope.register(sfuRooms, { sfu: { workers } });
			});
		}, /register @fastify\/websocket on the root instance/);
	});

	it('refuses wrong options', async (t) => {
		const sfu = await Sfu.create({ workers });
		t.after(() => {
			sfu.close();
		});
		for (const options of [{ path: 'x' }, { origins: 'all' }, { maxPayload: 0 }, { drain: {} }, { no: 1 }]) {
			const app = fastify();
			await assert.rejects(
				async () => {
					await app.register(sfuRooms, { sfu, ...options } as never);
				},
				(error) => error instanceof SfuError && error.code === 'invalid_argument',
				JSON.stringify(options),
			);
		}
	});

	it('leaves no Sfu if the app closes while it starts', async () => {
		const workersBefore = await childProcesses();
		const app = fastify();
		const registering = app.register(sfuRooms, { sfu: { workers } }).then(
			() => 'registered',
			(error: unknown) => (error as { code?: string }).code,
		);
		await new Promise((resolve) => setImmediate(resolve));
		await app.close();
		await registering;
		await until(async () => (await childProcesses()) <= workersBefore, 'the worker ends');
	});

	it('refuses a handshake that is none, and survives clients that go away meanwhile', async (t) => {
		const app = createApp(t);
		let asked!: () => void;
		const asking = new Promise<void>((resolve) => (asked = resolve));
		let answer!: (context: string) => void;
		await app.register(sfuRooms, {
			sfu: { workers },
			context: ({ url: path }) => {
				if (!path.includes('wait')) return 'now';
				asked();
				return new Promise((resolve) => (answer = resolve));
			},
		});
		const url = await listen(app);
		const { port } = new URL(url);
		const upgrade = (path: string, more: string) => {
			const socket = connectTcp(Number(port), '127.0.0.1');
			socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`);
			return socket;
		};
		for (const more of [
			'',
			'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n',
			'Sec-WebSocket-Version: 1\r\n',
		]) {
			const socket = upgrade('/webrtc', more);
			const [data] = (await once(socket, 'data')) as [Buffer];
			assert.match(data.toString(), /^HTTP\/1\.1 4\d\d /);
			if (!socket.closed) await once(socket, 'close');
		}
		const gone = upgrade(
			'/webrtc?wait',
			'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
		);
		await asking;
		gone.resetAndDestroy();
		await join(t, `${url}/webrtc`, 'alice');
		answer('too late');
		await join(t, `${url}/webrtc`, 'bob');
		assert.equal(app.protoo.sockets, 2);
	});

	it('answers what is no WebSocket with 404', async (t) => {
		const app = createApp(t);
		await app.register(sfuRooms, { sfu: { workers } });
		assert.equal((await app.inject('/webrtc')).statusCode, 404);
	});
});
