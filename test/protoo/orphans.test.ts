import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { anOffer } from '../support/offers.js';
import type { ProtooClient } from '../support/protooClient.js';
import { held, serve, specsOf, untilHeldIs, type Server } from './setup.js';

const asAlice = { roomId: 'room', userId: 'alice' };
const video = anOffer('chromium-sendonly-video');
const both = anOffer('firefox-sendonly-audio-video');

async function start(t: TestContext) {
	const server = await serve(t);
	const bob = await server.join('bob');
	const alice = await server.join('alice');
	await bob.told();
	/** Pushes on a new RTCPeerConnection, unless `more` says otherwise. */
	const push = (sdp: string, more: object) =>
		alice.request('push', { ...asAlice, sdp: { type: 'offer' as const, sdp }, ...more });
	return { server, alice, bob, push };
}

/** Loses a socket, and comes back on another one. */
async function comeBack(server: Server, lost: ProtooClient) {
	lost.lose();
	const client = server.connect();
	return { client, joined: await client.comeBack(lost) };
}

describe('A client that comes back', () => {
	it('is told what it has: of the push whose response it never got, too', async (t) => {
		const { server, alice, bob } = await start(t);
		const theirs = await bob.push(both);
		const pushed = await alice.push(video);
		const { connectionId, pullers } = await alice.pullOffered('bob', specsOf(theirs));
		const { joined } = await comeBack(server, alice);
		assert.equal(joined.resumed, true);
		assert.deepEqual(joined.connections, [
			{ connectionId: pushed.connectionId, offeredBy: 'client', pushers: pushed.pushers, pullers: [] },
			{ connectionId, offeredBy: 'server', pushers: [], pullers },
		]);
	});

	it('is told of none if it has none, and at its first join', async (t) => {
		const { server, alice } = await start(t);
		const { joined } = await comeBack(server, alice);
		assert.deepEqual([joined.resumed, 'connections' in joined], [true, false]);
		assert.equal('connections' in (await server.connect().join('room', 'carol')), false);
	});

	it('closes what it does not know, and nothing of it is left', async (t) => {
		const { server, alice, bob } = await start(t);
		const before = await held(server.sfu);
		await alice.push(video);
		const { client, joined } = await comeBack(server, alice);
		const { connectionId, pushers } = joined.connections![0]!;
		await bob.told();
		const closed = await client.request('closeConnection', { ...asAlice, connectionId });
		assert.deepEqual(closed, { code: 0, message: 'closeConnection success' });
		const pusherIds = pushers.map(({ pusherId }) => pusherId);
		assert.deepEqual(await bob.next('pusherClosed'), { ...asAlice, pusherIds });
		await untilHeldIs(server.sfu, before);
		await assert.rejects(client.request('closeConnection', { ...asAlice, connectionId }), { errorCode: 404 });
	});
});

describe('A push that replaces a connection', () => {
	it('closes it when the offer is accepted, and not before', async (t) => {
		const { bob, push } = await start(t);
		const { connectionId: replaces, pushers } = await push(video, {});
		await bob.told();
		await assert.rejects(push('v=0', { replaces }));
		assert.deepEqual(await bob.told(), []);
		const second = await push(both, { replaces });
		assert.notEqual(second.connectionId, replaces);
		await bob.next('newPusher');
		assert.deepEqual((await bob.next('pusherClosed')).pusherIds, [pushers[0]!.pusherId]);
	});

	it('may name one that has gone, one of somebody else, or its own: these stay as they are', async (t) => {
		const { server, alice, bob, push } = await start(t);
		const theirs = await bob.push(video);
		const { connectionId } = await push(both, { replaces: 'gone' });
		await push(both, { connectionId, replaces: connectionId });
		await push(both, { connectionId, replaces: theirs.connectionId });
		const { users } = server.sfu.rooms.get('room')!;
		const counts = ['alice', 'bob'].map((userId) => [...users.get(userId)!.connections].length);
		assert.deepEqual(counts, [1, 1]);
		const closing = alice.request('closeConnection', { ...asAlice, connectionId: theirs.connectionId });
		await assert.rejects(closing, { errorCode: 404 });
	});
});
