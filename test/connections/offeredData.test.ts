import assert from 'node:assert/strict';
import sdpTransform from 'sdp-transform';
import { describe, it, type TestContext } from 'node:test';
import type { DataPusher, PushDataOptions, ServerOffer, SfuOptions, User } from 'sfu-rooms';
import * as werift from 'werift';
import { pullInterruptions } from '../data/interruptions.js';
import { AnsweringPeer } from '../support/answers.js';
import { mediaAddress } from '../support/namespace.js';
import { anOffer, replaceLine, withoutLine } from '../support/offers.js';
import { held, interruptEach, outcome, rejects, startRoom, turns, until, untilHeld } from '../rooms/setup.js';
import { dataPullers, dataPushers, mediaPushers } from '../support/parted.js';

const offerWithData = () => anOffer('chromium-sendonly-audio-video-data');

/** The m-lines of an offer: where, which and what. */
const lines = ({ sdp }: ServerOffer) =>
	sdpTransform.parse(sdp).media.map(({ mid, type, port, direction }) => {
		return `${mid ?? '-'} ${type} ${port === 0 ? 'stopped' : (direction ?? 'open')}`;
	});

const labels = (of: Iterable<{ pusherId: string }>, user: User) =>
	[...of].map(({ pusherId }) => {
		const pusher = user.pushers.get(pusherId);
		return pusher?.kind === 'data' ? pusher.label : 'no data channel';
	});

/** Alice pushes audio, video and data channels with these labels; Bob is there, and has something that answers. */
async function startData(t: TestContext, { open = ['chat'], ...options }: SfuOptions & { open?: string[] } = {}) {
	const started = await startRoom(t, options);
	const [alice, bob] = [await started.join('alice'), await started.join('bob')];
	const offer = offerWithData();
	// Far from those that wait for channels in-band, so that they come and go alone.
	let lastId = 100;
	const push = async (...opened: Omit<PushDataOptions, 'id'>[]) => {
		const data = opened.map((channel) => ({ id: ++lastId, ...channel }));
		return dataPushers(await alice.push(offer, { data })).slice(-opened.length);
	};
	const channels = await push(...open.map((label) => ({ label })));
	const peer = new AnsweringPeer();
	const offers: ServerOffer[] = [];
	return {
		...started,
		alice,
		bob,
		peer,
		channels,
		push,
		pull: (specs: readonly { pusherId: string; negotiated?: boolean }[]) => bob.pull({ targetUserId: 'alice', specs }),
		answer: (of: ServerOffer) => of.answer(peer.answer(of.sdp)),
		/** Those that no call has asked for, each of which is answered. */
		offers,
		answerAll: () => {
			bob.on('offer', ({ offer }) => {
				offers.push(offer);
				void offer.answer(peer.answer(offer.sdp)).catch(() => undefined);
			});
		},
	};
}

describe('A pull of data channels without an offer', () => {
	it('gives an offer that has an m-line for them, beside those of media', async (t) => {
		const { alice, bob, channels, pull, answer } = await startData(t, { open: ['chat', 'game'] });
		const video = [...alice.pushers.values()].find(({ kind }) => kind === 'video')!;
		const offer = await pull([video, ...channels]);
		assert.deepEqual(lines(offer), ['0 audio inactive', '1 video sendonly', '2 application open']);
		assert.match(offer.sdp, /^a=group:BUNDLE 0 1 2\r$/m);
		assert.deepEqual(labels(dataPullers(offer), alice), ['chat', 'game']);
		assert.deepEqual(offer.added, offer.pullers);
		assert.deepEqual(dataPullers(bob), dataPullers(offer));
		assert.deepEqual(
			dataPullers(offer).map(({ connectionId, negotiated }) => [connectionId, negotiated]),
			[0, 1].map(() => [offer.connection.connectionId, false]),
		);
		const [one, other] = dataPullers(offer).map(({ channelId }) => channelId);
		assert.ok(one! % 2 === 1 && other === one! + 2, 'the ids are of the DTLS server’s half');
		assert.equal(await outcome(answer(offer)), 'done');
	});

	it('alone has the idle m-line before it', async (t) => {
		const { channels, pull, answer } = await startData(t);
		const offer = await pull(channels);
		assert.deepEqual(lines(offer), ['0 audio inactive', '1 application open']);
		assert.equal(await outcome(answer(offer)), 'done');
	});

	it('comes on the same m-line as those before; what is pulled already, or has gone, adds nothing', async (t) => {
		const { alice, bob, channels, push, pull, answer } = await startData(t);
		const first = await pull(channels);
		await answer(first);
		const second = await pull(await push({ label: 'game' }, { label: 'log' }));
		assert.deepEqual(lines(second), lines(first));
		assert.deepEqual(
			[labels(second.added, alice), labels(dataPullers(second), alice)],
			[
				['game', 'log'],
				['chat', 'game', 'log'],
			],
		);
		await answer(second);
		const third = await pull(dataPushers(alice));
		assert.deepEqual([third.added, dataPullers(third)], [[], dataPullers(second)]);
		await answer(third);
		const [chat, game] = dataPushers(alice);
		const fourth = pull([chat!, game!]);
		chat!.close();
		assert.deepEqual(labels(dataPullers(await fourth), alice), ['game', 'log']);
		assert.equal(dataPullers(bob).length, 2);
	});

	it('that fails changes nothing', async (t) => {
		const limits = { pullersPerUser: 2, mediaSections: 3 };
		const { sfu, alice, bob, channels, pull, answer } = await startData(t, { open: ['a', 'b', 'c'], limits });
		const [a, b, c] = channels as [DataPusher, DataPusher, DataPusher];
		const audio = { pusherId: [...alice.pushers.keys()][0]!, kind: 'data' as const };
		await rejects(sfu, () => pull([a, b, c]), 'limit_exceeded', /pullers/);
		await rejects(sfu, () => pull([{ pusherId: 'x' }]), 'not_found', 'user "alice" has no pusher "x"');
		await rejects(sfu, () => pull([a, a]), 'invalid_argument', /twice/);
		await rejects(sfu, () => pull([audio]), 'invalid_argument', /not data/);
		await rejects(sfu, () => pull([{ pusherId: a.pusherId, negotiated: null as never }]), 'invalid_argument');
		assert.deepEqual([bob.connections.length, dataPullers(bob).length], [0, 0]);
		await answer(await pull([a]));
		await rejects(sfu, () => pull([b, c]), 'limit_exceeded');
		assert.equal(dataPullers(bob).length, 1);
	});

	it('beyond the limit of m-lines fails, and leaves nothing', async (t) => {
		const { sfu, alice, bob, channels, pull, answer } = await startData(t, { limits: { mediaSections: 3 } });
		const pushers = mediaPushers(await alice.push(anOffer('firefox-sendonly-videos')));
		await answer(await pull(pushers.slice(0, 2)));
		await rejects(sfu, () => pull(channels), 'limit_exceeded', /3 m-lines/);
		assert.equal(dataPullers(bob).length, 0);
	});

	it('of channels that go meanwhile fails, and takes the connection with it', async (t) => {
		const { sfu, alice, bob, channels, pull } = await startData(t);
		const before = await held(sfu);
		const pulling = pull(channels);
		channels[0]!.close();
		await assert.rejects(pulling, { code: 'not_found' });
		await until(async () => (await held(sfu)).length < before.length, 'only the channel has gone');
		assert.deepEqual([bob.connections.length, dataPushers(alice).length], [0, 0]);
	});
});

describe('An answer to an offer with data channels', () => {
	it('that does not take them as they are offered is refused, and the offer waits on', async (t) => {
		const { channels, peer, pull } = await startData(t);
		const offer = await pull(channels);
		const good = peer.answer(offer.sdp);
		const wrong: [string, RegExp][] = [
			[withoutLine(good, 'a=sctp-port'), /m-line 1 has no data channels as we know them/],
			[replaceLine(good, 'a=sctp-port', 'a=sctp-port:5001'), /as we know them/],
			[replaceLine(good, 'm=application', 'm=application 9 DTLS/SCTP 5000'), /as we know them/],
			[replaceLine(good, 'm=application', 'm=video 9 UDP/TLS/RTP/SAVPF 96'), /m-line 1 is video, not application/],
			[replaceLine(good, 'a=mid:1', 'a=mid:2'), /mid of m-line 1/],
			[replaceLine(good, 'a=group', 'a=group:BUNDLE 0'), /BUNDLE/],
		];
		for (const [sdp, message] of wrong) {
			await assert.rejects(offer.answer(sdp), { code: 'invalid_argument', message });
		}
		assert.equal(await outcome(offer.answer(good)), 'done');
	});

	it('that rejects their m-line closes them; it comes back with another mid', async (t) => {
		const { bob, channels, peer, pull, answer } = await startData(t);
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ puller, reason }) => puller.kind === 'data' && reasons.push(reason));
		const first = await pull(channels);
		await first.answer(peer.answer(first.sdp, (index) => (index === 1 ? 'reject' : 'receive')));
		assert.deepEqual([reasons, dataPullers(bob).length], [['rejected'], 0]);
		bob.restartIce(first.connection.connectionId);
		const second = await new Promise<ServerOffer>((resolve) => {
			bob.once('offer', ({ offer }) => {
				resolve(offer);
			});
		});
		assert.deepEqual(lines(second), ['0 audio inactive', '- application stopped']);
		await answer(second);
		const third = await pull(channels);
		assert.deepEqual(lines(third), ['0 audio inactive', '2 application open']);
		await answer(third);
		assert.equal(dataPullers(bob).length, 1);
	});

	it('may be a refusal: what the offer adds is closed, and all else goes on', async (t) => {
		const { alice, bob, channels, push, pull, answer } = await startData(t);
		await answer(await pull(mediaPushers(alice)));
		const second = await pull(channels);
		second.refuse();
		assert.deepEqual([dataPullers(second)[0]?.closed, dataPullers(bob).length, bob.pullers.size], [true, 0, 2]);
		const third = await pull(channels);
		assert.deepEqual(lines(third), ['0 audio sendonly', '1 video sendonly', '3 application open']);
		await answer(third);
		const fourth = await pull(await push({ label: 'game' }));
		fourth.refuse();
		assert.deepEqual(labels(dataPullers(bob), alice), ['chat']);
	});
});

describe('autoPull of data channels', () => {
	it('brings the first ones by an offer, the next ones without', async (t) => {
		const { alice, bob, offers, answerAll, push } = await startData(t);
		const told: string[] = [];
		bob.on('pullerAdded', ({ puller, inBand }) => inBand && told.push(...labels([puller], alice)));
		answerAll();
		bob.autoPull();
		await until(() => offers.length === 1 && !bob.pendingOffer, 'all is offered');
		assert.deepEqual(lines(offers[0]!), ['0 audio sendonly', '1 video sendonly', '2 application open']);
		assert.deepEqual([labels(dataPullers(bob), alice), told], [['chat'], []]);
		await push({ label: 'game' });
		await until(() => dataPullers(bob).length === 2, 'the next one comes');
		await alice.push(anOffer('chromium-sendonly-video'));
		await until(() => offers.length === 2 && !bob.pendingOffer, 'more media is offered');
		assert.deepEqual([told, labels(dataPullers(offers[1]!), alice)], [['game'], ['chat', 'game']]);
	});

	it('of one that is opened in an empty room brings it', async (t) => {
		const { join } = await startRoom(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		bob.autoPull();
		const offered = new Promise<ServerOffer>((resolve) => {
			bob.once('offer', ({ offer }) => {
				resolve(offer);
			});
		});
		await alice.push(offerWithData(), { data: [{ id: 1, label: 'chat' }] });
		assert.deepEqual(labels(dataPullers(await offered), alice), ['chat']);
	});

	it('does not bring back what the client has closed, and leaves out what there is no room for', async (t) => {
		const options = { open: ['a', 'b'], limits: { pullersPerUser: 4 } };
		const { alice, bob, messages, offers, answerAll, push } = await startData(t, options);
		answerAll();
		bob.autoPull();
		await until(() => offers.length === 1 && !bob.pendingOffer, 'all is offered');
		dataPullers(bob)[0]!.close('unpulled');
		const audio = [...bob.pullers.values()].find(({ kind }) => kind === 'audio')!;
		audio.close('unpulled');
		await until(() => offers.length === 2 && !bob.pendingOffer, 'the end of the audio is offered');
		await push({ label: 'c' }, { label: 'd' }, { label: 'e' });
		await until(() => messages.some((message) => message.includes('not everything is offered')), 'one has no room');
		assert.deepEqual(labels(dataPullers(bob), alice), ['b', 'c', 'd']);
		assert.equal(offers.length, 2);
	});
});

describe('A data channel that is offered', () => {
	it('closes with its pusher, without another offer; its m-line stays', async (t) => {
		const { alice, bob, channels, offers, answerAll, push, pull, answer } = await startData(t);
		answerAll();
		await answer(await pull([...channels, ...mediaPushers(alice)]));
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ puller, reason }) => puller.kind === 'data' && reasons.push(reason));
		channels[0]!.close();
		await turns(20);
		assert.deepEqual([reasons, dataPullers(bob).length, offers], [['pusherClosed'], 0, []]);
		const offer = await pull(await push({ label: 'game' }));
		assert.deepEqual(lines(offer), ['0 audio sendonly', '1 video sendonly', '2 application open']);
		await answer(offer);
		alice.close();
		await until(() => offers.length === 1, 'the end of the media is offered');
		assert.deepEqual(lines(offers[0]!), ['0 audio inactive', '1 video inactive', '2 application open']);
		assert.deepEqual(reasons, ['pusherClosed', 'pusherClosed']);
	});

	it('closes with its connection, which releases all that it has taken', async (t) => {
		const { sfu, bob, channels, pull, answer } = await startData(t);
		const before = await held(sfu);
		const reasons: string[] = [];
		bob.on('pullerClosed', ({ puller, reason }) => puller.kind === 'data' && reasons.push(reason));
		const offer = await pull(channels);
		await answer(offer);
		offer.connection.close();
		assert.deepEqual([reasons, dataPullers(bob).length], [['connectionClosed'], 0]);
		await untilHeld(sfu, before);
	});

	for (const [what, interruption, outcomes] of pullInterruptions) {
		it(`leaves nothing when ${what} during any request of a pull or an answer`, async (t) => {
			const { sfu, worker, alice, push, join } = await startData(t);
			const before = await held(sfu);
			let rounds = 0;
			const requests = await interruptEach(worker, async (interrupted) => {
				const bob = await join(`bob ${rounds++}`);
				const [pusher] = await push({ label: 'game' });
				const call = async () => {
					const offer = await bob.pull({ targetUserId: 'alice', specs: [pusher!] });
					await offer.answer(new AnsweringPeer().answer(offer.sdp));
				};
				const calling = interrupted(
					() => {
						interruption({ bob, pusher: pusher! });
					},
					() => outcome(call()),
				);
				assert.match(await calling, outcomes);
				bob.close();
				pusher!.close();
				assert.deepEqual([dataPullers(bob).length, dataPushers(alice).length], [0, 1]);
				await untilHeld(sfu, before);
			});
			assert.ok(requests > 2);
		});
	}

	it('flows to werift when that has answered, and not before', async (t) => {
		const webRtc = { listen: [{ ip: mediaAddress }] };
		const { join } = await startRoom(t, { webRtc });
		const [alice, bob] = [await join('alice'), await join('bob')];
		const sender = new werift.RTCPeerConnection({ iceServers: [] });
		const receiver = new werift.RTCPeerConnection({ iceServers: [] });
		t.after(() => Promise.all([sender.close(), receiver.close()]));
		const channel = sender.createDataChannel('chat', { protocol: 'json' });
		await sender.setLocalDescription(await sender.createOffer());
		const pushed = await alice.push(sender.localDescription!.sdp);
		await sender.setRemoteDescription({ type: 'answer', sdp: pushed.answer });
		await until(() => dataPushers(alice).length === 1, 'it is pushed');
		const came: unknown[] = [];
		receiver.onDataChannel.subscribe((opened) => {
			came.push([opened.label, opened.protocol, opened.id]);
			opened.onMessage.subscribe((data) => came.push(data));
		});
		const offer = await bob.pull({ targetUserId: 'alice', specs: dataPushers(alice) });
		await receiver.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
		await receiver.setLocalDescription(await receiver.createAnswer());
		channel.send('too early');
		await offer.answer(receiver.localDescription!.sdp);
		await until(() => came.length === 1, 'it is open');
		channel.send('hello');
		channel.send(Buffer.from([1, 2]));
		await until(() => came.length === 3, 'it comes');
		assert.deepEqual(came, [['chat', 'json', dataPullers(offer)[0]!.channelId], 'hello', Buffer.from([1, 2])]);
	});
});
