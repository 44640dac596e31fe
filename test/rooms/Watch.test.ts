import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Watch, type User } from 'sfu-rooms';
import { anOffer, fromAnotherClient, loadOffer, sections } from '../support/offers.js';
import { mediaPushers } from '../support/parted.js';
import { held, outcome, rejects, startCall, startRoom, until, untilHeld } from './setup.js';

const offer = () => anOffer('chromium-recvonly-video-audio');

/** Bob watches what Alice pushes. */
async function startWatch(t: TestContext) {
	const call = await startCall(t);
	const watch = await Watch.open(call.bob, offer(), call.pushed.pushers);
	return { ...call, watch };
}

const kindsOf = (user: User) => [...user.pullers.values()].map(({ kind }) => kind).sort();

const withOtherIce = (sdp: string) =>
	sdp
		.replaceAll(/^a=ice-ufrag:.*$/gm, 'a=ice-ufrag:other')
		.replaceAll(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${'o'.repeat(24)}`);

describe('A watch', () => {
	it('is answered before anybody pushes, with every codec in common and no sources', async (t) => {
		const { join } = await startRoom(t);
		const bob = await join('bob');
		const { answer, pullers } = await Watch.open(bob, offer());
		assert.equal(pullers.length, 0);
		const [, ...media] = sections(answer);
		assert.equal(media.length, 2);
		for (const section of media) {
			assert.match(section, /^a=sendonly\r$/m);
			assert.match(section, /^a=msid:watch (audio|video)\r$/m);
			assert.doesNotMatch(section, /^a=(ssrc|extmap)/m);
			assert.doesNotMatch(section, /transport-cc|goog-remb/);
		}
		for (const codec of ['VP8', 'VP9', 'H264', 'AV1', 'rtx'])
			assert.match(answer, new RegExp(`^a=rtpmap:\\d+ ${codec}/`, 'm'));
	});

	it('sends what it is opened with, and then what it is to show instead', async (t) => {
		const { bob, watch, room, pushed } = await startWatch(t);
		assert.deepEqual(kindsOf(bob), ['audio', 'video']);
		const carol = await room.join({ userId: 'carol' });
		const others = mediaPushers(await carol.push(anOffer('firefox-sendonly-audio-video')));
		const closed: string[] = [];
		for (const puller of watch.pullers) puller.on('closed', ({ reason }) => closed.push(reason));
		const shown = await watch.show(others);
		assert.deepEqual(
			shown.map(({ targetUserId }) => targetUserId),
			['carol', 'carol'],
		);
		assert.deepEqual(closed, ['removed', 'removed']);
		const mixed = await watch.show([others[0]!, pushed.pushers[1]!]);
		assert.deepEqual(mixed.map(({ targetUserId }) => targetUserId).sort(), ['alice', 'carol']);
		assert.ok(mixed.includes(shown.find(({ kind }) => kind === 'audio')!), 'what stays goes on');
		assert.deepEqual(await watch.show([]), []);
		assert.deepEqual(kindsOf(bob), []);
	});

	it('sends in the payload types of its offer, whatever those of the pusher are', async (t) => {
		const { join } = await startRoom(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		const watch = await Watch.open(bob, offer());
		for (const name of ['firefox-sendonly-audio-video', 'chromium-sendonly-audio-video']) {
			const pushers = mediaPushers(await alice.push(anOffer(name)));
			for (const puller of await watch.show(pushers)) {
				const { codecs } = puller.rtpParameters;
				for (const { payloadType, mimeType } of codecs.filter((codec) => !codec.mimeType.endsWith('rtx'))) {
					assert.match(watch.answer, new RegExp(`^a=rtpmap:${payloadType} ${mimeType.split('/')[1]!}/`, 'mi'));
				}
			}
		}
	});

	it('keeps its m-lines when a pusher closes, and shows the next one on them', async (t) => {
		const { alice, bob, watch, pushed } = await startWatch(t);
		for (const { connection } of [pushed]) connection.close();
		assert.deepEqual(kindsOf(bob), []);
		const again = await alice.push(anOffer('chromium-sendonly-audio-video'));
		await watch.show(mediaPushers(again));
		assert.deepEqual(kindsOf(bob), ['audio', 'video']);
	});

	it('leaves out a pusher that has closed, and one in a codec that the client lacks', async (t) => {
		const { bob, room, pushed } = await startCall(t);
		const withoutVp8 = offer().replaceAll(/^a=rtpmap:(\d+) VP8\/90000\r$/gm, 'a=rtpmap:$1 VP7/90000\r');
		const watch = await Watch.open(bob, withoutVp8, pushed.pushers);
		assert.deepEqual(kindsOf(bob), ['audio']);
		const carol = await room.join({ userId: 'carol' });
		const { pushers } = await carol.push(anOffer('chromium-sendonly-audio'));
		pushers[0]!.close();
		assert.deepEqual(await watch.show(mediaPushers({ pushers })), []);
	});

	it('obeys the permissions of its user, and changes nothing when it may not', async (t) => {
		const { room, sfu, pushed } = await startCall(t);
		const eve = await room.join({ userId: 'eve', permissions: { pull: ({ pusher }) => pusher.kind === 'audio' } });
		await rejects(sfu, () => Watch.open(eve, offer(), pushed.pushers), 'forbidden');
		assert.equal(eve.connections.length, 0);
		const watch = await Watch.open(eve, offer(), pushed.pushers.slice(0, 1));
		await rejects(sfu, () => watch.show(pushed.pushers), 'forbidden');
		assert.deepEqual(kindsOf(eve), ['audio']);
		eve.setPermissions({ pull: true });
		await watch.show(pushed.pushers);
		assert.deepEqual(kindsOf(eve), ['audio', 'video']);
	});

	it('restarts ICE, and sends what it sent', async (t) => {
		const { bob, room } = await startCall(t);
		const first = offer();
		const watch = await Watch.open(
			bob,
			first,
			mediaPushers({ pushers: [...room.users.get('alice')!.pushers.values()] }),
		);
		const before = watch.pullers;
		const answer = await watch.restartIce(withOtherIce(first));
		const ufrag = (sdp: string) => /^a=ice-ufrag:(.*)\r$/m.exec(sdp)![1];
		assert.notEqual(ufrag(answer), ufrag(watch.answer));
		assert.deepEqual(watch.pullers, before);
		assert.equal(await outcome(watch.restartIce(withOtherIce(offer()))), 'conflict');
		assert.equal(bob.connections.length, 1);
	});

	it('takes the last of several changes, whatever happens at once', async (t) => {
		const { watch, bob, pushed } = await startWatch(t);
		await Promise.all([
			watch.show([]),
			watch.show(pushed.pushers),
			watch.show([]),
			watch.show(pushed.pushers.slice(0, 1)),
		]);
		assert.deepEqual(kindsOf(bob), ['audio']);
	});

	it('refuses an offer that receives nothing, that has no codec of the room, and a second one of its connection', async (t) => {
		const { sfu, bob } = await startCall(t);
		await rejects(sfu, () => Watch.open(bob, anOffer('chromium-sendonly-audio')), 'unsupported');
		const strange = offer().replaceAll(/^a=rtpmap:(\d+) opus/gm, 'a=rtpmap:$1 speex');
		await rejects(sfu, () => Watch.open(bob, strange), 'unsupported', /opus/);
		const first = offer();
		await Watch.open(bob, first);
		assert.equal(await outcome(Watch.open(bob, first)), 'conflict');
	});

	it('refuses pushers of another room, and calls after its user has left', async (t) => {
		const { sfu, watch, bob, pushed } = await startWatch(t);
		const elsewhere = await sfu.getOrCreateRoom('elsewhere');
		const dave = await elsewhere.join({ userId: 'alice' });
		const foreign = mediaPushers(await dave.push(anOffer('chromium-sendonly-audio')));
		assert.equal(await outcome(watch.show(foreign)), 'not_found');
		bob.close();
		assert.equal(await outcome(watch.show(pushed.pushers)), 'closed');
		assert.equal(await outcome(Watch.open(bob, offer())), 'closed');
		assert.deepEqual(watch.pullers, []);
	});

	it('leaves nothing behind', async (t) => {
		const { sfu, bob, room, pushed } = await startCall(t);
		const before = await held(sfu);
		const watch = await Watch.open(bob, fromAnotherClient(loadOffer('chromium-recvonly-video-audio')), pushed.pushers);
		await watch.show([]);
		await watch.show(pushed.pushers);
		bob.close();
		await untilHeld(sfu, before);
		await until(() => room.users.size === 1, 'Bob has left');
	});
});

describe('A push that must be received as a whole', () => {
	it('is refused with the reason if an m-line cannot be taken, and changes nothing', async (t) => {
		const { sfu, room, join } = await startRoom(t);
		const alice = await join('alice');
		const partly = anOffer('chromium-sendonly-audio-video').replaceAll(/^a=rtpmap:(\d+) opus/gm, 'a=rtpmap:$1 speex');
		await rejects(sfu, () => alice.push(partly, { whole: true }), 'unsupported', /mid "0".*opus/);
		assert.equal(room.users.get('alice')!.pushers.size, 0);
		assert.equal((await alice.push(partly)).rejected.length, 1);
		const bob = await join('bob');
		assert.equal((await bob.push(anOffer('chromium-sendonly-audio-video'), { whole: true })).pushers.length, 2);
	});
});
