import assert from 'node:assert/strict';
import sdpTransform from 'sdp-transform';
import { describe, it, type TestContext } from 'node:test';
import { RTCPeerConnection, useOPUS, useVP8 } from 'werift';
import type { PullSpec, ServerOffer, SfuOptions, User } from 'sfu-rooms';
import { AnsweringPeer } from '../support/answers.js';
import { anOffer, editMedia, replaceLine, withoutLine } from '../support/offers.js';
import {
	held,
	interruptEach,
	outcome,
	rejects,
	specsOf,
	startCall,
	startRoom,
	turns,
	until,
	untilHeld,
} from '../rooms/setup.js';
import { mediaPullers } from '../support/parted.js';

/** What a server-offered pull of all that a user pushes takes. */
const allOf = (target: User) => ({ targetUserId: target.userId, specs: specsOf(target) });

/** The m-lines of an offer: where, which and what. */
const lines = ({ sdp }: ServerOffer) =>
	sdpTransform.parse(sdp).media.map(({ mid, type, port, direction }) => {
		return `${mid ?? '-'} ${type} ${port === 0 ? 'stopped' : String(direction)}`;
	});

/** The next offer that no call has asked for. */
const nextOffer = (user: User) =>
	new Promise<ServerOffer>((resolve) => {
		user.once('offer', ({ offer }) => {
			resolve(offer);
		});
	});

/** Answers every offer of a user that no call has asked for, and keeps them. */
function answerAll(user: User, peer = new AnsweringPeer()): ServerOffer[] {
	const offers: ServerOffer[] = [];
	user.on('offer', ({ offer }) => {
		offers.push(offer);
		void offer.answer(peer.answer(offer.sdp)).catch(() => undefined);
	});
	return offers;
}

/** Alice pushes audio and video, Carol a video; Bob is there. */
async function startMeeting(t: TestContext, options: SfuOptions = {}) {
	const call = await startCall(t, options);
	const carol = await call.join('carol');
	await carol.push(anOffer('firefox-sendonly-video'));
	return { ...call, carol };
}

describe('A pull without an offer', () => {
	it('gives an offer, and sends when it has been answered', async (t) => {
		const { alice, bob } = await startCall(t);
		const told: ServerOffer[] = [];
		bob.on('offer', ({ offer }) => told.push(offer));
		const offer = await bob.pull(allOf(alice));
		assert.deepEqual(lines(offer), ['0 audio sendonly', '1 video sendonly']);
		assert.deepEqual(offer.added, offer.pullers);
		assert.deepEqual([...bob.pullers.values()], offer.pullers);
		assert.deepEqual(bob.connections, [offer.connection]);
		assert.equal(bob.pendingOffer, offer);
		assert.deepEqual(
			mediaPullers(offer).map(({ pusherId, targetUserId, mid }) => [pusherId, targetUserId, mid]),
			[...alice.pushers.keys()].map((pusherId, index) => [pusherId, 'alice', String(index)]),
		);
		assert.equal(await outcome(offer.answer(new AnsweringPeer().answer(offer.sdp))), 'done');
		assert.equal(bob.pendingOffer, undefined);
		assert.deepEqual(told, [], 'who has called need not be told');
	});

	it('from another user comes on the same connection, and only what is new is added', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		const second = await bob.pull(allOf(carol));
		assert.equal(second.connection, first.connection);
		assert.deepEqual(lines(second), ['0 audio sendonly', '1 video sendonly', '2 video sendonly']);
		assert.deepEqual(second.pullers, [...first.pullers, ...second.added]);
		assert.deepEqual(
			second.added.map(({ targetUserId }) => targetUserId),
			['carol'],
		);
		await second.answer(peer.answer(second.sdp));
		assert.equal(bob.pullers.size, 3);
	});

	it('waits while another offer does, and all waiting ones come in order', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const [audio, video] = specsOf(alice);
		const order: string[] = [];
		const pull = async (name: string, target: User, specs: PullSpec[]) => {
			const offer = await bob.pull({ targetUserId: target.userId, specs });
			order.push(name);
			return offer;
		};
		const pulls = [
			pull('audio', alice, [audio!]),
			pull('video', alice, [video!]),
			pull('carol', carol, specsOf(carol)),
		];
		await pulls[0];
		await turns(20);
		assert.deepEqual(order, ['audio']);
		for (const pending of pulls) {
			const offer = await pending;
			assert.equal(offer.added.length, 1);
			await offer.answer(peer.answer(offer.sdp));
		}
		assert.deepEqual(order, ['audio', 'video', 'carol']);
	});

	it('of what is pulled already is an offer that changes nothing', async (t) => {
		const { alice, bob } = await startCall(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		const again = await bob.pull(allOf(alice));
		assert.deepEqual([lines(again), again.added, again.pullers], [lines(first), [], first.pullers]);
		await again.answer(peer.answer(again.sdp));
		assert.equal(bob.pullers.size, 2);
	});

	it('leaves a client’s offers alone', async (t) => {
		const { alice, bob } = await startCall(t);
		const offered = await bob.pull(allOf(alice));
		const pulled = await bob.pull({ ...allOf(alice), offer: anOffer('chromium-recvonly-video-audio') });
		assert.notEqual(pulled.connection, offered.connection);
		assert.equal(bob.pullers.size, 4);
	});

	it('that fails changes nothing', async (t) => {
		const { sfu, alice, bob } = await startCall(t, { limits: { pullersPerUser: 1 } });
		await rejects(sfu, () => bob.pull(allOf(alice)), 'limit_exceeded');
		await rejects(sfu, () => bob.pull({ targetUserId: 'nobody', specs: specsOf(alice) }), 'not_found');
		await rejects(sfu, () => bob.pull({ targetUserId: 'bob', specs: specsOf(alice) }), 'not_found');
		await rejects(sfu, () => bob.pull({ targetUserId: 'alice', specs: [] }), 'invalid_argument');
		assert.deepEqual([bob.connections.length, bob.pullers.size], [0, 0]);
		const offer = await bob.pull({ targetUserId: 'alice', specs: specsOf(alice).slice(1) });
		await rejects(
			sfu,
			async () => {
				await offer.answer(new AnsweringPeer().answer(offer.sdp));
				await bob.pull(allOf(alice));
			},
			'limit_exceeded',
		);
		assert.equal(bob.pullers.size, 1);
	});

	it('beyond the limit of m-lines fails', async (t) => {
		const { alice, bob } = await startCall(t, { limits: { mediaSections: 2 } });
		const offer = await bob.pull(allOf(alice));
		await offer.answer(new AnsweringPeer().answer(offer.sdp));
		const more = await alice.push(anOffer('chromium-sendonly-video'));
		const pull = bob.pull({ targetUserId: 'alice', specs: more.pushers });
		await assert.rejects(pull, { code: 'limit_exceeded', message: /2 m-lines/ });
	});

	it('of pushers that go meanwhile fails, and takes the connection with it', async (t) => {
		const { sfu, alice, bob, pushed } = await startCall(t);
		const pull = bob.pull(allOf(alice));
		pushed.connection.close();
		const before = await held(sfu);
		await assert.rejects(pull, { code: 'not_found' });
		await untilHeld(sfu, before);
		assert.deepEqual([bob.connections.length, bob.pullers.size], [0, 0]);
	});

	it('fits the SDP of any client: each payload type stands for one thing, and none is that of probing', async (t) => {
		const { alice, bob, join } = await startCall(t);
		const peer = new AnsweringPeer();
		const firefox = await join('firefox');
		await firefox.push(anOffer('firefox-sendonly-audio-video'));
		const werift = await join('werift');
		await werift.push(anOffer('werift-send'));
		let last: ServerOffer | undefined;
		for (const user of [alice, firefox, werift]) {
			last = await bob.pull(allOf(user));
			await last.answer(peer.answer(last.sdp));
		}
		const codecs = new Map<number, string>();
		for (const { rtp, fmtp } of sdpTransform.parse(last!.sdp).media) {
			for (const { payload, codec, rate } of rtp) {
				const config = fmtp.find((line) => line.payload === payload)?.config ?? '';
				const described = `${codec}/${String(rate)} ${config}`.toLowerCase();
				assert.equal(codecs.get(payload) ?? described, described);
				codecs.set(payload, described);
			}
		}
		assert.ok(codecs.size > 4 && !codecs.has(127));
	});
});

describe('An answer', () => {
	it('that does not fit is refused, and the offer waits on', async (t) => {
		const { alice, bob } = await startCall(t);
		const offer = await bob.pull(allOf(alice));
		const good = new AnsweringPeer().answer(offer.sdp);
		const wrong: [sdp: unknown, code: string, message: RegExp][] = [
			[null, 'invalid_argument', /not a string/],
			['', 'invalid_argument', /empty/],
			['v=0\r\n', 'invalid_argument', /no m-line/],
			[editMedia(good, 1, () => ''), 'invalid_argument', /1 m-lines, the offer has 2/],
			[replaceLine(good, 'm=video', 'm=audio 9 UDP/TLS/RTP/SAVPF 0'), 'invalid_argument', /m-line 1 is audio/],
			[replaceLine(good, 'a=mid:1', 'a=mid:2'), 'invalid_argument', /mid of m-line 1/],
			[replaceLine(good, 'a=setup', 'a=setup:actpass'), 'invalid_argument', /actpass/],
			[withoutLine(good, 'a=fingerprint'), 'invalid_argument', /no a=fingerprint/],
			[withoutLine(good, 'a=group'), 'invalid_argument', /BUNDLE/],
			['v=0'.padEnd(131_073), 'too_large', /131073 bytes/],
		];
		for (const [sdp, code, message] of wrong) {
			await assert.rejects(offer.answer(sdp as string), { code, message });
		}
		assert.equal(offer.connection.closed, false);
		assert.equal(await outcome(offer.answer(good)), 'done');
	});

	it('comes once: a second one is a conflict, and a refusal after it does nothing', async (t) => {
		const { alice, bob } = await startCall(t);
		const offer = await bob.pull(allOf(alice));
		const sdp = new AnsweringPeer().answer(offer.sdp);
		assert.deepEqual(await Promise.all([outcome(offer.answer(sdp)), outcome(offer.answer(sdp))]), ['done', 'conflict']);
		offer.refuse();
		assert.equal(bob.pullers.size, 2);
	});

	it('may be that of werift', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const werift = new RTCPeerConnection({ codecs: { audio: [useOPUS()], video: [useVP8()] } });
		t.after(() => werift.close());
		const answer = async ({ sdp: offer }: ServerOffer) => {
			await werift.setRemoteDescription({ type: 'offer', sdp: offer });
			await werift.setLocalDescription(await werift.createAnswer());
			return werift.localDescription!.sdp;
		};
		for (const target of [alice, carol]) {
			const offer = await bob.pull(allOf(target));
			await offer.answer(await answer(offer));
		}
		assert.ok([...bob.pullers.values()].every(({ paused }) => !paused));
		assert.equal(bob.pullers.size, 3);
	});

	it('to an earlier offer is a conflict, and does not count for the next one', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		const second = await bob.pull(allOf(carol));
		assert.equal(await outcome(first.answer(peer.answer(first.sdp))), 'conflict');
		assert.equal(bob.pendingOffer, second);
		assert.equal(await outcome(second.answer(peer.answer(second.sdp))), 'done');
	});

	it('of another RTCPeerConnection is a conflict', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		const second = await bob.pull(allOf(carol));
		await assert.rejects(second.answer(new AnsweringPeer().answer(second.sdp)), {
			code: 'conflict',
			message: /fingerprint/,
		});
		assert.equal(await outcome(second.answer(peer.answer(second.sdp))), 'done');
	});

	it('may come by the id of the connection', async (t) => {
		const { alice, bob } = await startCall(t);
		const { connection, sdp: offer } = await bob.pull(allOf(alice));
		const { connectionId } = connection;
		const answer = new AnsweringPeer().answer(offer);
		assert.equal(await outcome(bob.answer({ connectionId: 'another', answer })), 'not_found');
		assert.equal(await outcome(alice.answer({ connectionId, answer })), 'not_found');
		assert.equal(await outcome(bob.answer({ connectionId, answer })), 'done');
		assert.equal(await outcome(bob.answer({ connectionId, answer })), 'conflict');
	});

	it('that rejects an m-line closes its puller; the m-line is used again with another mid', async (t) => {
		const { sfu, alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ puller, reason }) => reasons.push(`${puller.kind} ${reason}`));
		const before = await held(sfu);
		await first.answer(peer.answer(first.sdp, (index) => (index === 1 ? 'reject' : 'receive')));
		assert.deepEqual(reasons, ['video rejected']);
		assert.equal((await held(sfu)).length, before.length - 1);
		const second = await bob.pull(allOf(carol));
		assert.deepEqual(lines(second), ['0 audio sendonly', '2 video sendonly']);
		assert.match(second.sdp, /^a=group:BUNDLE 0 2\r$/m);
		await second.answer(peer.answer(second.sdp));
	});

	it('that rejects what is offered leaves a stopped m-line in the next offer', async (t) => {
		const { alice, bob } = await startCall(t, { offer: 'chromium-sendonly-videos' });
		const peer = new AnsweringPeer();
		const [one, two, three] = specsOf(alice);
		const first = await bob.pull({ targetUserId: 'alice', specs: [one!, two!] });
		await first.answer(peer.answer(first.sdp, (index) => (index === 1 ? 'reject' : 'receive')));
		bob.restartIce(first.connection.connectionId);
		const second = await nextOffer(bob);
		assert.deepEqual(lines(second), ['0 audio inactive', '- video stopped', '2 video sendonly']);
		assert.match(second.sdp, /^a=group:BUNDLE 0 2\r$/m);
		await assert.rejects(second.answer(first.sdp.replaceAll('actpass', 'active')), {
			code: 'invalid_argument',
			message: /not offered/,
		});
		await second.answer(peer.answer(second.sdp));
		const third = await bob.pull({ targetUserId: 'alice', specs: [three!] });
		assert.deepEqual(lines(third), ['0 audio inactive', '3 video sendonly', '2 video sendonly']);
		assert.match(third.sdp, /^a=group:BUNDLE 0 2 3\r$/m);
	});

	it('without the codec rejects, too', async (t) => {
		const { alice, bob } = await startCall(t);
		const peer = new AnsweringPeer();
		const offer = await bob.pull(allOf(alice));
		const answer = replaceLine(peer.answer(offer.sdp), 'm=video', 'm=video 9 UDP/TLS/RTP/SAVPF 35');
		const offered = nextOffer(bob);
		await offer.answer(answer);
		assert.deepEqual(
			[...bob.pullers.values()].map(({ kind }) => kind),
			['audio'],
		);
		assert.deepEqual(lines(await offered), ['0 audio sendonly', '1 video inactive']);
	});

	it('that rejects everything closes the connection', async (t) => {
		const { sfu, join, alice, bob } = await startCall(t);
		await join('dave');
		const before = await held(sfu);
		const reasons: string[] = [];
		bob.on('connectionClosed', ({ reason }) => reasons.push(reason));
		const offer = await bob.pull(allOf(alice));
		await offer.answer(new AnsweringPeer().answer(offer.sdp, () => 'reject'));
		assert.deepEqual([reasons, bob.pullers.size, bob.connections.length], [['offerFailed'], 0, 0]);
		await untilHeld(sfu, before);
	});

	it('pauses what it does not receive, until a later one receives it', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		const [audio, video] = first.pullers;
		await first.answer(peer.answer(first.sdp, (index) => (index === 1 ? 'inactive' : 'receive')));
		assert.deepEqual([audio!.paused, video!.paused], [false, true]);
		const second = await bob.pull(allOf(carol));
		await second.answer(peer.answer(second.sdp));
		assert.deepEqual([audio!.paused, video!.paused], [false, false]);
	});

	it('that does not come in time closes the connection', async (t) => {
		const { sfu, alice, bob } = await startCall(t, { webRtc: { answerTimeout: 50 } });
		const before = await held(sfu);
		const offer = await bob.pull(allOf(alice));
		const { reason } = await new Promise<{ reason: string }>((resolve) => bob.on('connectionClosed', resolve));
		assert.equal(reason, 'answerTimeout');
		await untilHeld(sfu, before);
		assert.equal(await outcome(offer.answer(new AnsweringPeer().answer(offer.sdp))), 'closed');
		offer.refuse();
	});

	it('ends the time for it, and begins the one to connect', async (t) => {
		const { alice, bob } = await startCall(t, { webRtc: { answerTimeout: 1000, connectTimeout: 5000 } });
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const offer = await bob.pull(allOf(alice));
		t.mock.timers.tick(999);
		await offer.answer(new AnsweringPeer().answer(offer.sdp));
		t.mock.timers.tick(4999);
		assert.equal(offer.connection.closed, false);
		t.mock.timers.tick(1);
		assert.equal(offer.connection.closed, true);
	});
});

describe('An offer that is not answered in time', () => {
	it('takes back what it has brought, and all else goes on', async (t) => {
		const { alice, bob, carol } = await startMeeting(t, { webRtc: { answerTimeout: 80 } });
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		const next = nextOffer(bob);
		const second = await bob.pull(allOf(carol));
		const closed: string[] = [];
		bob.on('pullerClosed', ({ reason }) => closed.push(reason));
		// The client may have applied it: its m-line stays, with nothing on it.
		const third = await next;
		assert.deepEqual(closed, ['answerTimeout']);
		assert.deepEqual(lines(third), ['0 audio sendonly', '1 video sendonly', '2 video inactive']);
		assert.deepEqual([...bob.pullers.values()], first.pullers);
		assert.equal(await outcome(second.answer(peer.answer(second.sdp))), 'conflict');
		await third.answer(peer.answer(third.sdp));
		assert.equal(first.connection.closed, false);
		const fourth = await bob.pull(allOf(carol));
		assert.deepEqual(lines(fourth), ['0 audio sendonly', '1 video sendonly', '2 video sendonly']);
		await fourth.answer(peer.answer(fourth.sdp));
		assert.equal(bob.pullers.size, 3);
	});

	it('is followed by one with what came automatically, when the client answers again', async (t) => {
		const { alice, bob, carol } = await startMeeting(t, { webRtc: { answerTimeout: 80 } });
		carol.close();
		const peer = new AnsweringPeer();
		const offers: ServerOffer[] = [];
		let answers = 1;
		bob.on('offer', ({ offer }) => {
			offers.push(offer);
			// The end of the test closes what is being answered.
			if (answers-- > 0) offer.answer(peer.answer(offer.sdp)).catch(() => undefined);
		});
		const connection = bob.autoPull();
		await until(() => offers.length === 1 && !bob.pendingOffer, 'the first is answered');
		const later = await alice.push(anOffer('chromium-sendonly-audio-video'));
		// It is not answered, nor is the one that takes it back.
		await until(() => offers.length === 3, 'it is taken back');
		await until(() => !bob.pendingOffer, 'and nothing waits');
		assert.deepEqual([bob.pullers.size, connection.closed], [2, false]);
		answers = 10;
		bob.restartIce(connection.connectionId);
		await until(() => bob.pullers.size === 4 && !bob.pendingOffer, 'what was missed has come');
		const pulled = new Set([...bob.pullers.values()].map(({ pusherId }) => pusherId));
		for (const { pusherId } of later.pushers) assert.ok(pulled.has(pusherId));
	});
});

describe('A refused offer', () => {
	it('closes what it has brought, and all else goes on', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		const second = await bob.pull(allOf(carol));
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ reason }) => reasons.push(reason));
		second.refuse();
		assert.deepEqual([reasons, [...bob.pullers.values()]], [['rejected'], first.pullers]);
		assert.equal(await outcome(second.answer(peer.answer(second.sdp))), 'conflict');
		const third = await bob.pull(allOf(carol));
		assert.deepEqual(lines(third), ['0 audio sendonly', '1 video sendonly', '3 video sendonly']);
		await third.answer(peer.answer(third.sdp));
	});

	it('that was the first one, or that adds nothing, closes the connection', async (t) => {
		const { sfu, alice, bob } = await startCall(t);
		const before = await held(sfu);
		const reasons: string[] = [];
		bob.on('connectionClosed', ({ reason }) => reasons.push(reason));
		(await bob.pull(allOf(alice))).refuse();
		await untilHeld(sfu, before);
		const first = await bob.pull(allOf(alice));
		await first.answer(new AnsweringPeer().answer(first.sdp));
		bob.restartIce(first.connection.connectionId);
		(await nextOffer(bob)).refuse();
		await untilHeld(sfu, before);
		assert.deepEqual(reasons, ['offerFailed', 'offerFailed']);
	});

	it('that had an ICE restart is followed by one that has it again', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		bob.restartIce(first.connection.connectionId);
		const second = await bob.pull(allOf(carol));
		const next = nextOffer(bob);
		second.refuse();
		const third = await next;
		const ufrag = (sdp: string) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
		assert.equal(new Set([first, second, third].map(({ sdp }) => ufrag(sdp))).size, 3);
		assert.deepEqual(lines(third), lines(first));
		await third.answer(peer.answer(third.sdp));
	});
});

describe('What ends', () => {
	it('is offered inactive, and its m-line is used again', async (t) => {
		const { alice, bob, carol, pushed } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		await first.answer(peer.answer(first.sdp));
		pushed.pushers.find(({ kind }) => kind === 'video')!.close();
		const second = await nextOffer(bob);
		assert.deepEqual(lines(second), ['0 audio sendonly', '1 video inactive']);
		assert.doesNotMatch(second.sdp.split('m=video')[1]!, /ssrc|msid/);
		assert.deepEqual([second.added, second.pullers], [[], [first.pullers[0]]]);
		await second.answer(peer.answer(second.sdp));
		const third = await bob.pull(allOf(carol));
		assert.deepEqual(lines(third), ['0 audio sendonly', '1 video sendonly']);
		await third.answer(peer.answer(third.sdp));
		assert.equal(bob.pullers.size, 2);
	});

	it('while an offer waits is told by the next one', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		const peer = new AnsweringPeer();
		const offers = answerAll(bob, peer);
		const first = await bob.pull(allOf(alice));
		for (const pusher of pushed.pushers) pusher.close();
		await turns(20);
		assert.deepEqual(offers, []);
		await first.answer(peer.answer(first.sdp));
		await until(() => offers.length > 0, 'another offer');
		await turns(20);
		assert.deepEqual(offers.map(lines), [['0 audio inactive', '1 video inactive']]);
		assert.equal(bob.connections.length, 1);
	});

	it('at once is told by one offer', async (t) => {
		const { alice, bob, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const offers = answerAll(bob, peer);
		for (const target of [alice, carol]) {
			const offer = await bob.pull(allOf(target));
			await offer.answer(peer.answer(offer.sdp));
		}
		alice.close();
		await until(() => offers.length > 0, 'an offer');
		await turns(20);
		assert.deepEqual(offers.map(lines), [['0 audio inactive', '1 video inactive', '2 video sendonly']]);
	});

	it('because the app closes it is told like all else', async (t) => {
		const { alice, bob } = await startCall(t);
		const offers = answerAll(bob);
		const first = await bob.pull(allOf(alice));
		await first.answer(new AnsweringPeer('one').answer(first.sdp));
		first.pullers[0]!.close('because');
		await until(() => offers.length > 0, 'an offer');
		assert.deepEqual(lines(offers[0]!), ['0 audio inactive', '1 video sendonly']);
	});
});

describe('autoPull', () => {
	it('offers what the others push: audio first, without what is the user’s own', async (t) => {
		const { bob, alice, carol } = await startMeeting(t);
		await bob.push(anOffer('chromium-sendonly-audio'));
		const offered = nextOffer(bob);
		const connection = bob.autoPull();
		const offer = await offered;
		assert.equal(offer.connection, connection);
		assert.deepEqual(lines(offer), ['0 audio sendonly', '1 video sendonly', '2 video sendonly']);
		assert.deepEqual(
			new Set(offer.pullers.map(({ pusherId }) => pusherId)),
			new Set([...alice.pushers.keys(), ...carol.pushers.keys()]),
		);
	});

	it('follows the room', async (t) => {
		const { bob, alice, join, pushed } = await startCall(t);
		const offers = answerAll(bob);
		bob.autoPull();
		const carries = (...users: User[]) =>
			until(() => {
				const wanted = users.flatMap(({ pushers }) => [...pushers.keys()]);
				const carried = offers.at(-1)?.pullers.filter(({ closed }) => !closed) ?? [];
				return wanted.length === carried.length && carried.every(({ pusherId }) => wanted.includes(pusherId));
			}, 'all is offered');
		await carries(alice);
		const dave = await join('dave');
		await dave.push(anOffer('chromium-sendonly-audio-video'));
		await carries(alice, dave);
		pushed.pushers[0]!.close();
		await carries(alice, dave);
		alice.close();
		await carries(dave);
		await dave.push(anOffer('firefox-sendonly-videos'));
		await carries(dave);
		assert.equal(sdpTransform.parse(offers.at(-1)!.sdp).media.length, 6, 'm-lines are used again');
	});

	it('waits in an empty room, and when all there was went before it was offered', async (t) => {
		const { join, sfu, messages } = await startRoom(t);
		const bob = await join('bob');
		const before = await held(sfu);
		const connection = bob.autoPull();
		await turns(20);
		await untilHeld(sfu, before);
		const alice = await join('alice');
		const { connection: camera } = await alice.push(anOffer('chromium-sendonly-video'));
		camera.close();
		await turns(50);
		await untilHeld(sfu, before);
		assert.equal(connection.closed, false);
		const offered = nextOffer(bob);
		await alice.push(anOffer('chromium-sendonly-video'));
		assert.deepEqual(lines(await offered), ['0 audio inactive', '1 video sendonly']);
		assert.deepEqual(messages, []);
	});

	it('does not bring back what the client has stopped, unless it is called again', async (t) => {
		const { bob, alice } = await startCall(t);
		const peer = new AnsweringPeer();
		const offers = answerAll(bob, peer);
		bob.autoPull();
		await until(() => bob.pullers.size === 2, 'all is offered');
		[...bob.pullers.values()][0]!.close('unpulled');
		await until(() => offers.length === 2, 'that is told');
		await alice.push(anOffer('chromium-sendonly-video'));
		await until(() => offers.length === 3, 'more is offered');
		assert.deepEqual(lines(offers[2]!), ['0 audio inactive', '1 video sendonly', '2 video sendonly']);
		bob.autoPull();
		await until(() => offers.length === 4, 'all is offered');
		assert.equal(bob.pullers.size, 3);
		bob.autoPull();
		await turns(50);
		assert.equal(offers.length, 4, 'nothing is offered twice');
	});

	it('offers what there is room for, and says what not', async (t) => {
		const { bob, messages, details } = await startCall(t, { limits: { pullersPerUser: 1 } });
		const offers = answerAll(bob);
		bob.autoPull();
		await until(() => offers.length === 1, 'one is offered');
		assert.deepEqual(lines(offers[0]!), ['0 audio sendonly']);
		assert.deepEqual(messages, ['not everything is offered']);
		const { userId, reason } = details[0] as { userId: string; reason: string };
		assert.equal(userId, 'bob');
		assert.match(reason, /pullers/);
	});

	it('ends with its connection', async (t) => {
		const { bob, join } = await startCall(t);
		const offers = answerAll(bob);
		const connection = bob.autoPull();
		await until(() => offers.length === 1, 'all is offered');
		connection.close();
		const carol = await join('carol');
		await carol.push(anOffer('firefox-sendonly-video'));
		await turns(50);
		assert.deepEqual([offers.length, bob.connections.length], [1, 0]);
		bob.autoPull();
		await until(() => offers.length === 2, 'all is offered anew');
		assert.equal(offers[1]!.pullers.length, 3);
	});

	it('and a pull that waits: the pull’s offer has both', async (t) => {
		const { bob, alice, carol } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const offers = answerAll(bob, peer);
		const first = await bob.pull(allOf(carol));
		bob.autoPull();
		const pull = bob.pull({ targetUserId: 'alice', specs: specsOf(alice).slice(0, 1) });
		await first.answer(peer.answer(first.sdp));
		const second = await pull;
		assert.equal(second.added.length, 2);
		assert.deepEqual(offers, []);
		await second.answer(peer.answer(second.sdp));
	});
});

describe('An ICE restart', () => {
	it('comes by an offer with other credentials, and only then', async (t) => {
		const { alice, bob } = await startCall(t);
		const peer = new AnsweringPeer();
		const first = await bob.pull(allOf(alice));
		const { connectionId } = first.connection;
		bob.restartIce(connectionId);
		const offered = nextOffer(bob);
		await first.answer(peer.answer(first.sdp));
		const second = await offered;
		const credentials = (sdp: string) => sdp.match(/^a=ice-(ufrag|pwd):.*$/gm);
		assert.notDeepEqual(credentials(second.sdp), credentials(first.sdp));
		assert.deepEqual([lines(second), second.added], [lines(first), []]);
		await second.answer(peer.answer(second.sdp));
		await turns(20);
		assert.equal(bob.pendingOffer, undefined);
		assert.throws(
			() => {
				bob.restartIce('another');
			},
			{ code: 'not_found' },
		);
		assert.throws(
			() => {
				alice.restartIce(connectionId);
			},
			{ code: 'not_found' },
		);
	});

	it('is a conflict before there is an offer', async (t) => {
		const { join } = await startRoom(t);
		const bob = await join('bob');
		const { connectionId } = bob.autoPull();
		assert.throws(
			() => {
				bob.restartIce(connectionId);
			},
			{ code: 'conflict' },
		);
	});
});

describe('A connection for which the server offers', () => {
	const closeAll = (user: User) => {
		for (const connection of user.connections) connection.close();
	};

	for (const [what, interruption, code] of [
		['that closes', closeAll, 'closed'],
		[
			'whose user leaves',
			(user: User) => {
				user.close();
			},
			'closed',
		],
	] as const) {
		it(`${what} during any request of a pull or an answer leaves nothing`, async (t) => {
			const { sfu, worker, alice, room } = await startCall(t, {
				offer: 'firefox-sendonly-audio-video',
				limits: { pullersPerUser: 2, connectionsPerUser: 1 },
			});
			const before = await held(sfu);
			const results: string[] = [];
			let round = 0;
			await interruptEach(worker, async (interrupted) => {
				const bob = await room.join({ userId: `bob ${round++}` });
				const peer = new AnsweringPeer();
				const call = async () => {
					const offer = await bob.pull(allOf(alice));
					await offer.answer(peer.answer(offer.sdp));
				};
				results.push(await interrupted(interruption.bind(undefined, bob), () => outcome(call())));
				assert.equal(bob.pullers.size, results.at(-1) === 'done' ? 2 : 0);
				bob.close();
				await untilHeld(sfu, before);
			});
			assert.ok(results.length > 10);
			assert.deepEqual([...new Set(results.slice(0, -1))], [code]);
			assert.equal(results.at(-1), 'done');
		});
	}

	it('whose pushers go during any request of a pull or an answer holds nothing of them', async (t) => {
		const { sfu, worker, bob, join } = await startCall(t);
		const results = new Set<string>();
		await interruptEach(worker, async (interrupted) => {
			const carol = await join('carol');
			await carol.push(anOffer('firefox-sendonly-audio-video'));
			const before = await held(sfu);
			const call = async () => {
				const offer = await bob.pull(allOf(carol));
				await offer.answer(new AnsweringPeer().answer(offer.sdp));
			};
			const leave = () => {
				carol.close();
			};
			results.add(await interrupted(leave, () => outcome(call())));
			carol.close();
			await until(() => bob.pullers.size === 0, 'the pullers are closed');
			closeAll(bob);
			await until(async () => (await held(sfu)).length < before.length, 'nothing is left');
		});
		assert.deepEqual([...results].sort(), ['done', 'not_found']);
	});

	it('closes during any request of an ICE restart, and leaves nothing', async (t) => {
		const { sfu, worker, alice, bob } = await startCall(t);
		const before = await held(sfu);
		await interruptEach(worker, async (interrupted) => {
			const peer = new AnsweringPeer();
			const first = await bob.pull(allOf(alice));
			await first.answer(peer.answer(first.sdp));
			const restart = async () => {
				const offered = new Promise((resolve) => {
					bob.once('offer', resolve);
					bob.once('connectionClosed', resolve);
				});
				bob.restartIce(first.connection.connectionId);
				await offered;
			};
			await interrupted(closeAll.bind(undefined, bob), restart);
			closeAll(bob);
			await untilHeld(sfu, before);
		});
	});

	it('whose worker dies is closed; pulls and answers are told that it is unavailable', async (t) => {
		const { worker, alice, bob, sfu } = await startCall(t);
		const first = await bob.pull(allOf(alice));
		const waiting = outcome(bob.pull(allOf(alice)));
		const reasons: string[] = [];
		bob.on('connectionClosed', ({ reason }) => reasons.push(reason));
		bob.on('pullerClosed', ({ reason }) => reasons.push(reason));
		const replaced = new Promise((resolve) => sfu.once('workerReplaced', resolve));
		process.kill(worker.pid, 'SIGKILL');
		assert.equal(await waiting, 'unavailable');
		assert.equal(await outcome(first.answer(new AnsweringPeer().answer(first.sdp))), 'unavailable');
		assert.deepEqual(reasons, ['workerDied', 'workerDied', 'workerDied']);
		await replaced;
		await alice.push(anOffer('chromium-sendonly-video'));
		const again = await bob.pull(allOf(alice));
		assert.notEqual(again.connection, first.connection);
		assert.equal(await outcome(again.answer(new AnsweringPeer().answer(again.sdp))), 'done');
	});

	it('rejects all that wait when it is closed, and each further call', async (t) => {
		const { alice, bob } = await startCall(t);
		const first = await bob.pull(allOf(alice));
		const waiting = [bob.pull(allOf(alice)), bob.pull(allOf(alice))].map(outcome);
		first.connection.close();
		first.connection.close();
		assert.deepEqual(await Promise.all(waiting), ['closed', 'closed']);
		assert.throws(
			() => {
				bob.restartIce(first.connection.connectionId);
			},
			{ code: 'not_found' },
		);
		bob.close();
		assert.equal(await outcome(bob.pull(allOf(alice))), 'closed');
		assert.equal(await outcome(bob.answer({ connectionId: first.connection.connectionId, answer: '' })), 'closed');
		assert.throws(() => bob.autoPull(), { code: 'closed' });
	});

	it('is not disturbed by a listener of offers that throws, or that answers, refuses, pulls or leaves in it', async (t) => {
		const { sfu, alice, carol, join } = await startMeeting(t);
		const peer = new AnsweringPeer();
		const acts: ((user: User, offer: ServerOffer) => void)[] = [
			() => {
				throw new Error('of the listener');
			},
			(_, offer) => void outcome(offer.answer(peer.answer(offer.sdp))),
			(_, offer) => {
				offer.refuse();
			},
			(user) => void outcome(user.pull(allOf(carol))),
			(user, { connection }) => {
				user.restartIce(connection.connectionId);
			},
			(user) => {
				user.close();
			},
			() => {
				alice.close();
			},
		];
		const before = await held(sfu);
		for (const [index, act] of acts.entries()) {
			const user = await join(`user ${index}`);
			const offered = nextOffer(user);
			user.once('offer', ({ offer }) => {
				act(user, offer);
			});
			user.autoPull();
			await offered;
			await turns(20);
			user.close();
			if (!alice.closed) await untilHeld(sfu, before);
		}
	});
});
