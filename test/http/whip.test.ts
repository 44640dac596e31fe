import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SfuError } from 'sfu-rooms';
import { mediaPushers } from '../support/parted.js';
import { outcome, until } from '../rooms/setup.js';
import { anOffer } from '../support/offers.js';
import { assertProblem, camera, fragmentOf, open, otherIce, sdp, sdpFragment, startHttp } from './setup.js';

describe('A session of WHIP', () => {
	it('is a user of the room that pushes', async (t) => {
		const { send, sfu, http } = await startHttp(t, { path: '/rtc' });
		const { response, answer, url, etag } = await open(send, '/rtc/whip/stage/alice?video=screen', camera());
		assert.equal(response.headers.get('content-type'), sdp);
		assert.match(url, /^\/rtc\/sessions\/[\w-]{43}$/);
		assert.match(etag, /^"[\w-]+"$/);
		const alice = sfu.rooms.get('stage')!.users.get('alice')!;
		assert.deepEqual(
			mediaPushers(alice).map(({ kind, source }) => [kind, source]),
			[
				['audio', undefined],
				['video', 'screen'],
			],
		);
		assert.equal(answer.match(/^a=recvonly\r$/gm)?.length, 2);
		assert.equal(answer.match(/^a=rtcp-mux-only\r$/gm)?.length, 2);
		assert.match(answer, /^a=candidate:.* typ host.*\r$/m);
		assert.match(answer, /^a=end-of-candidates\r$/m);
		assert.equal(http.sessions, 1);
	});

	it('is answered with recvonly when it offers sendrecv', async (t) => {
		const { send } = await startHttp(t);
		const { answer } = await open(send, '/whip/stage/alice', anOffer('chromium-sendrecv-audio-video'));
		assert.equal(answer.match(/^a=recvonly\r$/gm)?.length, 2);
	});

	it('takes either role of DTLS, and answers with the other one', async (t) => {
		const { send } = await startHttp(t);
		for (const [offered, answered] of [
			['actpass', 'passive'],
			['active', 'passive'],
			['passive', 'active'],
		] as const) {
			const offer = camera().replaceAll(/^a=setup:\S+/gm, `a=setup:${offered}`);
			const { answer } = await open(send, `/whip/stage/${offered}`, offer);
			assert.deepEqual(new Set(answer.match(/^a=setup:\S+/gm)), new Set([`a=setup:${answered}`]));
		}
	});

	it('bundles all m-lines into one transport', async (t) => {
		const { send } = await startHttp(t);
		const { answer } = await open(send, '/whip/stage/alice', camera());
		assert.match(answer, /^a=group:BUNDLE 0 1\r$/m);
		assert.equal(new Set(answer.match(/^a=ice-ufrag:\S+/gm)).size, 1);
	});

	it('receives simulcast as it is offered', async (t) => {
		const { send } = await startHttp(t);
		const { answer } = await open(send, '/whip/stage/alice', anOffer('chromium-sendonly-video-simulcast'));
		assert.match(answer, /^a=simulcast:recv /m);
	});

	it('ends with DELETE, whatever entity tag comes with it, and then is not found', async (t) => {
		const { send, sfu, http } = await startHttp(t);
		const { url } = await open(send, '/whip/stage/alice', camera());
		assert.equal((await send('DELETE', url, { headers: { 'if-match': '"another"' } })).status, 200);
		assert.equal(sfu.rooms.get('stage')!.users.size, 0);
		assert.equal(http.sessions, 0);
		for (const method of ['DELETE', 'PATCH', 'GET']) await assertProblem(await send(method, url), 404);
	});

	it('ends with its connection and with its user', async (t) => {
		const { send, sfu, http } = await startHttp(t, {}, { webRtc: { connectTimeout: 200 } });
		await open(send, '/whip/stage/alice', camera());
		await until(() => http.sessions === 0, 'nobody has connected in time');
		assert.equal(sfu.rooms.get('stage')!.users.size, 0);
		const { url } = await open(send, '/whip/stage/alice', camera());
		sfu.rooms.get('stage')!.users.get('alice')!.kick();
		await assertProblem(await send('GET', url), 404);
	});

	it('refuses what it could receive only in part, and lets nobody join', async (t) => {
		const { send, sfu } = await startHttp(t);
		const partly = camera().replaceAll(/^a=rtpmap:(\d+) opus/gm, 'a=rtpmap:$1 speex');
		await assertProblem(await send('POST', '/whip/stage/alice', { type: sdp, body: partly }), 422, /opus/);
		assert.equal(sfu.rooms.get('stage')!.users.size, 0);
	});

	it('refuses what is malformed, too large, or of another type', async (t) => {
		const { send, sfu } = await startHttp(t);
		const post = (body: string, type = sdp, headers = {}) => send('POST', '/whip/stage/alice', { type, body, headers });
		await assertProblem(await post('v=1'), 400);
		await assertProblem(await post('v=0\r\n' + 'a'.repeat(sfu.limits.sdpBytes)), 413);
		const other = await post(camera(), 'text/plain');
		assert.equal(other.headers.get('accept-post'), sdp);
		await assertProblem(other, 415);
		await assertProblem(await post(camera(), sdp, { accept: 'application/json' }), 406);
		await assertProblem(await post(camera().replace('a=ice-ufrag', 'a=no-ufrag'), sdp), 400);
		await assertProblem(await send('POST', '/whip/%E0%A4%A/alice', { type: sdp, body: camera() }), 400);
		await assertProblem(await send('POST', '/whip/stage/alice/more', { type: sdp, body: camera() }), 404);
		await assertProblem(await send('POST', `/whip/stage/${'x'.repeat(300)}`, { type: sdp, body: camera() }), 400);
		assert.equal([...sfu.rooms.values()].flatMap(({ users }) => [...users]).length, 0);
	});

	it('takes a body that comes without a length only up to the limit, and in time', async (t) => {
		const { http } = await startHttp(t, { limits: { bodyTimeout: 100 } });
		const slow = new ReadableStream({ start: () => undefined });
		const endless = new ReadableStream({
			pull: (controller) => {
				controller.enqueue(new Uint8Array(65_536));
			},
		});
		const post = (body: ReadableStream) =>
			http.handle(
				new Request('http://localhost/whip/a/b', {
					method: 'POST',
					headers: { 'content-type': sdp },
					body,
					duplex: 'half',
				}),
			);
		await assertProblem(await post(slow), 408);
		await assertProblem(await post(endless), 413);
	});
});

describe('PATCH', () => {
	it('takes candidates of the ICE session with its entity tag', async (t) => {
		const { send } = await startHttp(t);
		const offer = camera();
		const { url, etag } = await open(send, '/whip/stage/alice', offer);
		const patch = (headers: Record<string, string>, body = fragmentOf(offer), type = sdpFragment) =>
			send('PATCH', url, { type, body, headers });
		const trickled = await patch({ 'if-match': etag });
		assert.equal(trickled.status, 204);
		assert.equal(trickled.headers.get('etag'), null);
		assert.equal(await trickled.text(), '');
		await assertProblem(await patch({}), 428);
		await assertProblem(await patch({ 'if-match': '"another"' }), 412);
		const wrong = await patch({ 'if-match': etag }, fragmentOf(offer), 'text/plain');
		assert.equal(wrong.headers.get('accept-patch'), sdpFragment);
		await assertProblem(wrong, 415);
		for (const body of ['', 'nonsense', 'a=ice-ufrag:ab\r\n', 'a=ice-ufrag:abcd\r\n', 'a=candidate:x\r\n', '\0']) {
			await assertProblem(await patch({ 'if-match': etag }, body), 400);
		}
		await assertProblem(await patch({ 'if-match': etag }, `a=x:${'y'.repeat(20_000)}`), 413);
		assert.equal((await patch({ 'if-match': etag })).status, 204);
	});

	for (const [name, path, offer] of [
		['WHIP', '/whip/stage/alice', camera],
		['WHEP', '/whep/stage/alice', () => anOffer('chromium-recvonly-audio-video')],
	] as const) {
		it(`restarts ICE of ${name} with new credentials, once, and gives the answer again if it was lost`, async (t) => {
			const { send, http } = await startHttp(t);
			const first = offer();
			const { url, etag, answer } = await open(send, path, first);
			const restart = () =>
				send('PATCH', url, { type: sdpFragment, body: fragmentOf(first, otherIce), headers: { 'if-match': '*' } });
			const restarted = await restart();
			const fragment = await restarted.text();
			assert.equal(restarted.status, 200, fragment);
			assert.equal(restarted.headers.get('content-type'), sdpFragment);
			const tag = restarted.headers.get('etag')!;
			assert.notEqual(tag, etag);
			const ufrag = (text: string) => /^a=ice-ufrag:(\S+)\r$/m.exec(text)![1];
			assert.notEqual(ufrag(fragment), ufrag(answer));
			for (const line of ['a=ice-lite', 'a=ice-pwd:', 'a=candidate:', 'm=', 'a=mid:'])
				assert.ok(fragment.includes(line), line);
			const options = (text: string) => new Set(text.match(/^a=ice-(lite|options|pacing)\S*/gm));
			assert.deepEqual(options(fragment), options(answer));
			const again = await restart();
			assert.deepEqual([again.status, again.headers.get('etag'), await again.text()], [200, tag, fragment]);
			const outdated = { type: sdpFragment, body: fragmentOf(first), headers: { 'if-match': etag } };
			await assertProblem(await send('PATCH', url, outdated), 412);
			const trickle = { type: sdpFragment, body: fragmentOf(first, otherIce), headers: { 'if-match': tag } };
			assert.equal((await send('PATCH', url, trickle)).status, 204);
			assert.equal(http.sessions, 1);
		});
	}

	it('handles restarts that overlap one after the other, each with an entity tag of its own', async (t) => {
		const { send, http } = await startHttp(t);
		const offer = camera();
		const { url } = await open(send, '/whip/stage/alice', offer);
		const tags = await Promise.all(
			['aaaa', 'bbbb', 'cccc'].map(async (ufrag) => {
				const body = fragmentOf(offer, { ufrag, pwd: otherIce.pwd });
				const response = await send('PATCH', url, { type: sdpFragment, body, headers: { 'if-match': '"*"' } });
				assert.equal(response.status, 200);
				return response.headers.get('etag');
			}),
		);
		assert.equal(new Set(tags).size, 3);
		assert.equal(http.sessions, 1);
	});
});

describe('The resources', () => {
	it('take the methods of the RFC and no others', async (t) => {
		const { send } = await startHttp(t);
		const { url } = await open(send, '/whip/stage/alice', camera());
		for (const [path, allow] of [
			['/whip/stage', 'POST, GET, HEAD, OPTIONS'],
			['/whep/stage/alice', 'POST, GET, HEAD, OPTIONS'],
			[url, 'PATCH, DELETE, GET, HEAD, OPTIONS'],
		] as const) {
			const refused = await send('PUT', path, { body: 'x' });
			assert.equal(refused.headers.get('allow'), allow);
			await assertProblem(refused, 405);
			for (const method of ['GET', 'HEAD']) {
				const read = await send(method, path);
				assert.equal(read.status, 204);
				assert.equal(await read.text(), '');
			}
		}
	});

	it('answer OPTIONS for pages of other origins', async (t) => {
		const { send } = await startHttp(t);
		const response = await send('OPTIONS', '/whip/stage/alice', {
			headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
		});
		assert.equal(response.status, 200);
		assert.equal(response.headers.get('accept-post'), sdp);
		assert.equal(response.headers.get('access-control-allow-origin'), '*');
		assert.match(response.headers.get('access-control-allow-methods')!, /POST.*PATCH.*DELETE/);
		assert.match(response.headers.get('access-control-allow-headers')!, /Authorization.*If-Match/);
		const created = await open(send, '/whip/stage/alice', camera(), { headers: { origin: 'https://a.example' } });
		for (const name of ['Location', 'ETag', 'Link']) {
			assert.ok(created.response.headers.get('access-control-expose-headers')!.split(', ').includes(name), name);
		}
		assert.equal((await send('OPTIONS', created.url)).headers.get('accept-patch'), sdpFragment);
	});

	it('let only the pages of the allowed origins read', async (t) => {
		const { send } = await startHttp(t, { allowedOrigins: ['https://a.example'] });
		const origin = async (of: string) =>
			(await send('GET', '/whip/stage', { headers: { origin: of } })).headers.get('access-control-allow-origin');
		assert.equal(await origin('https://a.example'), 'https://a.example');
		assert.equal(await origin('https://b.example'), null);
	});
});

describe('authorize', () => {
	it('gets the bearer token, and says who the user is and what it may do', async (t) => {
		const asked: unknown[] = [];
		const { send, sfu } = await startHttp(t, {
			authorize: ({ action, roomId, token, ...rest }) => {
				asked.push([action, roomId, token, 'userId' in rest ? rest.userId : rest.target]);
				if (token === undefined || token === 'expired') return undefined;
				if (token === 'viewer') return false;
				if (token === 'banned') throw new SfuError('forbidden', 'you are banned');
				if (token === 'listener') return { userId: 'l', permissions: { push: false } };
				return { userId: token, userName: 'A name', metadata: { of: 'mine' } };
			},
		});
		const post = (token?: string) =>
			send('POST', '/whip/stage/alice', { type: sdp, body: camera(), ...(token && { token }) });
		const none = await post();
		assert.equal(none.headers.get('www-authenticate'), 'Bearer realm="sfu-rooms"');
		await assertProblem(none, 401);
		const expired = await post('expired');
		assert.equal(expired.headers.get('www-authenticate'), 'Bearer realm="sfu-rooms", error="invalid_token"');
		await assertProblem(expired, 401);
		await assertProblem(await post('viewer'), 403);
		await assertProblem(await post('banned'), 403, /you are banned/);
		await assertProblem(await post('listener'), 403, /push/);
		assert.equal((await post('carol')).status, 201);
		const { users } = sfu.rooms.get('stage')!;
		assert.deepEqual(
			[...users.values()].map(({ userId, userName }) => [userId, userName]),
			[['carol', 'A name']],
		);
		assert.deepEqual(asked[0], ['whip', 'stage', undefined, 'alice']);
	});

	it('is answered with 503 if it takes too long, and with 500 if it fails', async (t) => {
		const { send, messages } = await startHttp(t, {
			authorizeTimeout: 50,
			authorize: ({ token }) => {
				if (token === 'slow') return new Promise(() => undefined);
				if (token === 'wrong') return { userName: 5 as unknown as string };
				throw new Error('a secret of the app');
			},
		});
		const post = (token: string) => send('POST', '/whip/stage/alice', { type: sdp, body: camera(), token });
		const slow = await post('slow');
		assert.ok(slow.headers.has('retry-after'));
		await assertProblem(slow, 503);
		for (const token of ['fails', 'wrong']) {
			const { detail } = await assertProblem(await post(token), 500);
			assert.doesNotMatch(detail, /secret/);
		}
		assert.deepEqual(messages, ['a request failed', 'a request failed']);
	});

	it('lets an encoder that starts again take its own place, and nobody take that of another', async (t) => {
		const { send, sfu, http } = await startHttp(t);
		const path = '/whip/stage/alice';
		const first = await open(send, path, camera(), { token: 'one' });
		await assertProblem(await send('POST', path, { type: sdp, body: camera(), token: 'two' }), 409);
		assert.equal((await send('GET', first.url)).status, 204);
		const second = await open(send, path, camera(), { token: 'one' });
		await assertProblem(await send('GET', first.url), 404);
		assert.equal((await send('GET', second.url)).status, 204);
		assert.equal(http.sessions, 1);
		const room = sfu.rooms.get('stage')!;
		await room.join({ userId: 'bob' });
		await assertProblem(await send('POST', '/whip/stage/bob', { type: sdp, body: camera() }), 409);
	});

	it('vouches for a user by its id, which then takes its place wherever it has joined', async (t) => {
		const { send, sfu } = await startHttp(t, { authorize: ({ token }) => ({ userId: token! }) });
		const room = await sfu.getOrCreateRoom('stage');
		const bob = await room.join({ userId: 'bob' });
		await open(send, '/whip/stage', camera(), { token: 'bob' });
		assert.ok(bob.closed);
		assert.ok(room.users.has('bob'));
	});

	it('may refuse to open rooms, and may admit past the lobby', async (t) => {
		const { send, sfu } = await startHttp(t, {
			lobbyTimeout: 100,
			authorize: ({ token }) => ({ permissions: { createRoom: false }, admitted: token === 'vip' }),
		});
		await assertProblem(await send('POST', '/whip/none/alice', { type: sdp, body: camera() }), 403);
		const room = await sfu.getOrCreateRoom('stage', { lobby: true });
		await assertProblem(await send('POST', '/whip/stage/alice', { type: sdp, body: camera() }), 503, /admitted/);
		assert.equal(room.waiting.size, 0);
		await open(send, '/whip/stage/alice', camera(), { token: 'vip' });
	});
});

describe('The limits', () => {
	it('hold for offers, for other requests, and for sessions of one client', async (t) => {
		const { send } = await startHttp(t, {
			limits: { offerBurst: 3, offersPerSecond: 1, requestBurst: 2, requestsPerSecond: 1, sessionsPerClient: 1 },
		});
		const post = (user: string, address = 'a') =>
			send('POST', `/whip/stage/${user}`, { type: sdp, body: camera(), address });
		assert.equal((await post('1')).status, 201);
		await assertProblem(await post('2'), 429, /users of one client/);
		await post('3');
		const many = await post('4');
		assert.ok(many.headers.has('retry-after'));
		await assertProblem(many, 429, /too many offers/);
		assert.equal((await post('5', 'b')).status, 201);
		for (const status of [404, 404, 429])
			await assertProblem(await send('DELETE', '/sessions/guess', { address: 'a' }), status);
	});

	it('count by the key that the app gives', async (t) => {
		const { send } = await startHttp(t, {
			limits: { sessionsPerClient: 1 },
			clientKey: ({ headers }) => headers.get('x-account') ?? undefined,
		});
		const post = (user: string, account: string) =>
			send('POST', `/whip/stage/${user}`, { type: sdp, body: camera(), headers: { 'x-account': account } });
		assert.equal((await post('1', 'x')).status, 201);
		assert.equal((await post('2', 'x')).status, 429);
		assert.equal((await post('3', 'y')).status, 201);
	});

	it('are those of the core, too: users in a room, and a server that is drained', async (t) => {
		const { send, sfu } = await startHttp(t, {}, { limits: { usersPerRoom: 1 } });
		await open(send, '/whip/stage/alice', camera());
		await assertProblem(await send('POST', '/whip/stage/bob', { type: sdp, body: camera() }), 429);
		void sfu.drain();
		const drained = await send('POST', '/whip/stage/bob', { type: sdp, body: camera() });
		assert.ok(drained.headers.has('retry-after'));
		await assertProblem(drained, 503);
	});
});

describe('The ICE servers of the Sfu', () => {
	it('come as links, with credentials', async (t) => {
		const urls = ['turn:turn.example:3478?transport=udp', 'stun:stun.example'];
		const { send } = await startHttp(t, {}, { iceServers: () => [{ urls, username: 'a"b', credential: 'c\\d' }] });
		const preflight = { headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } };
		assert.equal((await send('OPTIONS', '/whip/stage/alice', preflight)).headers.get('link'), null);
		const { links } = await open(send, '/whip/stage/alice', camera());
		assert.equal(
			links,
			'<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="a\\"b"; credential="c\\\\d"; credential-type="password", <stun:stun.example>; rel="ice-server"',
		);
	});
});

describe('An adapter that is closed', () => {
	it('ends its sessions and answers with 503', async (t) => {
		const { send, http, sfu } = await startHttp(t);
		await open(send, '/whip/stage/alice', camera());
		http.close();
		http.close();
		assert.equal(http.sessions, 0);
		await assertProblem(await send('POST', '/whip/stage/alice', { type: sdp, body: camera() }), 503);
		assert.equal(await outcome(sfu.getOrCreateRoom('stage')), 'done');
	});
});
