import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPermissions, type AnyPusher, type Permissions, type ServerOffer } from 'sfu-rooms';
import { AnsweringPeer } from '../support/answers.js';
import { anOffer, fromAnotherClient } from '../support/offers.js';
import { mediaPullers, mediaPushers, producerOf } from '../support/parted.js';
import { outcome, pullAll, specsOf, startCall, startRoom, turns, until } from './setup.js';

const camera = 'chromium-sendonly-audio-video';
const media = { '0': { source: 'microphone' }, '1': { source: 'camera' } };

/** The same RTCPeerConnection offers again, with other SSRCs on the same m-lines. */
function withOtherSsrcs(offer: string): string {
	const [fingerprint] = /^a=fingerprint:.*$/m.exec(offer)!;
	const [origin] = /^o=.*$/m.exec(offer)!;
	return fromAnotherClient(offer)
		.replace(/^a=fingerprint:.*$/gm, fingerprint)
		.replace(/^o=.*$/m, origin);
}

/** The m-lines of an offer that only sends receive, too. */
const alsoReceiving = (offer: string) => offer.replaceAll('a=sendonly', 'a=sendrecv');

const kinds = (pushers: Iterable<AnyPusher>) => [...pushers].map(({ kind }) => kind).sort();

describe('The permissions of a user', () => {
	it('allow everything at first, and hide nobody', async (t) => {
		const { join } = await startRoom(t);
		assert.deepEqual((await join('alice')).permissions, defaultPermissions);
	});

	const malformed: [string, unknown][] = [
		['permissions.push must', { push: 1 }],
		['permissions.push.kinds', { push: { kinds: ['text'] } }],
		['permissions.push.maxPushers', { push: { maxPushers: -1 } }],
		['permissions.pull must', { pull: 'all' }],
		['permissions.publish is not known', { publish: true }],
		['permissions must', null],
	];
	for (const [reason, permissions] of malformed) {
		it(`are refused when malformed, and change nothing: ${reason}`, async (t) => {
			const { join } = await startRoom(t);
			const alice = await join('alice');
			assert.throws(
				() => {
					alice.setPermissions(permissions as Permissions);
				},
				{ code: 'invalid_argument' },
			);
			assert.deepEqual(alice.permissions, defaultPermissions);
		});
	}

	it('cannot be changed by what the app keeps of them', async (t) => {
		const { room } = await startRoom(t);
		const sources = ['camera'];
		const alice = await room.join({ userId: 'alice', permissions: { push: { sources } } });
		sources.push('screen');
		assert.deepEqual(alice.permissions.push, { sources: ['camera'] });
	});
});

describe('A user who may not push', () => {
	it('publishes nothing by a push', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice', permissions: { push: false } });
		assert.equal(await outcome(alice.push(anOffer(camera))), 'forbidden');
		assert.equal(alice.pushers.size, 0);
		assert.equal(alice.connections.length, 0);
	});

	it('publishes nothing by the offer of a pull, whose m-lines send, too', async (t) => {
		const { alice, join } = await startCall(t);
		const carol = await join('carol');
		carol.setPermissions({ push: false });
		const { pullers } = await carol.pull({ ...pullAll(alice), offer: alsoReceiving(anOffer(camera)) });
		assert.equal(pullers.length, 2);
		assert.equal(carol.pushers.size, 0);
	});

	it('publishes nothing by a pull with other SSRCs on the m-lines that it pushed on', async (t) => {
		const { alice, join } = await startCall(t);
		const carol = await join('carol');
		const offer = alsoReceiving(anOffer(camera));
		await carol.push(offer);
		carol.setPermissions({ push: false });
		assert.equal(carol.pushers.size, 0);
		await carol.pull({ ...pullAll(alice), offer: withOtherSsrcs(offer) });
		assert.equal(carol.pushers.size, 0);
	});

	it('pushes kinds, sources and as many tracks as it may, whichever the m-line', async (t) => {
		const { room } = await startRoom(t);
		const tries: [Permissions['push'], string][] = [
			[{ kinds: ['audio'] }, 'forbidden'],
			[{ kinds: [] }, 'forbidden'],
			[{ sources: ['microphone'] }, 'forbidden'],
			[{ sources: ['microphone', 'video'] }, 'forbidden'],
			[{ maxPushers: 1 }, 'limit_exceeded'],
			[{ maxPushers: 0 }, 'limit_exceeded'],
			[{ sources: ['microphone', 'camera'], kinds: ['audio', 'video'], maxPushers: 2 }, 'done'],
		];
		for (const [index, [push, expected]] of tries.entries()) {
			const user = await room.join({ userId: String(index), permissions: { push } });
			assert.equal(await outcome(user.push(anOffer(camera), { media })), expected, JSON.stringify(push));
			assert.equal(user.pushers.size, expected === 'done' ? 2 : 0);
		}
	});

	it('counts a track without a source as one of its kind', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice', permissions: { push: { sources: ['audio', 'video'] } } });
		assert.equal(await outcome(alice.push(anOffer(camera))), 'done');
		assert.equal(await outcome(alice.push(anOffer(camera), { media })), 'forbidden');
	});

	it('loses what it pushes when the permission goes, and may push again when it comes back', async (t) => {
		const { room, alice } = await startCall(t);
		const closed: string[] = [];
		room.on('pusherClosed', ({ reason }) => closed.push(reason));
		alice.setPermissions({ push: { kinds: ['audio'] } });
		assert.deepEqual(kinds(alice.pushers.values()), ['audio']);
		assert.deepEqual(closed, ['notPermitted']);
		alice.setPermissions({ push: true });
		assert.equal(await outcome(alice.push(anOffer(camera))), 'done');
	});

	it('loses what was being made when the permission went', async (t) => {
		const { room, join } = await startRoom(t);
		const alice = await join('alice');
		const pushing = outcome(alice.push(anOffer(camera)));
		await turns(3);
		alice.setPermissions({ push: false });
		await pushing;
		assert.equal(alice.pushers.size, 0);
		assert.equal(room.users.get('alice')?.pushers.size, 0);
	});
});

describe('A client that may not change its metadata', () => {
	it('changes neither source nor metadata, by no call; the app still does', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice', permissions: { updateMetadata: false } });
		const offer = anOffer(camera);
		const { pushers } = await alice.push(offer, { media });
		const [pusher] = pushers;
		assert.throws(() => pusher?.update({ source: 'screen' }, 'client'), { code: 'forbidden' });
		assert.throws(() => pusher?.update({ metadata: 1 }, 'client'), { code: 'forbidden' });
		const again = alice.push(offer, { media: { '0': { source: 'screen' } } });
		assert.equal(await outcome(again), 'forbidden');
		assert.equal(await outcome(alice.push(offer, { media })), 'done', 'what is the same is no change');
		assert.equal(pusher?.source, 'microphone');
		pusher.update({ source: 'music' });
		assert.equal(pusher.source, 'music');
	});

	it('takes no source that it may not push', async (t) => {
		const { room } = await startRoom(t);
		const permissions = { push: { sources: ['microphone', 'camera'] } };
		const alice = await room.join({ userId: 'alice', permissions });
		const offer = anOffer(camera);
		const { pushers } = await alice.push(offer, { media });
		assert.throws(() => pushers[1]?.update({ source: 'screen' }, 'client'), { code: 'forbidden' });
		assert.throws(() => pushers[1]?.update({ source: null }, 'client'), { code: 'forbidden' });
		assert.equal(await outcome(alice.push(offer, { media: { '1': { source: 'screen' } } })), 'forbidden');
	});
});

describe('A user who may not pull', () => {
	it('pulls nothing by an offer of its own, and by none of the server', async (t) => {
		const { alice, bob } = await startCall(t);
		bob.setPermissions({ pull: false });
		assert.equal(await outcome(bob.pull(pullAll(alice))), 'forbidden');
		assert.equal(await outcome(bob.pull({ targetUserId: 'alice', specs: specsOf(alice) })), 'forbidden');
		assert.equal(bob.pullers.size, 0);
	});

	it('is asked about once for each puller, the automatic ones, too', async (t) => {
		const { alice, bob, join } = await startCall(t);
		const asked: string[] = [];
		bob.setPermissions({
			pull: ({ user, target, pusher }) => {
				asked.push(`${user.userId} ${target.userId} ${pusher.kind}`);
				return pusher.kind === 'audio';
			},
		});
		const peer = new AnsweringPeer();
		const answered: Promise<void>[] = [];
		bob.on('offer', ({ offer }) => void answered.push(offer.answer(peer.answer(offer.sdp)).catch(() => undefined)));
		bob.autoPull();
		await until(() => answered.length === 1, 'an offer came');
		await Promise.all(answered);
		assert.deepEqual(kinds(bob.pullers.values() as Iterable<never>), ['audio']);
		assert.deepEqual(asked.sort(), ['bob alice audio', 'bob alice video']);
		const carol = await join('carol');
		await carol.push(anOffer(camera));
		await until(() => bob.pullers.size === 2, 'that of the newcomer came, too');
		assert.equal(asked.length, 4);
		assert.equal(alice.pushers.size, 2);
	});

	it('is denied when the function throws, or returns something else', async (t) => {
		const { alice, bob, messages } = await startCall(t);
		bob.setPermissions({
			pull: () => {
				throw new Error('broken');
			},
		});
		assert.equal(await outcome(bob.pull(pullAll(alice))), 'forbidden');
		assert.ok(messages.some((message) => message.includes('the permission to pull could not be asked')));
		bob.setPermissions({ pull: (() => Promise.resolve(true)) as unknown as () => boolean });
		assert.equal(await outcome(bob.pull(pullAll(alice))), 'forbidden');
	});

	it('loses what it pulls, and by autoPull gets it when it may, but not what its client has stopped', async (t) => {
		const { bob } = await startCall(t);
		const peer = new AnsweringPeer();
		const offers: ServerOffer[] = [];
		bob.on('offer', ({ offer }) => {
			offers.push(offer);
			void offer.answer(peer.answer(offer.sdp)).catch(() => undefined);
		});
		bob.autoPull();
		await until(() => bob.pullers.size === 2 && !bob.pendingOffer, 'both came');
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ reason }) => reasons.push(reason));
		mediaPullers(bob)
			.find(({ kind }) => kind === 'audio')
			?.close('unpulled');
		bob.setPermissions({ pull: false });
		assert.equal(bob.pullers.size, 0);
		assert.deepEqual(reasons, ['unpulled', 'notPermitted']);
		bob.setPermissions({ pull: true });
		await until(() => bob.pullers.size === 1 && !bob.pendingOffer, 'the video came back');
		assert.deepEqual(kinds(bob.pullers.values() as Iterable<never>), ['video']);
	});
});

describe('What the app has muted', () => {
	it('stays muted through other SSRCs on the same m-line', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice' });
		const offer = anOffer(camera);
		const { pushers } = await alice.push(offer, { media });
		await pushers[0]?.pause();
		await alice.push(withOtherSsrcs(offer));
		const [audio, video] = mediaPushers(alice).sort((a, b) => a.kind.localeCompare(b.kind));
		assert.notEqual(audio?.pusherId, pushers[0]?.pusherId);
		assert.deepEqual([audio?.source, audio?.pausedBy, video?.pausedBy], ['microphone', ['app'], []]);
		await until(() => producerOf(audio!).paused, 'the worker knows');
	});

	it('stays muted on another connection, after a rejoin, and without a source or under another name', async (t) => {
		const { room } = await startRoom(t);
		const first = await room.join({ userId: 'alice' });
		const { pushers } = await first.push(anOffer(camera), { media });
		await pushers[0]?.pause();
		pushers[0]?.update({ source: 'music' }, 'client');
		first.close();
		assert.deepEqual(room.mutes, [
			{ userId: 'alice', kind: 'audio', source: 'microphone' },
			{ userId: 'alice', kind: 'audio', source: 'music' },
		]);
		const alice = await room.join({ userId: 'alice' });
		const isPaused = async (source?: string) => {
			const pushed = await alice.push(anOffer('chromium-sendonly-audio'), source ? { media: { '0': { source } } } : {});
			return pushed.pushers.at(0)?.paused;
		};
		assert.equal(await isPaused('microphone'), true);
		assert.equal(await isPaused('music'), true);
		assert.equal(await isPaused(), true, 'it may be the microphone');
		assert.equal(await isPaused('other'), false);
		const bob = await room.join({ userId: 'bob' });
		const others = await bob.push(anOffer(camera), { media });
		assert.equal(others.pushers[0]?.paused, false, 'it is of one user alone');
	});

	it('is muted when a pusher takes its name', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice' });
		const { pushers } = await alice.push(anOffer('chromium-sendonly-audio'), {
			media: { '0': { source: 'microphone' } },
		});
		await pushers[0]?.pause();
		const other = await alice.push(anOffer('chromium-sendonly-audio'), { media: { '0': { source: 'music' } } });
		assert.equal(other.pushers[0]?.paused, false);
		other.pushers[0].update({ source: 'microphone' }, 'client');
		assert.deepEqual(other.pushers[0].pausedBy, ['app']);
	});

	it('flows again when the app resumes it, or unmutes the user who is not there', async (t) => {
		const { room } = await startRoom(t);
		const first = await room.join({ userId: 'alice' });
		const { pushers } = await first.push(anOffer(camera), { media });
		await pushers[0]?.pause();
		await pushers[0]?.resume();
		assert.deepEqual(room.mutes, []);
		await pushers[0]?.pause('client');
		assert.deepEqual(room.mutes, [], 'the client mutes itself as it likes');
		await pushers[0]?.pause();
		assert.equal(room.mutes.length, 1, 'though the client had paused it already');
		first.close();
		room.unmute('alice');
		const alice = await room.join({ userId: 'alice' });
		const again = await alice.push(anOffer(camera), { media });
		assert.equal(again.pushers[0]?.paused, false);
		await again.pushers[0].pause();
		room.unmute('alice', { kind: 'audio', source: 'microphone' });
		assert.equal(again.pushers[0].paused, false);
	});

	it('is muted on all connections at once, and flows again on all', async (t) => {
		const { room } = await startRoom(t);
		const alice = await room.join({ userId: 'alice' });
		const push = async () => (await alice.push(anOffer(camera), { media })).pushers;
		const [first, second] = [await push(), await push()];
		const paused = () => [...first, ...second].map((pusher) => pusher.paused);
		await first[0]?.pause();
		assert.deepEqual(paused(), [true, false, true, false]);
		await second[0]?.resume();
		assert.deepEqual(paused(), [false, false, false, false]);
		assert.deepEqual(room.mutes, []);
	});

	it('stays paused for a user that pulls it again, on any connection', async (t) => {
		const { alice, bob } = await startCall(t);
		const { pullers } = await bob.pull(pullAll(alice));
		await pullers[0]?.pause();
		const second = await bob.pull(pullAll(alice));
		const paused = (pulled: typeof pullers) => pulled.filter((puller) => puller.paused).map(({ pusherId }) => pusherId);
		assert.deepEqual(paused(second.pullers), [pullers[0]?.pusherId]);
		for (const puller of bob.pullers.values()) puller.close();
		const third = await bob.pull(pullAll(alice));
		assert.deepEqual(paused(third.pullers), [pullers[0]?.pusherId]);
		await third.pullers.find((puller) => puller.paused)?.resume();
		const fourth = await bob.pull(pullAll(alice));
		assert.deepEqual(paused(fourth.pullers), []);
	});
});

describe('A hidden user', () => {
	it('sends nothing, and can be pulled from by nobody, who do not learn that it is there', async (t) => {
		const { room, join } = await startRoom(t);
		const bob = await join('bob');
		const ghost = await room.join({ userId: 'ghost', permissions: { hidden: true } });
		const { push, openDataChannels, sendText, pull } = ghost.permissions;
		assert.deepEqual([push, openDataChannels, sendText, pull], [false, false, false, true]);
		assert.equal(await outcome(ghost.push(anOffer(camera))), 'forbidden');
		const specs = [{ pusherId: 'any' }];
		await assert.rejects(bob.pull({ targetUserId: 'ghost', specs }), { message: 'no user "ghost" in the room' });
		ghost.setPermissions({ hidden: false });
		assert.equal(await outcome(ghost.push(anOffer(camera))), 'done');
		ghost.setPermissions({ hidden: true });
		assert.equal(ghost.pushers.size, 0);
	});
});
