// Takes 20 s.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { bases } from '../fuzz/setup.js';
import { mutate, mutation } from '../fuzz/mutations.js';
import { held, until, untilHeld } from '../rooms/setup.js';
import { checkProperty } from '../support/seed.js';
import {
	assertProblem,
	camera,
	clientOf,
	fragmentOf,
	open,
	otherIce,
	player,
	sdp,
	sdpFragment,
	serve,
	startHttp,
} from './setup.js';

const unlimited = { offersPerSecond: 1e6, offerBurst: 1e6, requestsPerSecond: 1e6, requestBurst: 1e6 };

/** Parts of requests, some of which fit together. */
const part = {
	method: fc.constantFrom(
		'GET',
		'HEAD',
		'POST',
		'POST',
		'POST',
		'PATCH',
		'PATCH',
		'PUT',
		'DELETE',
		'OPTIONS',
		'PROPFIND',
	),
	path: fc.constantFrom(
		...['/whip/a/b', '/whip/a', '/whep/a/b', '/whep/a', '/sessions/x', '/sessions/x.y', '/', '//', '/whip', '/whip//b'],
		...[
			'/whip/__proto__/constructor',
			'/whip/%00/%ff',
			'/whip/a%2Fb/c',
			'/whip/../whep/a',
			'/whip/a/b?audio=&video=%zz',
		],
		...['/whep/a?video=__proto__', '/whip/a/b?video=x&audio=y', `/whip/${'a'.repeat(3000)}/b`, 'S', 'S', 'S', 'S', 'S'],
		...['S/layers', 'S/layers', 'S/events', 'S/events', 'S/events/x', 'S/else', 'S/events/x/y', 'S?x', 'S/'],
	),
	type: fc.constantFrom(
		sdp,
		sdp,
		sdp,
		sdpFragment,
		sdpFragment,
		'application/json',
		'application/json',
		'text/plain',
		'a/b;;=',
		'',
	),
	condition: fc.constantFrom('', '', '*', '"*"', 'TAG', 'TAG', 'W/"x"', '"', ',,,', '*, *'),
	token: fc.constantFrom(undefined, 'a', 'b', '\u00e9', 'x'.repeat(4000)),
	accept: fc.constantFrom('', '', '*/*', 'application/sdp;q=0', 'text/html', ';;,,;q=', 'application/*;q=0.0'),
	body: fc.oneof(
		fc.record({ base: fc.nat({ max: bases.length - 1 }), mutations: fc.array(mutation, { maxLength: 4 }) }),
		fc.constantFrom(
			...['', '{}', '[]', 'null', '{"mediaId":"1","rid":"h"}', '{"mediaId":"__proto__"}', '["active","active"]'],
			...[
				'{"spatialLayerId":1e99}',
				'{"__proto__":{"rid":"h"}}',
				'['.repeat(4000),
				'v=0',
				'\0',
				'\r\n',
				'x'.repeat(20_000),
			],
		),
		fc.record({ fragment: fc.array(mutation, { maxLength: 4 }), again: fc.boolean() }),
	),
	client: fc.constantFrom('1', '2', '3'),
};

/** Requests of any parts, and such as come further. */
const request = fc.oneof(
	fc.record(part),
	fc.record({
		...part,
		method: fc.constant('POST'),
		path: fc.constantFrom('/whip/a/b', '/whip/a', '/whep/a/b', '/whep/a'),
		type: fc.constant(sdp),
		accept: fc.constant(''),
	}),
	fc.record({ ...part, method: fc.constant('PATCH'), path: fc.constant('S'), type: fc.constant(sdpFragment) }),
);

describe('Hostile requests', () => {
	it('are answered by the rules or refused, are no fault of the server, and leave nothing behind', async (t) => {
		const { http, sfu, messages } = await startHttp(
			t,
			{ limits: { ...unlimited, sessionsPerClient: 5 }, lobbyTimeout: 1000 },
			{ webRtc: { connectTimeout: 2 ** 31 - 1 }, emptyRoomTimeout: 2 ** 31 - 1 },
		);
		const send = clientOf(http);
		// What a worker makes once and keeps is there from here on.
		await open(send, '/whip/first/alice', camera());
		sfu.rooms.get('first')!.close();
		await until(async () => (await held(sfu)).length <= 1, 'the worker has its WebRtcServer alone');
		const before = await held(sfu);
		const offer = camera();
		const seen = new Set<number>();
		let [session, tag] = ['/sessions/none', '"none"'];
		await checkProperty(
			import.meta.filename,
			{ few: 500, many: 20_000 },
			fc.asyncProperty(request, async ({ method, path, type, condition, token, accept, body, client }) => {
				const spoil = (text: string, mutations: readonly Parameters<typeof mutate>[1][]) =>
					mutations.reduce((sofar, change) => mutate(sofar, change, offer), text);
				const text =
					typeof body === 'string'
						? body
						: 'fragment' in body
							? spoil(fragmentOf(offer, body.again ? otherIce : undefined), body.fragment)
							: spoil(bases[body.base]!.sdp, body.mutations);
				const headers = {
					...(condition && { 'if-match': condition.replace('TAG', tag) }),
					...(accept && { accept }),
				};
				const hasBody = method !== 'GET' && method !== 'HEAD';
				const response = await send(method, path.replace('S', session), {
					...{ type, headers, address: client },
					...(hasBody && { body: text }),
					...(token !== undefined && { token }),
				}).catch((error: unknown) => {
					// The platform has no such request.
					assert.ok(error instanceof TypeError, String(error));
				});
				if (!response) return;
				seen.add(response.status);
				assert.ok(response.status < 500, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
				assert.ok(response.status < 300 || response.status >= 400, 'nobody is redirected');
				if (response.status >= 400) await assertProblem(response, response.status);
				else await response.body?.cancel();
				if (response.status === 201 && type === sdp) {
					[session, tag] = [response.headers.get('location')!, response.headers.get('etag')!];
				}
				const users = [...sfu.rooms.values()].reduce((sum, room) => sum + room.users.size, 0);
				assert.equal(http.sessions, users);
				assert.ok(users <= 15);
			}),
		);
		for (const status of [201, 204, 400, 404, 405, 412, 415, 428])
			assert.ok(seen.has(status), `no request was answered with ${status}`);
		http.close();
		await until(() => http.sessions === 0, 'no session is left');
		assert.deepEqual(messages, []);
		for (const room of [...sfu.rooms.values()]) room.close();
		await untilHeld(sfu, before);
	});

	it('of one token open no more sessions than a client may have, and closing them makes room', async (t) => {
		const { send, http, sfu } = await startHttp(t, {
			limits: { ...unlimited, sessionsPerClient: 20 },
			clientKey: ({ headers }) => headers.get('authorization') ?? undefined,
		});
		const post = (user: number) =>
			send('POST', `/whep/stage-${user % 10}/x`, { type: sdp, body: player(), token: 'one', address: `${user}` });
		const responses = await Promise.all(Array.from({ length: 500 }, (_, user) => post(user)));
		const created = responses.filter(({ status }) => status === 201);
		assert.equal(created.length, 20);
		assert.ok(responses.every(({ status }) => status === 201 || status === 429));
		assert.equal(http.sessions, 20);
		assert.equal((await send('POST', '/whep/stage-0/x', { type: sdp, body: player(), token: 'two' })).status, 201);
		await Promise.all(created.map((response) => send('DELETE', response.headers.get('location')!, { token: 'one' })));
		assert.equal(http.sessions, 1);
		assert.equal((await post(1)).status, 201);
		assert.ok(sfu.rooms.size <= 10);
	});

	it('that end a session while it is restarted leave none, and are told that it is gone', async (t) => {
		const { send, http, messages } = await startHttp(t);
		const offer = camera();
		const { url } = await open(send, '/whip/stage/alice', offer);
		const restart = (ufrag: string) => {
			const body = fragmentOf(offer, { ufrag, pwd: otherIce.pwd });
			return send('PATCH', url, { type: sdpFragment, body, headers: { 'if-match': '*' } });
		};
		const restarts = ['aaaa', 'bbbb', 'cccc', 'dddd'].map(restart);
		const ended = send('DELETE', url);
		assert.equal((await ended).status, 200);
		for (const response of await Promise.all(restarts))
			assert.ok([200, 404].includes(response.status), `${response.status}`);
		await assertProblem(await restart('eeee'), 404);
		assert.equal(http.sessions, 0);
		assert.deepEqual(messages, []);
	});

	it('that are no offer take nobody from its place', async (t) => {
		const { send } = await startHttp(t, { authorize: () => ({ userId: 'alice' }) });
		const { url } = await open(send, '/whip/stage', camera());
		for (const body of ['', 'v=0', 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n', camera().replaceAll('ice-pwd', 'x')]) {
			await assertProblem(await send('POST', '/whip/stage', { type: sdp, body }), 400);
			assert.equal((await send('GET', url)).status, 204);
		}
	});

	it('that go before they are answered leave no session', async (t) => {
		let decide = (_: boolean): void => undefined;
		let signal: AbortSignal | undefined;
		const { http, sfu } = await startHttp(t, {
			authorize: ({ request }) => {
				signal = request.signal;
				return new Promise<boolean>((resolve) => (decide = resolve));
			},
		});
		const port = Number(new URL(await serve(t, http.handle)).port);
		const body = camera();
		const head = `POST /whip/stage/alice HTTP/1.1\r\nHost: a\r\nContent-Type: ${sdp}\r\nContent-Length: ${body.length}\r\n\r\n`;
		const socket = connect(port, '127.0.0.1');
		socket.write(head + body);
		await until(() => signal !== undefined, 'the app is asked');
		socket.destroy();
		await until(() => signal?.aborted === true, 'the server knows that the client is gone');
		decide(true);
		await until(() => http.sessions === 0 && (sfu.rooms.get('stage')?.users.size ?? 0) === 0, 'nobody has joined');
	});

	it('whose bodies come drop by drop, or are larger than their heads say, cost a bounded time', async (t) => {
		const { http } = await startHttp(t, { limits: { bodyTimeout: 300 } });
		const port = Number(new URL(await serve(t, http.handle)).port);
		const answerTo = async (length: number, drops: (write: (text: string) => void) => void) => {
			const socket = connect(port, '127.0.0.1');
			socket.on('error', () => undefined);
			let answer = '';
			socket.on('data', (data) => (answer += String(data)));
			socket.write(`POST /whip/a/b HTTP/1.1\r\nHost: a\r\nContent-Type: ${sdp}\r\nContent-Length: ${length}\r\n\r\n`);
			const dropping = setInterval(() => {
				drops((text) => socket.write(text));
			}, 20);
			await new Promise((resolve) => socket.once('close', resolve));
			clearInterval(dropping);
			return answer;
		};
		assert.match(
			await answerTo(5000, (write) => {
				write('v');
			}),
			/^HTTP\/1\.1 408 /,
		);
		assert.match(
			await answerTo(10_000_000, (write) => {
				write('v'.repeat(1000));
			}),
			/^HTTP\/1\.1 413 /,
		);
	});
});
