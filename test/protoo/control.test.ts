import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { receivingOffer, sendingOffer } from './offers.js';
import { serve, specsOf } from './setup.js';

async function call(t: TestContext) {
	const server = await serve(t);
	const alice = await server.join('alice');
	const bob = await server.join('bob');
	const pushed = await alice.push(sendingOffer());
	const pulled = await bob.pull(receivingOffer(), 'alice', specsOf(pushed));
	const room = server.sfu.rooms.get('room')!;
	await Promise.all([alice.told(), bob.told()]);
	const pusher = (kind: string) => pushed.pushers.find((each) => each.kind === kind)!.pusherId;
	return { ...server, alice, bob, pushed, pulled, room, pusher };
}

const as = (userId: string) => ({ roomId: 'room', userId });

describe('A client that has no new offer to make', () => {
	it('unpush: the pusher is closed, the others are told, and their pullers close', async (t) => {
		const { alice, bob, room, pusher } = await call(t);
		const pusherIds = [pusher('video')];
		assert.deepEqual(await alice.request('unpush', { ...as('alice'), pusherIds }), {
			code: 0,
			message: 'unpush success',
		});
		assert.deepEqual(await bob.next('pusherClosed'), { ...as('alice'), pusherIds });
		const { pusherId, userId, reason } = await bob.next('pullerClosed');
		assert.deepEqual([pusherId, userId, reason], [pusherIds[0], 'alice', 'pusherClosed']);
		assert.equal(room.users.get('alice')!.pushers.size, 1);
		assert.equal(room.users.get('bob')!.pullers.size, 1);
	});

	it('an offer that still sends what was unpushed does not push it again', async (t) => {
		const { alice, room, pusher } = await call(t);
		const offer = sendingOffer();
		const { pushers } = await alice.push(offer);
		await alice.request('unpush', { ...as('alice'), pusherIds: [pushers[0]!.pusherId] });
		const again = await alice.push(offer);
		assert.deepEqual(again.pushers, pushers.slice(1));
		assert.equal(room.users.get('alice')!.pushers.size, 3);
		assert.ok(room.users.get('alice')!.pushers.has(pusher('video')));
	});

	it('unpull: the puller is closed, and nobody else is told', async (t) => {
		const { alice, bob, pulled, room } = await call(t);
		const [puller] = pulled.pullers;
		await bob.request('unpull', { ...as('bob'), pullerIds: [puller!.pullerId] });
		assert.equal(room.users.get('bob')!.pullers.size, 1);
		assert.equal(room.users.get('alice')!.pushers.size, 2);
		assert.deepEqual(await alice.told(), []);
	});

	it('pausePusher and resumePusher: the others are told', async (t) => {
		const { alice, bob, room, pusher } = await call(t);
		const pusherId = pusher('audio');
		const { pushers } = room.users.get('alice')!;
		await alice.request('pausePusher', { ...as('alice'), pusherId });
		assert.deepEqual(await bob.next('pusherPaused'), { ...as('alice'), pusherIds: [pusherId] });
		assert.equal(pushers.get(pusherId)!.paused, true);
		await alice.request('pausePusher', { ...as('alice'), pusherId });
		await alice.request('resumePusher', { ...as('alice'), pusherId });
		assert.deepEqual(await bob.next('pusherResumed'), { ...as('alice'), pusherIds: [pusherId] });
		assert.equal(pushers.get(pusherId)!.paused, false);
		assert.deepEqual(await bob.told(), []);
	});

	it('pausePuller and resumePuller: nobody else is told', async (t) => {
		const { alice, bob, pulled, room } = await call(t);
		const { pullerId } = pulled.pullers[0]!;
		const puller = room.users.get('bob')!.pullers.get(pullerId)!;
		await bob.request('pausePuller', { ...as('bob'), pullerId });
		assert.equal(puller.paused, true);
		await bob.request('resumePuller', { ...as('bob'), pullerId });
		assert.equal(puller.paused, false);
		assert.deepEqual(await alice.told(), []);
	});

	for (const [method, key] of [
		['unpush', 'pusherIds'],
		['unpull', 'pullerIds'],
		['pausePusher', 'pusherId'],
		['resumePusher', 'pusherId'],
		['pausePuller', 'pullerId'],
		['resumePuller', 'pullerId'],
	] as const) {
		it(`${method} of what is another user’s, or of nothing, is answered with 404 and changes nothing`, async (t) => {
			const { alice, bob, pushed, pulled, room } = await call(t);
			const [client, userId, other] = key.startsWith('pusher')
				? ([bob, 'bob', pushed.pushers[0]!.pusherId] as const)
				: ([alice, 'alice', pulled.pullers[0]!.pullerId] as const);
			for (const id of [other, 'nothing', '__proto__']) {
				const value = key.endsWith('s') ? [id] : id;
				await assert.rejects(client.request(method, { ...as(userId), [key]: value }), { errorCode: 404 });
			}
			for (const value of [undefined, null, 7, [], {}, [7]]) {
				await assert.rejects(client.request(method, { ...as(userId), [key]: value }), {
					errorCode: 400,
					errorReason: new RegExp(key),
				});
			}
			assert.equal(room.users.get('alice')!.pushers.size, 2);
			assert.equal(room.users.get('bob')!.pullers.size, 2);
			assert.ok([...room.users.get('alice')!.pushers.values()].every(({ paused }) => !paused));
		});
	}
});
