import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { User } from 'sfu-rooms';
import { HttpAdapter } from 'sfu-rooms/http';
import { until } from '../rooms/setup.js';
import { anOffer } from '../support/offers.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';
import { startServers } from '../support/servers.js';
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
	startHttp,
	type Send,
} from './setup.js';

const json = 'application/json';

/** What a user watches: of whom, and which kinds. */
const watched = (user: User) =>
	mediaPullers(user)
		.map(({ targetUserId, kind }) => `${kind} of ${targetUserId}`)
		.sort();

const both = (userId: string) => [`audio of ${userId}`, `video of ${userId}`];

/** Starts an adapter, and lets a viewer watch. */
async function startWatch(
	...[t, path, options, sfuOptions]: [
		t: Parameters<typeof startHttp>[0],
		path: string,
		...rest: [Parameters<typeof startHttp>[1]?, Parameters<typeof startHttp>[2]?],
	]
) {
	const started = await startHttp(t, options, sfuOptions);
	const session = await open(started.send, path, player());
	const room = started.sfu.rooms.get('stage')!;
	const viewer = [...room.users.values()].find(({ permissions }) => permissions.hidden)!;
	return { ...started, ...session, room, viewer };
}

/** Reads the events of a stream until one comes with this name. */
async function eventOf(reader: ReadableStreamDefaultReader<Uint8Array>, name: string): Promise<unknown> {
	for (let text = ''; ;) {
		const found = new RegExp(`event: ${name}\\ndata: (.*)\\n\\n`).exec(text);
		if (found) return JSON.parse(found[1]!);
		const { value, done } = await reader.read();
		assert.ok(!done, `the stream ends without ${name}`);
		text += new TextDecoder().decode(value);
	}
}

async function openStream(send: Send, url: string, events?: string[]) {
	const created = await send('POST', `${url}/events`, events ? { type: json, body: JSON.stringify(events) } : {});
	assert.equal(created.status, 201);
	const stream = created.headers.get('location')!;
	const read = await send('GET', stream);
	assert.equal(read.headers.get('content-type'), 'text/event-stream');
	return { stream, reader: read.body!.getReader() };
}

describe('A session of WHEP', () => {
	it('is a hidden user that watches another one, on one MediaStream', async (t) => {
		const { send, sfu } = await startHttp(t);
		await open(send, '/whip/stage/alice', camera());
		const { answer } = await open(send, '/whep/stage/alice', player());
		const room = sfu.rooms.get('stage')!;
		const viewer = [...room.users.values()].find(({ userId }) => userId !== 'alice')!;
		assert.ok(viewer.permissions.hidden);
		assert.deepEqual(watched(viewer), both('alice'));
		assert.equal(answer.match(/^a=sendonly\r$/gm)?.length, 2);
		assert.equal(new Set(answer.match(/^a=msid:\S+/gm)).size, 1);
		assert.equal(answer.match(/^a=rtcp-mux-only\r$/gm)?.length, 2);
	});

	it('waits for a pusher, and plays on when one comes back', async (t) => {
		const { send, viewer } = await startWatch(t, '/whep/stage/alice');
		assert.deepEqual(watched(viewer), []);
		const first = await open(send, '/whip/stage/alice', camera());
		await until(() => watched(viewer).length === 2, 'Alice is watched');
		await send('DELETE', first.url);
		assert.deepEqual(watched(viewer), []);
		await open(send, '/whip/stage/alice', anOffer('firefox-sendonly-audio-video'));
		await until(() => watched(viewer).length === 2, 'Alice is watched again');
	});

	/** Asserts that a viewer is refused until somebody pushes, and that no room is opened for it. */
	async function assertRefused(t: Parameters<typeof startHttp>[0], options: { noPusherStatus?: 404 }, status: number) {
		const { send, sfu } = await startHttp(t, { waitForPusher: false, ...options });
		const refused = async () => {
			const response = await send('POST', '/whep/stage/alice', { type: sdp, body: player() });
			assert.match(response.headers.get('retry-after')!, /^\d+$/);
			await assertProblem(response, status);
		};
		await refused();
		assert.equal(sfu.rooms.size, 0);
		await open(send, '/whip/stage/bob', camera());
		await refused();
		assert.equal(sfu.rooms.get('stage')!.users.size, 1);
		await open(send, '/whip/stage/alice', camera());
		await open(send, '/whep/stage/alice', player());
	}

	it('is answered with 409 if it may not wait', (t) => assertRefused(t, {}, 409));

	it('is answered with 404 if it may not wait and the app wants it so', (t) =>
		assertRefused(t, { noPusherStatus: 404 }, 404));

	it('chooses by the source: of a user, or of whoever has it', async (t) => {
		const { send, room, viewer } = await startWatch(t, '/whep/stage?video=screen');
		await open(send, '/whip/stage/alice?video=camera', camera());
		const screen = await open(send, '/whip/stage/bob?video=screen', camera());
		await until(() => watched(viewer).length === 2, 'the screen is watched');
		assert.deepEqual(watched(viewer), both('bob'));
		await send('DELETE', screen.url);
		const video = mediaPushers(room.users.get('alice')!).find(({ kind }) => kind === 'video')!;
		video.update({ source: 'screen' });
		await until(() => watched(viewer).length === 2, 'another screen is watched');
		assert.deepEqual(watched(viewer), both('alice'));
	});

	it('watches the first who pushes until somebody speaks', async (t) => {
		const { send, viewer } = await startWatch(t, '/whep/stage', {}, { audioObservers: {} });
		for (const user of ['alice', 'bob']) await open(send, `/whip/stage/${user}`, camera());
		await until(() => watched(viewer).length === 2, 'the first one is watched');
		assert.deepEqual(watched(viewer), both('alice'));
	});

	it('watches nothing that its permissions do not allow, and begins when they do', async (t) => {
		const { send, sfu } = await startHttp(t, {
			authorize: ({ action }) => action === 'whip' || { userId: 'eve', permissions: { pull: false } },
		});
		const { url } = await open(send, '/whep/stage/alice', player());
		const eve = sfu.rooms.get('stage')!.users.get('eve')!;
		await open(send, '/whip/stage/alice', camera());
		assert.deepEqual(watched(eve), []);
		eve.setPermissions({ pull: true });
		await until(() => watched(eve).length === 2, 'Eve may watch');
		eve.setPermissions({ pull: false });
		assert.deepEqual(watched(eve), []);
		await send('DELETE', url);
		await assertProblem(await send('POST', '/whep/stage/alice', { type: sdp, body: player() }), 403);
	});

	it('is opened with the bearer token, and ends with DELETE', async (t) => {
		const { send, sfu, http } = await startHttp(t, { authorize: ({ token }) => token === 'key' || undefined });
		const sent = { type: sdp, body: player() };
		await assertProblem(await send('POST', '/whep/stage/alice', sent), 401);
		await assertProblem(await send('POST', '/whep/stage/alice', { ...sent, token: 'other' }), 401);
		const { url } = await open(send, '/whep/stage/alice', player(), { token: 'key' });
		assert.equal((await send('DELETE', url, { token: 'key' })).status, 200);
		assert.deepEqual([http.sessions, sfu.rooms.get('stage')!.users.size], [0, 0]);
		await assertProblem(await send('GET', url), 404);
	});

	it('refuses an offer that receives nothing', async (t) => {
		const { send } = await startHttp(t);
		await assertProblem(await send('POST', '/whep/stage/alice', { type: sdp, body: camera() }), 422);
	});

	it('leaves no listeners behind', async (t) => {
		const { send, room, url } = await startWatch(t, '/whep/stage/alice');
		assert.ok(room.listenerCount('pusherAdded') > 0);
		const during = room.listenerCount('pusherAdded');
		await send('DELETE', url);
		assert.equal(room.listenerCount('pusherAdded'), during - 1);
	});
});

describe('The events of a session', () => {
	it('are told as they come: active, inactive, layers, reconnect', async (t) => {
		const { send, url, links, sfu } = await startWatch(t, '/whep/stage/alice');
		assert.match(
			links,
			/events>; rel="urn:ietf:params:whep:ext:core:server-sent-events"; events="active,inactive,layers,reconnect"/,
		);
		const { reader } = await openStream(send, url);
		const { url: pushed } = await open(send, '/whip/stage/alice', anOffer('chromium-sendonly-video-simulcast'));
		const layers = (await eventOf(reader, 'layers')) as Record<string, { rid: string; temporalLayerId: number }[]>;
		assert.deepEqual(Object.keys(layers), ['0']);
		assert.ok(layers['0']!.some(({ rid }) => typeof rid === 'string'));
		const { reader: second } = await openStream(send, url, ['active', 'inactive']);
		assert.deepEqual(await eventOf(second, 'active'), {});
		await send('DELETE', pushed);
		assert.deepEqual(await eventOf(second, 'inactive'), {});
		void sfu.drain();
		assert.deepEqual(await eventOf(reader, 'reconnect'), {});
	});

	it('end with the stream and with the session', async (t) => {
		const { send, url } = await startWatch(t, '/whep/stage/alice');
		const one = await openStream(send, url);
		const two = await openStream(send, url);
		assert.equal((await send('DELETE', one.stream)).status, 200);
		assert.equal((await one.reader.read()).done, true);
		await assertProblem(await send('GET', one.stream), 404);
		await send('DELETE', url);
		assert.equal((await two.reader.read()).done, true);
		await assertProblem(await send('GET', two.stream), 404);
	});

	it('are limited in number, and in the size of what is asked', async (t) => {
		const { send, url } = await startWatch(t, '/whep/stage/alice', { limits: { streamsPerSession: 1 } });
		const post = (body: string, type = json) => send('POST', `${url}/events`, { type, body });
		await assertProblem(await post('{'), 400);
		await assertProblem(await post('{}'), 400);
		await assertProblem(await post('[]', 'text/plain'), 415);
		await assertProblem(await post(`["${'x'.repeat(5000)}"]`), 413);
		assert.equal((await post('["active"]')).status, 201);
		await assertProblem(await post('["active"]'), 429);
	});

	it('are not there for a session of WHIP', async (t) => {
		const { send } = await startHttp(t);
		const { url } = await open(send, '/whip/stage/alice', camera());
		await assertProblem(await send('POST', `${url}/events`), 404);
		await assertProblem(await send('POST', `${url}/layers`, { type: json, body: '{}' }), 404);
	});
});

describe('The layers of a session', () => {
	it('are selected by rid or number, for what comes later, too, and given back to the server', async (t) => {
		const { send, url, viewer } = await startWatch(t, '/whep/stage/alice');
		const select = (body: object) => send('POST', `${url}/layers`, { type: json, body: JSON.stringify(body) });
		const simulcast = anOffer('chromium-sendonly-video-simulcast');
		const rids = [...simulcast.matchAll(/^a=rid:(\S+) send/gm)].map(([, rid]) => rid!);
		const { url: pushed } = await open(send, '/whip/stage/alice', simulcast);
		await until(() => mediaPullers(viewer).length === 1, 'the simulcast is watched');
		const preferred = () => mediaPullers(viewer)[0]?.preferredLayers?.spatialLayer;
		assert.equal((await select({ mediaId: '0', rid: rids[0] })).status, 200);
		assert.equal(preferred(), 0);
		await send('DELETE', pushed);
		await open(send, '/whip/stage/alice', anOffer('chromium-sendonly-video-simulcast'));
		await until(() => preferred() === 0, 'the next simulcast begins with the selected layer');
		assert.equal((await select({ mediaId: '0' })).status, 200);
		assert.equal(preferred(), mediaPullers(viewer)[0]!.highestLayers!.spatialLayer);
		await assertProblem(await select({ rid: 'none' }), 422);
		await assertProblem(await select({ mediaId: '1' }), 422);
		await assertProblem(await select({ mediaId: '7' }), 422);
		for (const mediaId of ['', '1e0', ' 0', '-1']) await assertProblem(await select({ mediaId }), 400);
		await assertProblem(await select({ maxWidth: 640 }), 422);
		await assertProblem(await select({ spatialLayerId: -1 }), 400);
	});

	it('of a video without any cannot be selected', async (t) => {
		const { send, url, viewer } = await startWatch(t, '/whep/stage/alice');
		await open(send, '/whip/stage/alice', camera());
		await until(() => mediaPullers(viewer).length === 2, 'Alice is watched');
		await assertProblem(await send('POST', `${url}/layers`, { type: json, body: '{"spatialLayerId":0}' }), 409);
	});
});

describe('On several servers', () => {
	it('a session watches who pushes elsewhere, and is reached through any server', async (t) => {
		const sfus = await startServers(2);
		t.after(() => {
			for (const sfu of sfus) sfu.close();
		});
		const [{ createServer }, { toNodeListener }] = await Promise.all([import('node:http'), import('sfu-rooms/http')]);
		const urls = new Map<string, string>();
		const https = sfus.map((sfu) => new HttpAdapter(sfu, { nodeUrl: ({ nodeId }) => urls.get(nodeId) }));
		for (const [index, http] of https.entries()) {
			const server = createServer(toNodeListener(http.handle));
			await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
			t.after(() => {
				server.close();
				server.closeAllConnections();
			});
			urls.set(sfus[index]!.cluster!.nodeId, `http://127.0.0.1:${(server.address() as { port: number }).port}`);
		}
		const [here, there] = https.map(clientOf) as [Send, Send];
		const offer = player();
		const { url, etag } = await open(here, '/whep/stage/alice', offer);
		await open(there, '/whip/stage/alice', camera());
		const viewer = () => [...sfus[0]!.rooms.get('stage')!.users.values()].find(({ isRemote }) => !isRemote)!;
		await until(() => watched(viewer()).length === 2, 'Alice is watched from another server', 10_000);
		const patch = (body: string, condition: string) =>
			there('PATCH', url, { type: sdpFragment, body, headers: { 'if-match': condition } });
		assert.equal((await patch(fragmentOf(offer), etag)).status, 204);
		const restarted = await patch(fragmentOf(offer, otherIce), '*');
		assert.equal(restarted.status, 200);
		assert.ok(restarted.headers.get('etag'));
		urls.clear();
		await assertProblem(await there('DELETE', url), 421);
		await assertProblem(await there('DELETE', '/sessions/gone.unknown'), 404);
		assert.equal(https[0]!.sessions, 1);
	});
});
