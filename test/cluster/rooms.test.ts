import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Room, Sfu } from 'sfu-rooms';
import { until } from '../media/setup.js';
import { AnsweringPeer } from '../support/answers.js';
import { anOffer, loadOffer } from '../support/offers.js';
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

	it('shares what the app knows of a user, and every change of its name and its metadata', async () => {
		const here = await one.getOrCreateRoom('details');
		const alice = await here.join({ userId: 'alice', metadata: { color: 'red' }, appData: { account: 7 } });
		const there = await two.getOrCreateRoom('details');
		const remote = there.users.get('alice')!;
		assert.deepEqual([remote.metadata, remote.appData], [{ color: 'red' }, { account: 7 }]);
		const told: unknown[] = [];
		there.on('userChanged', ({ user, before, cause }) => told.push([user.userName, user.metadata, before, cause]));
		alice.update({ userName: 'Alice', metadata: { color: 'blue' } }, 'client');
		await until(() => told.length === 1, 'the other server is told');
		remote.update({ metadata: null });
		await until(() => told.length === 2 && alice.metadata === undefined, 'its own server has done it');
		assert.deepEqual(told, [
			['Alice', { color: 'blue' }, { userName: 'alice', metadata: { color: 'red' } }, 'client'],
			['Alice', undefined, { userName: 'Alice', metadata: { color: 'blue' } }, 'app'],
		]);
		assert.throws(
			() => {
				remote.update({ metadata: 'x'.repeat(4095) });
			},
			{ code: 'too_large' },
		);
		await assert.rejects(remote.request('any'), { code: 'unavailable' }, 'there is no client there either');
		here.close();
	});

	it('refuses appData and metadata that the other server cannot be told', async () => {
		const here = await one.getOrCreateRoom('metadata');
		const circle: { self?: unknown } = {};
		circle.self = circle;
		for (const metadata of [circle, 1n, () => undefined]) {
			await assert.rejects(here.join({ userId: 'alice', metadata }), { code: 'invalid_argument' });
			await assert.rejects(here.join({ userId: 'alice', appData: metadata }), { code: 'invalid_argument' });
		}
		here.close();
	});

	it('is drained when nobody is left here, whoever is on the other server', async () => {
		const [first, second] = (await startServers(2)) as [Sfu, Sfu];
		const here = await first.getOrCreateRoom('draining');
		const there = await second.getOrCreateRoom('draining');
		const alice = await here.join({ userId: 'alice' });
		await there.join({ userId: 'bob' });
		await until(() => here.users.size === 2, 'bob is known');
		const drained = first.drain();
		assert.equal(first.cluster!.suggestNode('draining').nodeId, second.cluster!.nodeId);
		alice.close();
		assert.equal(await drained, true);
		first.close();
		second.close();
	});

	it('goes on without a server that stops', async () => {
		const [first, second] = (await startServers(2)) as [Sfu, Sfu];
		const here = await first.getOrCreateRoom('stopping');
		const there = await second.getOrCreateRoom('stopping');
		await here.join({ userId: 'alice' });
		await there.join({ userId: 'bob' });
		await until(() => here.users.size === 2 && there.users.size === 2, 'both know each other');
		const left: unknown[] = [];
		there.on('userLeft', ({ user, reason }) => left.push([user.userId, reason]));
		const lost: unknown[] = [];
		second.cluster!.on('nodeLost', ({ reason }) => lost.push(reason));
		first.close();
		await until(() => lost.length > 0, 'the server is known to have stopped');
		assert.deepEqual([left, lost], [[['alice', 'nodeStopped']], ['nodeStopped']]);
		assert.deepEqual([there.closed, idsOf(there)], [false, ['bob']]);
		second.close();
	});

	it('closes on both when the app closes it', async () => {
		const here = await one.getOrCreateRoom('closing');
		const there = await two.getOrCreateRoom('closing');
		await here.join({ userId: 'alice' });
		const bob = await there.join({ userId: 'bob' });
		await until(() => here.users.size === 2, 'bob is known');
		const reasons: unknown[] = [];
		bob.on('closed', ({ reason }) => reasons.push(reason));
		there.on('closed', ({ reason }) => reasons.push(reason));
		here.close('over');
		await until(() => there.closed, 'it has closed there, too');
		assert.deepEqual(reasons, ['roomClosed', 'over']);
	});

	it('does what the app of one server asks of a user on the other', async () => {
		const here = await one.getOrCreateRoom('asking');
		const alice = await here.join({ userId: 'alice' });
		const { pushers } = await alice.push(loadOffer('chromium-sendonly-audio-video'));
		const there = await two.getOrCreateRoom('asking');
		const remote = there.users.get('alice')!;
		const pusher = remote.pushers.get(pushers[0]!.pusherId)!;
		await pusher.pause();
		assert.deepEqual(pushers[0]!.pausedBy, ['app']);
		await until(() => pusher.pausedBy.includes('app'), 'it is paused there, too');
		await pusher.resume();
		await until(() => !pusher.paused, 'it flows there, too');
		pusher.update({ source: 'stage' });
		await until(() => pushers[0]!.source === 'stage' && pusher.source === 'stage', 'its source has changed');
		remote.rename('Alice II');
		await until(() => alice.userName === 'Alice II' && remote.userName === 'Alice II', 'she has another name');
		remote.setPermissions({ sendText: false });
		await until(() => !alice.permissions.sendText && !remote.permissions.sendText, 'she may send no text');
		await assert.rejects(remote.push('v=0'), { code: 'unsupported' });
		there.ban('alice');
		await until(() => alice.closed && !there.users.has('alice'), 'she has left');
		await assert.rejects(here.join({ userId: 'alice' }), { code: 'forbidden' });
		here.close();
	});

	it('lets somebody take over a user of the other server, when the app allows it', async () => {
		const here = await one.getOrCreateRoom('taking over');
		const there = await two.getOrCreateRoom('taking over');
		const before = await here.join({ userId: 'alice' });
		await until(() => there.users.has('alice'), 'she is known');
		await assert.rejects(there.join({ userId: 'alice' }), { code: 'conflict' });
		const reasons: unknown[] = [];
		before.on('closed', ({ reason }) => reasons.push(reason));
		const now = await there.join({ userId: 'alice', takeOver: true });
		assert.equal(there.users.get('alice'), now);
		await until(() => reasons.length > 0, 'the other one has left');
		assert.deepEqual(reasons, ['replaced']);
		await until(() => here.users.get('alice')?.isRemote === true, 'she is known there');
		here.close();
	});

	it('sends on what had come by a worker that died, to those who pull automatically', async (t) => {
		const place = ({ userId }: { userId?: string }) => (userId === 'cas' ? 1 : 0);
		const [first, second] = (await startServers(2, { workers: { count: 2, place } })) as [Sfu, Sfu];
		t.after(() => {
			first.close();
			second.close();
		});
		const here = await first.getOrCreateRoom(t.name);
		const there = await second.getOrCreateRoom(t.name);
		const alice = await here.join({ userId: 'alice' });
		const { pushers } = await alice.push(anOffer('chromium-sendonly-audio-video'));
		const bob = await there.join({ userId: 'bob' });
		const cas = await there.join({ userId: 'cas' });
		await until(() => there.users.get('alice')?.pushers.size === pushers.length, 'the tracks are known');
		// They come to the worker of the first one who pulls them.
		const specs = pushers.map(({ pusherId }) => ({ pusherId }));
		await bob.pull({ targetUserId: 'alice', specs, offer: anOffer('chromium-recvonly-video-audio') });
		const peer = new AnsweringPeer();
		const answers: Promise<void>[] = [];
		cas.on('offer', ({ offer }) => answers.push(offer.answer(peer.answer(offer.sdp))));
		const closed: string[] = [];
		cas.on('pullerClosed', ({ reason }) => closed.push(reason));
		cas.autoPull();
		await until(() => cas.pullers.size === pushers.length, 'all is pulled');
		const before = new Set(cas.pullers.keys());
		process.kill(second.workers[0]!.pid, 'SIGKILL');
		await until(() => closed.length === pushers.length, 'it has ended');
		assert.deepEqual([...new Set(closed)], ['interrupted']);
		await until(() => cas.pullers.size === pushers.length, 'all is pulled again');
		assert.ok([...cas.pullers.keys()].every((pullerId) => !before.has(pullerId)));
		await Promise.all(answers);
	});
});
