import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { JoinSuccess } from '../../src/protocol/index.js';
import { RoomError } from '../../src/client/RoomError.js';
import { Signaling, type SignalingOptions } from '../../src/client/Signaling.js';
import type { SocketLike } from '../../src/client/SocketLike.js';

type Sent = {
	id: number;
	request?: true;
	response?: true;
	method?: string;
	ok?: boolean;
	data?: object;
	errorCode?: number;
};

/** The other end of a socket. */
class TestSocket implements SocketLike {
	onopen: SocketLike['onopen'] = null;
	onmessage: SocketLike['onmessage'] = null;
	onclose: SocketLike['onclose'] = null;
	readonly sent: Sent[] = [];
	closedWith: number | undefined;

	send(text: string): void {
		this.sent.push(JSON.parse(text) as Sent);
	}
	close(code: number): void {
		this.closedWith = code;
	}
	open(): void {
		this.onopen?.(undefined);
	}
	receive(message: unknown): void {
		this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
	}
	lose(code = 1006): void {
		this.onclose?.({ code, reason: 'lost' });
	}
	request(method: string): Sent | undefined {
		return this.sent.findLast((one) => one.method === method);
	}
	answerJoin(data: Partial<JoinSuccess> = {}): void {
		this.receive({
			response: true,
			id: this.request('join')?.id,
			ok: true,
			data: { users: [], resumed: false, resumeToken: 'next', ...data },
		});
	}
	refuseJoin(errorCode: number): void {
		this.receive({ response: true, id: this.request('join')?.id, ok: false, errorCode, errorReason: 'no' });
	}
}

const settle = async () => {
	await setImmediate();
};

function setup(t: TestContext, options: Partial<SignalingOptions> = {}) {
	t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
	const sockets: TestSocket[] = [];
	const told: string[] = [];
	const signaling = new Signaling(
		{
			url: 'wss://example.com',
			webSocket: () => {
				const socket = new TestSocket();
				sockets.push(socket);
				return socket;
			},
			retry: () => 100,
			...options,
		},
		{
			member: { roomId: 'studio', userId: 'alice' },
			joinData: () => ({ userName: 'Alice', resumeToken: null }),
			joined: ({ resumed }, moved) => told.push(`joined ${resumed} ${moved}`),
			notified: (method) => told.push(method),
			asked: ({ method }) =>
				method === 'offer' ? Promise.resolve({ sdp: 'answer' }) : Promise.reject(new RoomError(method, 404, 'unknown')),
			lost: () => told.push('lost'),
			end: (reason) => told.push(reason),
		},
	);
	t.after(() => {
		signaling.close();
	});
	const joined = async (index: number, data?: Partial<JoinSuccess>) => {
		await settle();
		sockets[index]!.open();
		await settle();
		sockets[index]!.answerJoin(data);
		await settle();
		return sockets[index]!;
	};
	return { signaling, sockets, told, joined };
}

describe('Signaling', () => {
	it('matches responses to requests, and ignores what is none', async (t) => {
		const { signaling, joined } = setup(t);
		const connecting = signaling.connect();
		const socket = await joined(0);
		await connecting;
		const first = signaling.request('pin', { targetUserId: 'bob' });
		const second = signaling.request('unpin', { targetUserId: 'bob' });
		const [pin, unpin] = [socket.request('pin')!, socket.request('unpin')!];
		assert.notEqual(pin.id, unpin.id);
		assert.deepEqual(pin.data, { roomId: 'studio', userId: 'alice', targetUserId: 'bob' });
		socket.receive('no JSON');
		socket.receive({ response: true, id: 4711, ok: true, data: {} });
		socket.receive({ response: true, id: unpin.id, ok: false, errorCode: 404, errorReason: 'no such user' });
		await assert.rejects(second, { code: 'not_found', method: 'unpin' });
		socket.receive({ response: true, id: pin.id, ok: true, data: { code: 0 } });
		assert.deepEqual(await first, { code: 0 });
	});

	it('answers the requests of the server, with a failure for what it does not know', async (t) => {
		const { signaling, joined } = setup(t);
		void signaling.connect();
		const socket = await joined(0);
		socket.receive({ request: true, id: 7, method: 'offer', data: {} });
		socket.receive({ request: true, id: 8, method: 'appRequest', data: {} });
		await settle();
		const responses = socket.sent.filter(({ response }) => response);
		assert.deepEqual(
			responses.map(({ id, ok, errorCode }) => [id, ok, errorCode]),
			[
				[7, true, undefined],
				[8, false, 404],
			],
		);
	});

	it('rejects what waits when the socket is lost, joins on another one, and does not fight for its place', async (t) => {
		const { signaling, sockets, told, joined } = setup(t);
		void signaling.connect();
		const first = await joined(0);
		const waiting = signaling.request('pin', { targetUserId: 'bob' });
		first.lose();
		await assert.rejects(waiting, { code: 'closed' });
		await assert.rejects(signaling.request('pin', { targetUserId: 'bob' }), { code: 'closed' });
		t.mock.timers.tick(100);
		const second = await joined(1, { resumed: true });
		assert.deepEqual(told, ['joined false false', 'lost', 'joined true false']);
		second.lose(4000);
		t.mock.timers.tick(10_000);
		await settle();
		assert.equal(told.at(-1), 'duplicateUser');
		assert.equal(sockets.length, 2);
	});

	it('tries again while that may help, and no longer', async (t) => {
		const attempts: number[] = [];
		const { signaling, sockets, told, joined } = setup(t, { retry: (attempt) => attempts.push(attempt) && 100 });
		void signaling.connect();
		(await joined(0)).lose();
		for (const code of [503, 409, 429, 403]) {
			t.mock.timers.tick(100);
			await settle();
			const socket = sockets.at(-1)!;
			socket.open();
			await settle();
			socket.refuseJoin(code);
			await settle();
			assert.equal(socket.closedWith, 4001);
		}
		assert.equal(told.at(-1), 'forbidden');
		assert.deepEqual(attempts, [0, 1, 2, 3]);
	});

	it('gives up when it is told to', async (t) => {
		const { signaling, told, joined } = setup(t, { retry: () => false });
		void signaling.connect();
		(await joined(0)).lose();
		await settle();
		assert.deepEqual(told, ['joined false false', 'lost', 'gaveUp']);
	});

	it('gives a socket up on which nothing comes any more, not even the answer to a heartbeat', async (t) => {
		const { signaling, told, joined } = setup(t);
		void signaling.connect();
		const socket = await joined(0);
		for (let look = 0; look < 2; look++) {
			t.mock.timers.tick(5000);
			await settle();
		}
		const heartbeat = socket.request('heartbeat')!;
		socket.receive({ response: true, id: heartbeat.id, ok: true, data: {} });
		await settle();
		t.mock.timers.tick(5000);
		await settle();
		t.mock.timers.tick(5000);
		await settle();
		t.mock.timers.tick(5000);
		await settle();
		assert.equal(socket.closedWith, 4001);
		assert.equal(told.at(-1), 'lost');
	});

	it('moves: the socket before goes on until the next one has joined, and its end tells nothing', async (t) => {
		const { signaling, sockets, told, joined } = setup(t);
		void signaling.connect();
		const first = await joined(0);
		void signaling.move();
		await settle();
		sockets[1]!.open();
		await settle();
		first.receive({ notification: true, method: 'newUser', data: [] });
		first.receive({ notification: true, method: 'replaced', data: {} });
		first.lose(4000);
		await settle();
		sockets[1]!.answerJoin();
		await settle();
		assert.deepEqual(told, ['joined false false', 'newUser', 'joined false true']);
		t.mock.timers.tick(60_000);
		await settle();
		assert.equal(sockets.length, 2);
	});

	it('stays where it is when no other server takes it, and looks again', async (t) => {
		t.mock.method(Math, 'random', () => 1);
		const { signaling, sockets, told, joined } = setup(t);
		void signaling.connect();
		const first = await joined(0);
		void signaling.move();
		await settle();
		sockets[1]!.lose();
		await settle();
		assert.equal(first.closedWith, undefined);
		t.mock.timers.tick(3000);
		await joined(2, { resumed: true });
		assert.equal(first.closedWith, 4001);
		t.mock.timers.tick(3000);
		await joined(3);
		assert.deepEqual(told, ['joined false false', 'joined true true', 'joined false true']);
	});

	it('leaves with 1000, and opens nothing more', async (t) => {
		const { signaling, sockets, joined } = setup(t);
		void signaling.connect();
		const socket = await joined(0);
		signaling.close();
		assert.equal(socket.closedWith, 1000);
		t.mock.timers.tick(60_000);
		await settle();
		assert.equal(sockets.length, 1);
	});
});
