import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { until } from '../media/setup.js';
import { fromAnotherClient, loadOffer } from '../support/offers.js';
import { ProtooClient } from '../support/protooClient.js';
import { startServers } from '../support/servers.js';

/** Two servers with an adapter each, and a way to connect to them. */
async function start(t: TestContext, authorize?: { join: { permissions: { createRoom: false } } }) {
	const sfus = await startServers(2);
	const adapters = sfus.map(
		(sfu) => new ProtooAdapter(sfu, authorize && { authorize: { join: () => authorize.join, push: true, pull: true } }),
	);
	t.after(() => {
		for (const adapter of adapters) adapter.close();
		for (const sfu of sfus) sfu.close();
	});
	const connect = (server: 0 | 1) =>
		ProtooClient.overPair((socket) => {
			adapters[server]!.accept(socket);
		});
	return { sfus, connect };
}

const offer = () => fromAnotherClient(loadOffer('chromium-sendonly-audio-video'));

describe('Clients on two servers', () => {
	it('see each other, and what each pushes, and read what each writes', async (t) => {
		const { connect } = await start(t);
		const [alice, bob] = [connect(0), connect(1)];
		await alice.join('room', 'alice');
		const { pushers } = await alice.push(offer());
		const { users } = await bob.join('room', 'bob');
		assert.deepEqual(
			users.map(({ userId, pushers: all }) => [userId, all.map(({ pusherId }) => pusherId).sort()]),
			[['alice', pushers.map(({ pusherId }) => pusherId).sort()]],
		);
		assert.deepEqual(
			(await alice.next('newUser')).map(({ userId }) => userId),
			['bob'],
		);
		const { pushers: ofBob } = await bob.push(offer());
		const told = await alice.next('newPusher');
		assert.deepEqual(told.pushers.map(({ pusherId }) => pusherId).sort(), ofBob.map(({ pusherId }) => pusherId).sort());
		assert.ok(told.pushers.every(({ rtpParam }) => rtpParam.payload_type > 0));
		await alice.request('textMessage', { roomId: 'room', userId: 'alice', message: 'hello', time: 7 });
		assert.deepEqual(await bob.next('textMessage'), {
			roomId: 'room',
			userId: 'alice',
			userName: 'User_alice',
			message: 'hello',
			time: 7,
		});
		await alice.request('pausePusher', { roomId: 'room', userId: 'alice', pusherId: pushers[0]!.pusherId });
		assert.deepEqual((await bob.next('pusherPaused')).pusherIds, [pushers[0]!.pusherId]);
		alice.close(1000);
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
	});

	it('see what each calls itself, and where what they pull comes from', async (t) => {
		const { sfus, connect } = await start(t);
		const [alice, bob] = [connect(0), connect(1)];
		const member = { roomId: 'room', userId: 'alice' };
		await alice.request('join', { ...member, userName: 'Alice', metadata: { color: 'red' } });
		const sdp = { type: 'offer', sdp: offer() };
		await alice.request('push', { ...member, sdp, media: [{ mid: '0', source: 'microphone', metadata: 1 }] });
		const { users } = await bob.join('room', 'bob');
		assert.deepEqual([users[0]!.userName, users[0]!.metadata], ['Alice', { color: 'red' }]);
		await alice.request('updateUser', { ...member, userName: 'A.', metadata: null });
		assert.deepEqual(await bob.next('userChanged'), { ...member, userName: 'A.' });
		sfus[1]!.rooms.get('room')!.users.get('alice')!.update({ metadata: 2 });
		for (const client of [alice, bob]) {
			assert.deepEqual(await client.next('userChanged'), { ...member, userName: 'A.', metadata: 2 });
		}
		const audio = users[0]!.pushers.find(({ rtpParam }) => rtpParam.av_type === 'audio')!;
		const { pullers } = await bob.pullOffered('alice', [{ type: 'audio', pusher_id: audio.pusherId }]);
		assert.deepEqual([pullers[0]!.source, pullers[0]!.metadata], ['microphone', 1]);
	});

	it('get what the app of either server sends, and answer what it asks', async (t) => {
		const { sfus, connect } = await start(t);
		const [alice, bob] = [connect(0), connect(1)];
		await alice.join('room', 'alice');
		await bob.join('room', 'bob');
		const there = sfus[1]!.rooms.get('room')!;
		await until(() => there.users.size === 2, 'both are known');
		const remote = there.users.get('alice')!;
		there.send('to all', { n: 1 });
		there.send('to bob', 2, { except: ['alice'] });
		remote.send('to alice', 3);
		const message = (name: string, data: unknown) => ({ roomId: 'room', name, data });
		const first = [await alice.next('appMessage'), await alice.next('appMessage')];
		// One comes by the room, the other to the server of the user.
		assert.deepEqual(
			first.sort((a, b) => a.name.localeCompare(b.name)),
			[message('to alice', 3), message('to all', { n: 1 })],
		);
		assert.deepEqual(await bob.next('appMessage'), message('to all', { n: 1 }));
		assert.deepEqual(await bob.next('appMessage'), message('to bob', 2));
		const answer = remote.request('name?', 4, { timeout: 60_000 });
		const { id, data } = await alice.asked('appRequest');
		assert.deepEqual(data, message('name?', 4));
		// Longer than one server waits for another one otherwise.
		await new Promise((resolve) => setTimeout(resolve, 3500));
		alice.respond(id, { data: 'Alice' });
		assert.equal(await answer, 'Alice');
		const failing = remote.request('name?');
		alice.fail((await alice.asked('appRequest')).id, 404);
		await assert.rejects(failing, { code: 'not_found' });
		await assert.rejects(remote.request('name?', 1, { timeout: 20 }), { code: 'timeout' });
		alice.lose();
		await until(() => remote.tickets.lost, 'its socket is lost');
		await assert.rejects(remote.request('name?'), { code: 'unavailable' });
	});

	it('are not lost when the socket comes back on the other server: the token vouches for the client there', async (t) => {
		const { sfus, connect } = await start(t);
		const [alice, bob] = [connect(0), connect(1)];
		await alice.join('room', 'alice');
		await bob.join('room', 'bob');
		const stranger = connect(1);
		await assert.rejects(stranger.join('room', 'alice'), { errorCode: 409 });
		const again = connect(1);
		const resumeToken = alice.token!;
		const { resumed } = await again.request('join', {
			roomId: 'room',
			userId: 'alice',
			userName: 'Alice',
			resumeToken,
		});
		assert.equal(resumed, false, 'it begins anew');
		assert.equal(await alice.closed, 4000, 'the other client knows that this is final');
		await until(
			() => sfus[0]!.rooms.get('room') === undefined || sfus[0]!.rooms.get('room')!.users.size === 2,
			'settled',
		);
		assert.equal(sfus[1]!.rooms.get('room')!.users.get('alice')!.isRemote, false);
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
		assert.deepEqual(
			(await bob.next('newUser')).map(({ userName }) => userName),
			['Alice'],
		);
	});

	it('may join a room that is open on the other server alone, without the permission to open one', async (t) => {
		const { sfus, connect } = await start(t, { join: { permissions: { createRoom: false } } });
		const room = await sfus[0]!.getOrCreateRoom('room');
		await room.join({ userId: 'alice' });
		const bob = connect(1);
		await assert.rejects(bob.join('another room', 'bob'), { errorCode: 403 });
		const { users } = await bob.join('room', 'bob');
		assert.deepEqual(
			users.map(({ userId }) => userId),
			['alice'],
		);
		assert.deepEqual([await sfus[1]!.hasRoom('room'), await sfus[1]!.hasRoom('another room')], [true, false]);
		room.close();
		await until(() => sfus[1]!.rooms.size === 0, 'it has closed there, too');
		assert.equal(await sfus[1]!.hasRoom('room'), false);
	});

	it('may come without a token while the socket of the other one is lost', async (t) => {
		const { connect } = await start(t);
		const [alice, bob] = [connect(0), connect(1)];
		await alice.join('room', 'alice');
		await bob.join('room', 'bob');
		alice.lose();
		const again = connect(1);
		await until(async () => {
			try {
				await again.join('room', 'alice');
				return true;
			} catch {
				return false;
			}
		}, 'the loss is known on the other server');
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
	});
});
