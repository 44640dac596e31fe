import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Sfu, type Room } from 'sfu-rooms';
import { until } from '../media/setup.js';
import { loadOffer } from '../support/offers.js';
import { startServers } from '../support/servers.js';

const idsOf = ({ users }: Room) => [...users.keys()];

describe('A room on two servers', () => {
	let one: Sfu;
	let two: Sfu;
	before(async () => {
		[one, two] = (await startServers(2)) as [Sfu, Sfu];
	});
	after(() => {
		one.close();
		two.close();
	});

	it('has the same users on both, wherever they have joined', async () => {
		const here = await one.getOrCreateRoom('a room');
		const alice = await here.join({ userId: 'alice', userName: 'Alice', metadata: { color: 'red' } });
		const there = await two.getOrCreateRoom('a room');
		assert.deepEqual(idsOf(there), ['alice'], 'it is known at once');
		const remote = there.users.get('alice')!;
		assert.deepEqual([remote.isRemote, remote.userName, remote.metadata], [true, 'Alice', { color: 'red' }]);
		const bob = await there.join({ userId: 'bob' });
		await until(() => here.users.has('bob'), 'bob is known on the other server');
		const left: unknown[] = [];
		there.on('userLeft', ({ user, reason }) => left.push([user.userId, reason]));
		alice.close('done');
		await until(() => !there.users.has('alice'), 'alice has left');
		assert.deepEqual(left, [['alice', 'done']]);
		bob.close();
	});

	it('sends tracks from one to the other', async () => {
		const here = await one.getOrCreateRoom('media');
		const alice = await here.join({ userId: 'alice' });
		const { pushers } = await alice.push(loadOffer('chromium-sendonly-audio-video'));
		const there = await two.getOrCreateRoom('media');
		const bob = await there.join({ userId: 'bob' });
		const remote = there.users.get('alice')!;
		assert.deepEqual([...remote.pushers.keys()].sort(), pushers.map(({ pusherId }) => pusherId).sort());
		const { answer, pullers } = await bob.pull({
			targetUserId: 'alice',
			specs: pushers.map(({ pusherId }) => ({ pusherId })),
			offer: loadOffer('chromium-recvonly-video-audio'),
		});
		assert.match(answer, /a=sendonly/);
		assert.equal(pullers.length, 2);
		alice.close();
		await until(() => bob.pullers.size === 0, 'the pullers have closed');
	});
});
