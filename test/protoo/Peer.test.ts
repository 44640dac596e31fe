import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ProtooAdapter, type ProtooOptions, type Socket, type SocketHandlers } from 'sfu-rooms/protoo';
import { startSfu } from '../signaling/setup.js';
import { sendingOffer } from './offers.js';
import { deferred, until } from './setup.js';

type Received = Record<string, unknown> & { id?: number; method?: string; data?: unknown };

/** A socket whose far end is the test. */
class TestSocket implements Socket {
	bufferedAmount = 0;
	readonly received: Received[] = [];
	closedWith: number | undefined;
	#handlers: SocketHandlers | undefined;

	send(text: string): void {
		assert.equal(this.closedWith, undefined, 'nothing is sent on a closed socket');
		this.received.push(JSON.parse(text) as Received);
	}

	close(code: number): void {
		assert.equal(this.closedWith, undefined, 'a socket is closed once');
		this.closedWith = code;
	}

	listen(handlers: SocketHandlers): void {
		this.#handlers = handlers;
	}

	/** Sends to the server. */
	write(message: unknown): void {
		this.#handlers?.message(typeof message === 'string' ? message : JSON.stringify(message));
	}

	writeBinary(): void {
		this.#handlers?.message(undefined);
	}

	lose(code = 1006): void {
		this.closedWith ??= code;
		this.#handlers?.closed(code);
	}

	request(id: number, method: string, data: unknown): void {
		this.write({ request: true, id, method, data });
	}

	/** The responses with that id, after everything that is under way. */
	async responses(id: number): Promise<Received[]> {
		for (let turn = 0; turn < 20; turn++) await setImmediate();
		return this.received.filter((message) => message.response === true && message.id === id);
	}

	/** The requests of the server, after everything that is under way. */
	async asked(): Promise<Received[]> {
		for (let turn = 0; turn < 20; turn++) await setImmediate();
		return this.received.filter(({ request }) => request === true);
	}
}

const alice = { roomId: 'room', userId: 'alice' };
const join = { ...alice, userName: 'Alice' };

async function start(t: TestContext, options: ProtooOptions = {}) {
	const { sfu, logged } = await startSfu(t);
	const adapter = new ProtooAdapter(sfu, options);
	t.after(() => {
		adapter.close();
	});
	const connect = () => {
		const socket = new TestSocket();
		adapter.accept(socket);
		return socket;
	};
	return { sfu, logged, adapter, connect };
}

/** Alice pulls automatically and is asked to answer an offer. */
async function startOffer(t: TestContext, options: ProtooOptions = {}) {
	const { sfu, connect, ...rest } = await start(t, options);
	const room = await sfu.getOrCreateRoom('room');
	const bob = await room.join({ userId: 'bob' });
	await bob.push(sendingOffer());
	const socket = connect();
	socket.request(1, 'join', join);
	socket.request(2, 'pull', { ...alice, autoPull: true });
	const [asked] = await socket.asked();
	assert.equal(asked?.method, 'offer');
	const user = room.users.get('alice')!;
	return { ...rest, connect, socket, user, id: asked.id! };
}

describe('Peer', () => {
	const nothing: Record<string, unknown> = {
		null: null,
		'an array': [{ request: true, id: 1, method: 'join', data: join }],
		'a number': 7,
		'no JSON': '{"request":true',
		'an empty text': '',
		'an empty object': {},
		'a request without an id': { request: true, method: 'join', data: join },
	};
	for (const [name, message] of Object.entries(nothing)) {
		it(`drops ${name}, and closes the socket (1008) when too many come in a row`, async (t) => {
			const { connect } = await start(t, { limits: { invalidMessages: 2 } });
			const socket = connect();
			for (let round = 0; round < 2; round++) {
				socket.write(message);
				socket.write(message);
				socket.request(1, 'heartbeat', alice);
				await socket.responses(1);
			}
			const answered = socket.received.map(({ method, response }) => method ?? response);
			assert.deepEqual(answered, Array.from({ length: 2 }, () => ['messageRefused', 'messageRefused', true]).flat());
			assert.equal(socket.closedWith, undefined);
			for (let count = 0; count < 3; count++) socket.write(message);
			assert.equal(socket.closedWith, 1008);
		});
	}

	it('drops binary frames', async (t) => {
		const { connect } = await start(t, { limits: { invalidMessages: 2 } });
		const socket = connect();
		for (let count = 0; count < 3; count++) socket.writeBinary();
		assert.equal(socket.closedWith, 1008);
		const told = socket.received.map(({ method }) => method);
		assert.deepEqual(
			told,
			Array.from({ length: 3 }, () => 'messageRefused'),
		);
	});

	for (const data of [null, [], 'data', 7]) {
		it(`answers a request whose data is ${JSON.stringify(data)} with 400`, async (t) => {
			const socket = (await start(t)).connect();
			socket.request(1, 'join', data);
			const failure = { response: true, id: 1, ok: false, errorCode: 400, errorReason: 'data must be object' };
			assert.deepEqual(await socket.responses(1), [failure]);
		});
	}

	it('answers a request that is too long with 413, and closes the socket (1009) when it is much too long', async (t) => {
		const socket = (await start(t, { limits: { messageLength: 200 } })).connect();
		socket.request(1, 'join', { ...join, padding: 'x'.repeat(200) });
		const [failure] = await socket.responses(1);
		assert.equal(failure?.errorCode, 413);
		socket.request(1, 'join', join);
		assert.equal((await socket.responses(1)).length, 2, 'its id is free');
		socket.write('x'.repeat(3201));
		assert.equal(socket.closedWith, 1009);
	});

	it('answers a duplicate id with 400, and the first request nevertheless', async (t) => {
		const allowed = deferred<boolean>();
		const socket = (await start(t, { authorize: () => allowed.promise })).connect();
		socket.request(1, 'join', join);
		socket.request(1, 'heartbeat', alice);
		assert.deepEqual(
			(await socket.responses(1)).map(({ errorCode }) => errorCode),
			[400],
		);
		allowed.resolve(true);
		assert.deepEqual(
			(await socket.responses(1)).map(({ ok }) => ok),
			[false, true],
		);
	});

	it('takes one response to a request of the server; a second one is invalid', async (t) => {
		const { socket, user, id } = await startOffer(t, { limits: { invalidMessages: 1 } });
		const failure = { response: true, id, ok: false, errorCode: 500, errorReason: 'cannot take it' };
		socket.write(failure);
		await setImmediate();
		assert.equal(user.pendingOffer, undefined);
		socket.write(failure);
		assert.equal(socket.closedWith, undefined);
		socket.write(failure);
		assert.equal(socket.closedWith, 1008);
	});

	it('takes no response that comes too late', async (t) => {
		const { socket, user, id } = await startOffer(t, { limits: { responseTimeout: 20, invalidMessages: 1 } });
		await until(() => user.connections.length === 0, 'the connection stays open without an answer');
		for (let count = 0; count < 2; count++) socket.write({ response: true, id, ok: false });
		assert.equal(socket.closedWith, 1008);
	});

	it('lets a request of the server fail when its response is too long', async (t) => {
		const { socket, user, id } = await startOffer(t, { limits: { messageLength: 1000 } });
		socket.write({ response: true, id, ok: true, data: { padding: 'x'.repeat(1000) } });
		await setImmediate();
		assert.equal(user.pendingOffer, undefined);
		assert.equal(user.pullers.size, 0, 'the offer counts as refused');
		assert.equal(socket.closedWith, undefined);
	});

	it('closes the socket of a slow reader (1013), whose user may come back', async (t) => {
		const { sfu, connect, adapter } = await start(t, { limits: { bufferedBytes: 1000 } });
		const socket = connect();
		socket.request(1, 'join', join);
		const { resumeToken } = (await socket.responses(1))[0]!.data as { resumeToken: string };
		socket.bufferedAmount = 1001;
		await sfu.rooms.get('room')!.join({ userId: 'bob' });
		assert.deepEqual([socket.closedWith, adapter.sockets], [1013, 0]);
		assert.ok(sfu.rooms.get('room')!.users.has('alice'));
		const again = connect();
		again.request(1, 'join', { ...join, resumeToken });
		assert.equal(((await again.responses(1))[0]?.data as { resumed: boolean }).resumed, true);
	});

	for (const code of [1000, 1006]) {
		it(`sends nothing when the socket is closed (${code}) during a handler`, async (t) => {
			const allowed = deferred<boolean>();
			const { sfu, connect, adapter, logged } = await start(t, { authorize: () => allowed.promise });
			const socket = connect();
			socket.request(1, 'join', join);
			socket.request(2, 'heartbeat', alice);
			await setImmediate();
			socket.lose(code);
			socket.lose(code);
			allowed.resolve(true);
			assert.deepEqual(await socket.responses(1), []);
			socket.request(3, 'join', join);
			assert.deepEqual(await socket.responses(3), []);
			assert.deepEqual([adapter.sockets, sfu.rooms.size], [0, 0]);
			assert.deepEqual(
				logged.filter(({ level }) => level === 'error'),
				[],
			);
		});
	}

	it('answers with 500 when a handler throws, without the reason, and goes on', async (t) => {
		let fails = true;
		const { connect, logged } = await start(t, {
			authorize: () => {
				if (fails) throw new TypeError('secret');
				return true;
			},
		});
		const socket = connect();
		socket.request(1, 'join', join);
		const failure = { response: true, id: 1, ok: false, errorCode: 500, errorReason: 'internal error' };
		assert.deepEqual(await socket.responses(1), [failure]);
		assert.equal(logged.filter(({ level }) => level === 'error').length, 1);
		fails = false;
		socket.request(1, 'join', join);
		assert.equal((await socket.responses(1)).at(-1)?.ok, true);
	});

	it('closes a socket that comes after the end of the adapter (1001)', async (t) => {
		const { adapter, connect } = await start(t);
		adapter.close();
		const socket = connect();
		assert.deepEqual([socket.closedWith, adapter.sockets], [1001, 0]);
		socket.request(1, 'join', join);
		assert.deepEqual(await socket.responses(1), []);
	});
});
