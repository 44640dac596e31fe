import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { until } from '../media/setup.js';
import { fromAnotherClient, loadOffer } from '../support/offers.js';
import { ProtooClient } from '../support/protooClient.js';
import { startServers } from '../support/servers.js';

/** Two servers with an adapter each, and a way to connect to them. */
async function start(t: TestContext) {
	const sfus = await startServers(2);
	const adapters = sfus.map((sfu) => new ProtooAdapter(sfu));
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
