import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ServerOffer, User } from 'sfu-rooms';
import { ProtooAdapter } from 'sfu-rooms/protoo';
import { AnsweringPeer } from '../support/answers.js';
import { anOffer } from '../support/offers.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';
import { ProtooClient } from '../support/protooClient.js';
import { startRoom, until } from './setup.js';

const push = (user: User, source?: string) =>
	user.push(anOffer('chromium-sendonly-audio-video'), source === undefined ? {} : { media: { '1': { source } } });

const videoOf = (user: User) => mediaPushers(user).find(({ kind }) => kind === 'video')!;

const videosOf = (user: User) =>
	mediaPullers(user)
		.filter(({ kind }) => kind === 'video')
		.map(({ targetUserId }) => targetUserId)
		.toSorted();

/** Ann, Ben and Cy push a microphone and a camera each, and a viewer takes two of the videos. */
async function start(t: TestContext, { videos = 2 } = {}) {
	const { room, join } = await startRoom(t);
	const viewer = await join('viewer');
	const peer = new AnsweringPeer();
	const offers: ServerOffer[] = [];
	viewer.on('offer', ({ offer }) => {
		offers.push(offer);
		// The last ones wait when the test ends.
		offer.answer(peer.answer(offer.sdp)).catch(() => undefined);
	});
	for (const userId of ['ann', 'ben', 'cy']) await push(await join(userId));
	const user = (userId: string) => room.users.get(userId)!;
	viewer.autoPull({ videos });
	/** Waits until the viewer has these videos, and an offer has told so. */
	const sees = (...expected: string[]) =>
		until(
			() => JSON.stringify([videosOf(viewer), viewer.pendingOffer]) === JSON.stringify([expected, undefined]),
			`the videos of ${expected.join()}`,
		);
	return { room, join, viewer, user, sees, offers };
}

describe('A client that takes so many videos', () => {
	it('gets those that were pushed first, and all audio, until somebody speaks', async (t) => {
		const { viewer, sees } = await start(t);
		await sees('ann', 'ben');
		assert.equal(mediaPullers(viewer).filter(({ kind }) => kind === 'audio').length, 3);
		viewer.otherSpoke('cy');
		await sees('ann', 'cy');
		viewer.otherSpoke('ben');
		await sees('ben', 'cy');
		viewer.otherSpoke('cy');
		await sees('ben', 'cy');
	});

	it('gets them on m-lines that are used again', async (t) => {
		const { viewer, sees, offers } = await start(t);
		await sees('ann', 'ben');
		for (const speaker of ['cy', 'ben', 'ann', 'cy']) {
			viewer.otherSpoke(speaker);
			await sees(...[speaker, { cy: 'ann', ben: 'cy', ann: 'ben' }[speaker]!].toSorted());
		}
		assert.ok(offers.length > 3);
		// Three of audio, two of video, and one that is free while the next video has no other.
		assert.equal(offers.at(-1)!.sdp.match(/^m=/gm)?.length, 6);
	});

	it('gets whom it pins before who speaks', async (t) => {
		const { viewer, sees } = await start(t);
		viewer.pin('cy');
		await sees('ann', 'cy');
		viewer.otherSpoke('ben');
		await sees('ben', 'cy');
		viewer.otherSpoke('ann');
		await sees('ann', 'cy');
		viewer.unpin('cy');
		await sees('ann', 'ben');
		assert.throws(
			() => {
				viewer.pin('nobody');
			},
			{ code: 'not_found' },
		);
	});

	it('gets another one when one of them leaves, or pauses its camera', async (t) => {
		const { user, sees } = await start(t);
		await sees('ann', 'ben');
		await videoOf(user('ann')).pause('client');
		await sees('ben', 'cy');
		await videoOf(user('ann')).resume('client');
		await sees('ann', 'ben');
		user('ben').close();
		await sees('ann', 'cy');
	});

	it('gets every screen beside them', async (t) => {
		const { join, viewer, sees } = await start(t);
		await sees('ann', 'ben');
		await push(await join('dee'), 'screen');
		await sees('ann', 'ben', 'dee');
		viewer.otherSpoke('cy');
		await sees('ann', 'cy', 'dee');
	});

	it('does not get again what it has stopped', async (t) => {
		const { viewer, sees } = await start(t);
		await sees('ann', 'ben');
		mediaPullers(viewer)
			.find(({ kind, targetUserId }) => kind === 'video' && targetUserId === 'ann')!
			.close();
		await sees('ben', 'cy');
		viewer.otherSpoke('ann');
		await sees('ben', 'cy');
	});

	it('may take none, and may change its mind', async (t) => {
		const { viewer, sees } = await start(t, { videos: 0 });
		await sees();
		viewer.autoPull({ videos: 1 });
		await sees('ann');
		viewer.autoPull();
		await sees('ann', 'ben', 'cy');
		viewer.autoPull({ videos: 2 });
		await sees('ann', 'ben');
		for (const videos of [-1, 1.5, '2']) {
			assert.throws(() => viewer.autoPull({ videos: videos as number }), { code: 'invalid_argument' });
		}
	});

	it('listens to nobody any more when it has left, and once however often it chooses', async (t) => {
		const { viewer, user, sees } = await start(t, { videos: 0 });
		await sees();
		const listeners = () =>
			(['paused', 'resumed', 'closed'] as const).map((event) => videoOf(user('ann')).listenerCount(event));
		const before = listeners();
		for (let times = 0; times < 5; times++) viewer.autoPull({ videos: 0 });
		assert.deepEqual(listeners(), before);
		viewer.close();
		assert.deepEqual(
			listeners(),
			before.map((count) => count - 1),
		);
	});

	it('says so by messages, and is told what closes', async (t) => {
		const { sfu, join } = await startRoom(t);
		for (const userId of ['ann', 'ben']) await push(await join(userId));
		const adapter = new ProtooAdapter(sfu);
		t.after(() => {
			adapter.close();
		});
		const viewer = ProtooClient.overPair((socket) => {
			adapter.accept(socket);
		});
		await viewer.join('room', 'viewer');
		const peer = new AnsweringPeer();
		const as = { roomId: 'room', userId: 'viewer' };
		for (const autoPull of [{}, { videos: -1 }, { videos: 1.5 }, 'all']) {
			await assert.rejects(viewer.request('pull', { ...as, autoPull }), { errorCode: 400 });
		}
		await viewer.request('pull', { ...as, autoPull: { videos: 1 } });
		const first = await viewer.asked();
		viewer.respond(first.id, { sdp: { type: 'answer', sdp: peer.answer(first.data.sdp.sdp) } });
		await viewer.request('pin', { ...as, targetUserId: 'ben' });
		const { userId, reason } = await viewer.next('pullerClosed');
		assert.deepEqual([userId, reason], ['ann', 'notChosen']);
		const second = await viewer.asked();
		viewer.respond(second.id, { sdp: { type: 'answer', sdp: peer.answer(second.data.sdp.sdp) } });
		await viewer.request('unpin', { ...as, targetUserId: 'ben' });
		assert.equal((await viewer.next('pullerClosed')).userId, 'ben');
		await assert.rejects(viewer.request('pin', { ...as, targetUserId: 'nobody' }), { errorCode: 404 });
	});
});
