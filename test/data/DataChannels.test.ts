import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DataPusher, Logger, PullSpec, PushOptions, SfuOptions, User } from 'sfu-rooms';
import * as werift from 'werift';
import { mediaAddress } from '../support/namespace.js';
import { anOffer } from '../support/offers.js';
import { held, interruptEach, outcome, rejects, startRoom, turns, until, untilHeld } from '../rooms/setup.js';
import { dataPullers, dataPushers, labelOf } from '../support/parted.js';
import { pullInterruptions } from './interruptions.js';

const offerWithData = () => anOffer('chromium-sendonly-audio-video-data');

/** A WebRTC in Node, with data channels alone. */
function newClient(t: TestContext) {
	const connection = new werift.RTCPeerConnection({ iceServers: [] });
	t.after(() => connection.close());
	const received: { label: string; data: string | Buffer }[] = [];
	const follow = (channel: werift.RTCDataChannel) => {
		channel.onMessage.subscribe((data) => received.push({ label: channel.label, data }));
		return channel;
	};
	const channels: werift.RTCDataChannel[] = [];
	connection.onDataChannel.subscribe((channel) => channels.push(follow(channel)));
	return {
		connection,
		received,
		/** Those that the server has opened. */
		channels,
		open: (label: string, options?: Parameters<typeof connection.createDataChannel>[1]) =>
			follow(connection.createDataChannel(label, options)),
		offer: async () => {
			await connection.setLocalDescription(await connection.createOffer());
			return connection.localDescription!.sdp;
		},
		accept: (sdp: string) => connection.setRemoteDescription({ type: 'answer', sdp }),
	};
}

async function startData(t: TestContext, options: SfuOptions = {}) {
	const started = await startRoom(t, { webRtc: { listen: [{ ip: mediaAddress }] }, ...options });
	const alice = await started.join('alice');
	const bob = await started.join('bob');
	const sender = newClient(t);
	const receiver = newClient(t);
	return {
		...started,
		alice,
		bob,
		sender,
		receiver,
		/** Alice pushes what her client has opened. */
		push: async () => {
			const result = await alice.push(await sender.offer());
			await sender.accept(result.answer);
			return result;
		},
		/** Bob pulls. */
		pull: async (pushers: Iterable<DataPusher>) => {
			receiver.open('mine');
			const offer = await receiver.offer();
			const result = await bob.pull({ targetUserId: 'alice', specs: [...pushers], offer });
			await receiver.accept(result.answer);
			return result;
		},
	};
}

/**
 * A room where clients may take as long as they like to connect. Here none ever does, and what the worker holds must not
 * change because one of them has taken too long while a slow machine plays many rounds.
 */
const startPatientRoom = (t: TestContext) => startRoom(t, { webRtc: { connectTimeout: 600_000 } });

const only = (user: User): DataPusher => {
	const [pusher] = dataPushers(user);
	assert.ok(pusher);
	return pusher;
};

describe('A data channel', () => {
	it('is opened, pulled, and closed with its user', async (t) => {
		const { room, alice, bob, sender, receiver, push, pull } = await startData(t);
		const told: string[] = [];
		room.on('pusherAdded', ({ user, pusher }) => told.push(`${user.userId} has ${labelOf(pusher)}`));
		room.on('pusherClosed', ({ pusher, reason }) => told.push(`${labelOf(pusher)} closed: ${reason}`));
		bob.on('pullerClosed', ({ reason }) => told.push(`puller closed: ${reason}`));
		const chat = sender.open('chat', { protocol: 'json' });
		await push();
		await until(() => dataPushers(alice).length === 1, 'it is pushed');
		const pusher = only(alice);
		assert.deepEqual(
			[pusher.kind, pusher.userId, pusher.label, pusher.protocol, pusher.ordered, pusher.inBand],
			['data', 'alice', 'chat', 'json', true, true],
		);
		const pulled = dataPullers(await pull([pusher]));
		assert.deepEqual(
			pulled.map(({ kind, targetUserId, pusherId }) => [kind, targetUserId, pusherId]),
			[['data', 'alice', pusher.pusherId]],
		);
		await until(() => receiver.channels.length === 1, 'the server opens it');
		assert.deepEqual([receiver.channels[0]!.label, receiver.channels[0]!.protocol], ['chat', 'json']);
		chat.send('hello');
		chat.send(Buffer.from([1, 2]));
		await until(() => receiver.received.length === 2, 'it comes');
		assert.deepEqual(receiver.received, [
			{ label: 'chat', data: 'hello' },
			{ label: 'chat', data: Buffer.from([1, 2]) },
		]);
		alice.close();
		assert.deepEqual([dataPushers(alice).length, dataPullers(bob).length], [0, 0]);
		assert.deepEqual(told, ['alice has chat', 'chat closed: userLeft', 'puller closed: pusherClosed']);
		await assert.rejects(pusher.send('x'), { code: 'closed' });
		pusher.close();
	});

	it('leads to the app, which listens when it likes, and back', async (t) => {
		const { room, alice, sender, push } = await startData(t);
		const channel = sender.open('chat');
		await push();
		await until(() => dataPushers(alice).length === 1, 'it is pushed');
		const pusher = only(alice);
		const heard: unknown[] = [];
		const listener = ({ data }: { data: string | Buffer }) => heard.push(data);
		pusher.on('message', listener);
		channel.send('one');
		await until(() => heard.length === 1, 'it is heard');
		pusher.off('message', listener);
		channel.send('two');
		await until(async () => (await pusher.pullSource.producer!.getStats())[0]?.messagesReceived === 3, 'it has come');
		// mediasoup tells of a message one turn later.
		await turns(1);
		pusher.once('message', listener);
		channel.send('three');
		await until(() => heard.length === 2, 'it is heard again');
		assert.deepEqual(heard, ['one', 'three']);
		await pusher.send('back');
		assert.equal(await room.sendData(Buffer.from([7]), { userIds: ['alice', 'alice'] }), 1);
		assert.equal(await room.sendData('nobody', { label: 'other' }), 0);
		await until(() => sender.received.length === 2, 'both come');
		assert.deepEqual(
			sender.received.map(({ data }) => data),
			['back', Buffer.from([7])],
		);
		await assert.rejects(pusher.send(1 as unknown as string), { code: 'invalid_argument' });
		await assert.rejects(pusher.send('x'.repeat(262_145)), { code: 'too_large' });
		await assert.rejects(room.sendData('x', { userIds: ['nobody'] }), { code: 'not_found' });
		await assert.rejects(room.sendData(null as unknown as string), { code: 'invalid_argument' });
		await assert.rejects(room.sendData('x', { users: [] } as object), { code: 'invalid_argument' });
		room.close();
		await assert.rejects(room.sendData('x'), { code: 'closed' });
	});

	it('is described, and what is said of it changes', async (t) => {
		const { room, alice } = await startData(t);
		const data = [{ id: 3, label: 'game', ordered: false, maxRetransmits: 0, source: 'moves', metadata: { level: 1 } }];
		const offer = offerWithData();
		const [pusher] = dataPushers(await alice.push(offer, { data }));
		assert.ok(pusher);
		assert.deepEqual(
			[pusher.channelId, pusher.label, pusher.ordered, pusher.maxRetransmits, pusher.source, pusher.metadata],
			[3, 'game', false, 0, 'moves', { level: 1 }],
		);
		let changes = 0;
		room.on('pusherChanged', () => changes++);
		pusher.update({ metadata: null });
		pusher.update({ metadata: null });
		assert.deepEqual([pusher.metadata, changes], [undefined, 1]);
		const again = await alice.push(offer, { data: [{ id: 3, source: 'other' }] });
		assert.equal(dataPushers(again)[0], pusher);
		assert.deepEqual([pusher.source, changes], ['other', 2]);
	});

	it('closes at the client when the app closes it a moment after it was opened, and no other closes', async (t) => {
		const { room, alice, sender, push } = await startData(t);
		const closing: Promise<void>[] = [];
		room.on('pusherAdded', ({ pusher }) => {
			if (labelOf(pusher) !== 'unwanted') return;
			const close = () => {
				pusher.close();
			};
			closing.push(turns(1).then(close));
		});
		const kept = sender.open('kept');
		const unwanted = sender.open('unwanted');
		await push();
		await until(() => closing.length === 1, 'it is pushed');
		await Promise.all(closing);
		await until(() => unwanted.readyState === 'closed', 'the client learns of it');
		await until(() => kept.readyState === 'open', 'the other one is acknowledged');
		await only(alice).send('hello');
		await until(() => sender.received.length === 1, 'it is heard');
		assert.deepEqual(sender.received, [{ label: 'kept', data: 'hello' }]);
	});

	it('of a hostile client is refused, or passed over, and others go on', async (t) => {
		const refused: unknown[] = [];
		const nothing = () => undefined;
		const warn: Logger['warn'] = (message, details) => {
			refused.push([message, (details as { reason?: string }).reason]);
		};
		const logger = { debug: nothing, info: nothing, warn, error: warn };
		const { alice, sender, push } = await startData(t, { limits: { idLength: 10 }, logger });
		sender.open('x'.repeat(11));
		const good = sender.open('good');
		await push();
		await until(() => dataPushers(alice).length === 1, 'the good one is pushed');
		assert.equal(only(alice).label, 'good');
		await until(() => refused.length === 1, 'it is logged');
		assert.deepEqual(refused, [['a data channel was refused', 'label must NOT have more than 10 characters']]);
		const raw = sender.connection.sctpTransport!.sctp;
		const hostile = ['', '03', '02', '0300', 'ff'.repeat(30), '0300000000000000ffffffff', '03000000000000000000000000'];
		for (const hex of hostile) {
			for (const stream of [good.id, 4, 6, 8, 65_534]) {
				if (hex !== '') await raw.send(stream, 50, Buffer.from(hex, 'hex'));
			}
		}
		// The worker has received what it has acknowledged, and by its next answer this process has, too.
		const queues = raw as unknown as Record<'sentQueue' | 'outboundQueue', unknown[]>;
		await until(() => queues.sentQueue.length + queues.outboundQueue.length === 0, 'all is acknowledged');
		await only(alice).pullSource.producer!.getStats();
		await turns(1);
		assert.deepEqual([dataPushers(alice).length, only(alice).label], [1, 'good']);
		const heard: unknown[] = [];
		only(alice).on('message', ({ data }) => heard.push(data));
		good.send('still here');
		await until(() => heard.length > 0, 'it is heard');
	});
});

describe('A push of data channels', () => {
	it('with wrong options is rejected, and leaves nothing', async (t) => {
		const { sfu, join } = await startRoom(t, { limits: { dataPushersPerUser: 2, idLength: 5 } });
		const alice = await join('alice');
		await alice.push(offerWithData());
		const cases: [unknown, string | RegExp][] = [
			[null, 'options.data must be array'],
			[[null], 'options.data.0 must be object'],
			[[{}], 'options.data.0.id is missing'],
			[[{ id: -1 }], /options.data.0.id must be >= 0/],
			[[{ id: 65_535 }], /options.data.0.id must be <= 65534/],
			[[{ id: 1.5 }], 'options.data.0.id must be integer'],
			[[{ id: 1, negotiated: true }], 'options.data.0.negotiated is not known'],
			[[{ id: 1 }, { id: 1 }], 'data names id 1 twice'],
			[[{ id: 1, label: '123456' }], 'the label of data channel 1 must NOT have more than 5 characters'],
			[[{ id: 1, maxRetransmits: 1, maxPacketLifeTime: 1 }], /exclude each other/],
		];
		for (const [data, message] of cases) {
			await rejects(sfu, () => alice.push(offerWithData(), { data } as PushOptions), 'invalid_argument', message);
		}
		const without = () => alice.push(anOffer('chromium-sendonly-audio'), { data: [{ id: 1 }] });
		await rejects(sfu, without, 'invalid_argument', 'the offer has no m-line for data channels');
		const three = () => alice.push(offerWithData(), { data: [{ id: 1 }, { id: 3 }, { id: 5 }] });
		await rejects(sfu, three, 'limit_exceeded');
		assert.equal(dataPushers(alice).length, 0);
		assert.equal(dataPushers(await alice.push(offerWithData(), { data: [{ id: 1 }, { id: 3 }] })).length, 2);
	});

	it('leaves nothing when its user leaves meanwhile', async (t) => {
		const { sfu, worker, join } = await startPatientRoom(t);
		await (await join('carol')).push(offerWithData());
		const before = await held(sfu);
		await interruptEach(worker, async (interrupted) => {
			const alice = await join('alice');
			const pushing = interrupted(
				() => {
					alice.close();
				},
				() => outcome(alice.push(offerWithData(), { data: [{ id: 1 }, { id: 2 }] })),
			);
			assert.match(await pushing, /^(done|closed)$/);
			alice.close();
			assert.equal(dataPushers(alice).length, 0);
			await untilHeld(sfu, before);
		});
	});

	it('releases all that it has taken when the connection closes', async (t) => {
		const { sfu, join } = await startRoom(t);
		const alice = await join('alice');
		const first = await alice.push(offerWithData());
		first.connection.close();
		// The worker answers after it has closed the connection.
		const before = await held(sfu);
		const { connection, ...pushed } = await alice.push(offerWithData(), { data: [{ id: 1 }, { id: 2 }] });
		const pushers = dataPushers(pushed);
		assert.equal(dataPushers(alice).length, 2);
		connection.close();
		connection.close();
		assert.deepEqual([dataPushers(alice).length, pushers.map(({ closed }) => closed)], [0, [true, true]]);
		await untilHeld(sfu, before);
	});
});

describe('A pull of a data channel', () => {
	it('is rejected when there is none, or no m-line for it, and leaves nothing', async (t) => {
		const { sfu, join } = await startRoom(t);
		const [alice, bob] = [await join('alice'), await join('bob')];
		const [pusher] = dataPushers(await alice.push(offerWithData(), { data: [{ id: 1 }] }));
		const { pusherId } = pusher!;
		const offer = anOffer('firefox-sendonly-audio-video-data');
		const pull = (specs: object, by = offer) =>
			bob.pull({ targetUserId: 'alice', specs: [specs as PullSpec], offer: by });
		await rejects(sfu, () => pull({ pusherId: 'x', kind: 'data' }), 'not_found', 'user "alice" has no pusher "x"');
		await rejects(sfu, () => pull({ pusherId, kind: 'audio' }), 'invalid_argument', /is data, not audio/);
		await rejects(sfu, () => pull({ pusherId, negotiated: 1 }), 'invalid_argument', /negotiated must be boolean/);
		const withoutData = anOffer('chromium-recvonly-video-audio');
		await rejects(sfu, () => pull({ pusherId }, withoutData), 'invalid_argument', /no m-line for data channels/);
		const pullers = dataPullers(await pull({ pusherId, kind: 'data' }));
		assert.equal(pullers.length, 1);
		const again = await pull({ pusherId });
		assert.equal(dataPullers(again)[0], pullers[0]);
		pusher!.close();
		assert.equal(pullers[0]!.closed, true);
		assert.deepEqual(dataPullers(await pull({ pusherId })), []);
	});

	for (const [what, interruption, outcomes] of pullInterruptions) {
		it(`leaves nothing when ${what} meanwhile`, async (t) => {
			const { sfu, worker, join } = await startPatientRoom(t);
			const [alice, carol] = [await join('alice'), await join('carol')];
			await carol.push(offerWithData());
			const pushOffer = offerWithData();
			await alice.push(pushOffer);
			const before = await held(sfu);
			const requests = await interruptEach(worker, async (interrupted) => {
				const bob = await join('bob');
				const pusher = dataPushers(await alice.push(pushOffer, { data: [{ id: 101 }] }))[0]!;
				const pulling = interrupted(
					() => {
						interruption({ bob, pusher });
					},
					() => outcome(bob.pull({ targetUserId: 'alice', specs: [pusher], offer: offerWithData() })),
				);
				assert.match(await pulling, outcomes);
				bob.close();
				pusher.close();
				assert.deepEqual([dataPullers(bob).length, dataPushers(alice).length], [0, 0]);
				await untilHeld(sfu, before);
			});
			assert.ok(requests > 2);
		});
	}
});
