import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ProtooOptions, PullSuccess, PushSuccess } from 'sfu-rooms/protoo';
import type { SfuOptions } from 'sfu-rooms';
import * as werift from 'werift';
import { AnsweringPeer } from '../support/answers.js';
import { mediaAddress } from '../support/namespace.js';
import { anOffer } from '../support/offers.js';
import type { ProtooClient, Spec } from '../support/protooClient.js';
import { assertRefused, faultsOf, noObject, withoutEffect } from './faults.js';
import { sendingOffer } from './offers.js';
import { serve } from './setup.js';

/** The data channels among tracks and data channels. */
const ofData = (all: ReadonlyMap<string, { kind: string }> = new Map()) =>
	[...all.values()].filter(({ kind }) => kind === 'data');

const as = (userId: string) => ({ roomId: 'room', userId });
const offer = (sdp: string) => ({ type: 'offer', sdp });
const offerWithData = () => anOffer('chromium-sendonly-audio-video-data');

const chat = { id: 1, label: 'chat', protocol: 'json', source: 'talk', metadata: { topic: 7 } };
const game = { id: 5, label: 'game', ordered: false, maxRetransmits: 0 };

/** How the others are told of these. */
const described = [
	{ label: 'chat', protocol: 'json', ordered: true, source: 'talk', metadata: { topic: 7 } },
	{ label: 'game', protocol: '', ordered: false, maxRetransmits: 0 },
];

/** Alice and Bob have joined. */
async function start(t: TestContext, options: ProtooOptions = {}, sfuOptions: SfuOptions = {}) {
	const server = await serve(t, options, sfuOptions);
	const [alice, bob] = [await server.join('alice'), await server.join('bob')];
	await alice.told();
	const sdp = offerWithData();
	return {
		...server,
		alice,
		bob,
		push: (data: object[], client = alice, userId = 'alice') =>
			client.request('push', { ...as(userId), sdp: offer(sdp), data }) as Promise<PushSuccess>,
	};
}

/** And Alice pushes a chat and a game; all have been told of it. */
async function startData(t: TestContext, options: ProtooOptions = {}, sfuOptions: SfuOptions = {}) {
	const started = await start(t, options, sfuOptions);
	const { dataPushers = [] } = await started.push([chat, game]);
	await Promise.all([started.alice.told(), started.bob.told()]);
	const ids = dataPushers.map(({ pusherId }) => pusherId);
	return { ...started, ids, specs: ids.map((pusher_id): Spec => ({ type: 'data', pusher_id })) };
}

/** Bob pulls by an offer of his own. */
const pull = (bob: ProtooClient, specs: Spec[], sdp = offerWithData()) => bob.pull(sdp, 'alice', specs);

const methods = async (client: ProtooClient) => (await client.told()).map(({ method }) => method);

describe('push with data', () => {
	it('is answered with the data channels, of which the others are told', async (t) => {
		const { alice, bob, push } = await start(t);
		const pushed = await push([chat, game]);
		const { connectionId, dataPushers = [] } = pushed;
		assert.deepEqual(
			dataPushers.map(({ id, label }) => ({ id, label })),
			[
				{ id: 1, label: 'chat' },
				{ id: 5, label: 'game' },
			],
		);
		for (const [index, { pusherId }] of dataPushers.entries()) {
			assert.deepEqual(await bob.next('newDataPusher'), {
				...as('alice'),
				userName: 'User_alice',
				dataPushers: [{ pusherId, ...described[index] }],
			});
			const pushedToo = { connectionId, dataPushers: [dataPushers[index]] };
			assert.deepEqual(await alice.next('dataChannelPushed'), pushedToo);
		}
		assert.deepEqual([await methods(bob), await methods(alice)], [['newPusher'], []]);
	});

	it('again says what is pushed, and tells what has changed alone', async (t) => {
		const { alice, bob, push } = await start(t);
		const { dataPushers: before = [] } = await push([chat, game]);
		await Promise.all([alice.told(), bob.told()]);
		const { dataPushers } = await push([{ ...chat, source: null }, { id: 7 }]);
		assert.deepEqual(
			dataPushers?.map(({ id, label }) => [id, label]),
			[
				[1, 'chat'],
				[5, 'game'],
				[7, ''],
			],
		);
		assert.deepEqual(dataPushers.slice(0, 2), before);
		const pushers = [{ pusherId: before[0]!.pusherId, source: null, metadata: { topic: 7 } }];
		assert.deepEqual(await bob.next('pusherChanged'), { ...as('alice'), pushers });
		assert.deepEqual(await methods(bob), ['newDataPusher']);
		const { dataPushers: unchanged } = await push([]);
		assert.deepEqual([unchanged, await methods(bob)], [dataPushers, []]);
	});

	it('that is none of it has no field for it', async (t) => {
		const { alice } = await start(t);
		const pushed = await alice.push(sendingOffer());
		assert.ok(!('dataPushers' in pushed));
	});

	it('is authorized with it', async (t) => {
		const asked: unknown[] = [];
		const authorize: ProtooOptions['authorize'] = (action) => {
			asked.push(action);
			return action.action !== 'push';
		};
		const { bob, push } = await start(t, { authorize });
		await assert.rejects(push([{ ...chat, unknown: 'field' }]), { errorCode: 403 });
		const { dataChannels, data } = asked.at(-1) as { dataChannels: unknown; data: { data: unknown } };
		assert.deepEqual(dataChannels, [chat]);
		assert.deepEqual(data.data, [{ ...chat, unknown: 'field' }]);
		assert.deepEqual(await methods(bob), []);
	});

	it('that is wrong is refused', async (t) => {
		const server = await start(t, {}, { limits: { dataPushersPerUser: 3 } });
		const { alice, bob, push } = server;
		// So that there is what all data channels of a room share.
		await push([], bob, 'bob');
		const sdp = offer(offerWithData());
		const wrong: [unknown, number, RegExp][] = [
			[null, 400, /^data\.data must be array/],
			[{}, 400, /^data\.data must be array/],
			['chat', 400, /^data\.data must be array/],
			[[null], 400, /^data\.data\.0 must be object/],
			[[[]], 400, /^data\.data\.0 must be object/],
			[[{}], 400, /^data\.data\.0\.id is missing/],
			[[{ label: 'chat' }], 400, /^data\.data\.0\.id is missing/],
			[[{ id: null }], 400, /^data\.data\.0\.id must be integer/],
			[[{ id: '1' }], 400, /^data\.data\.0\.id must be integer/],
			[[{ id: -1 }], 400, /^data\.data\.0\.id must be >= 0/],
			[[{ id: 65_535 }], 400, /^data\.data\.0\.id must be <= 65534/],
			[[{ id: 1, label: null }], 400, /^data\.data\.0\.label must be string/],
			[[{ id: 1, protocol: 1 }], 400, /^data\.data\.0\.protocol must be string/],
			[[{ id: 1, ordered: 'no' }], 400, /^data\.data\.0\.ordered must be boolean/],
			[[{ id: 1, maxRetransmits: -1 }], 400, /^data\.data\.0\.maxRetransmits must be >= 0/],
			[[{ id: 1, maxPacketLifeTime: 65_536 }], 400, /^data\.data\.0\.maxPacketLifeTime must be <= 65535/],
			[[{ id: 1, source: [] }], 400, /^data\.data\.0\.source must be string/],
			[[{ id: 1, maxRetransmits: 1, maxPacketLifeTime: 1 }], 400, /exclude each other/],
			[[{ id: 1 }, { id: 1 }], 400, /^data names id 1 twice/],
			[[{ id: 1, label: 'x'.repeat(257) }], 400, /label of data channel 1 .*256/],
			[[{ id: 1, metadata: 'x'.repeat(4095) }], 413, /metadata of data channel 1 has 4097 bytes/],
			[[1, 2, 3, 4].map((id) => ({ id })), 429, /more than 3 data channels/],
		];
		await withoutEffect(server, alice, async () => {
			for (const [data, code, reason] of wrong)
				await assertRefused(alice, 'push', { ...as('alice'), sdp, data }, code, reason);
			const noData = { ...as('alice'), sdp: offer(sendingOffer()), data: [chat] };
			await assertRefused(alice, 'push', noData, 400, /^the offer has no m-line for data channels/);
		});
		await alice.request('push', { ...as('alice'), sdp, data: [chat] });
	});
});

describe('A data channel that a client opens in-band', () => {
	it('is told to the others, and to the client itself', async (t) => {
		const { sfu, alice, bob } = await start(t, {}, { webRtc: { listen: [{ ip: mediaAddress }] } });
		const connection = new werift.RTCPeerConnection({ iceServers: [] });
		t.after(() => connection.close());
		const channel = connection.createDataChannel('chat', { protocol: 'json' });
		await connection.setLocalDescription(await connection.createOffer());
		const { sdp, connectionId, dataPushers } = await alice.push(connection.localDescription!.sdp);
		assert.equal(dataPushers, undefined, 'it is not there yet');
		const added = new Promise((resolve) => sfu.rooms.get('room')?.once('pusherAdded', resolve));
		await connection.setRemoteDescription({ type: 'answer', sdp });
		// werift takes some seconds to connect.
		await added;
		const own = await alice.next('dataChannelPushed');
		const [{ pusherId, ...rest } = { pusherId: '' }] = own.dataPushers;
		assert.deepEqual([own.connectionId, rest], [connectionId, { id: channel.id, label: 'chat' }]);
		const { dataPushers: told } = await bob.next('newDataPusher');
		assert.deepEqual(told, [{ pusherId, label: 'chat', protocol: 'json', ordered: true }]);
	});
});

describe('join', () => {
	it('tells the data channels of the others', async (t) => {
		const { connect, ids } = await startData(t);
		const { users } = await connect().join('room', 'carol');
		assert.deepEqual(
			users.map(({ userId, dataPushers }) => [userId, dataPushers]),
			[
				['alice', ids.map((pusherId, index) => ({ pusherId, ...described[index] }))],
				['bob', undefined],
			],
		);
		assert.deepEqual(
			users.map((user) => 'dataPushers' in user),
			[true, false],
		);
	});
});

describe('pull of data channels', () => {
	it('is answered with them, wherever they come from', async (t) => {
		const { bob, specs, ids } = await startData(t);
		const sdp = offerWithData();
		const { dataPullers = [], pullers, connectionId } = await pull(bob, specs.slice(0, 1), sdp);
		assert.deepEqual(pullers, []);
		assert.deepEqual(Object.keys(dataPullers[0]!), ['pullerId', 'pusherId', 'userId', 'id', 'source', 'metadata']);
		assert.deepEqual([dataPullers[0]!.pusherId, dataPullers[0]!.userId], [ids[0], 'alice']);
		const again = await pull(bob, [...specs.slice(0, 1), { ...specs[1]!, negotiated: true }], sdp);
		assert.equal(again.connectionId, connectionId);
		assert.deepEqual(again.dataPullers?.slice(0, 1), dataPullers);
		assert.deepEqual(
			again.dataPullers.map(({ pusherId }) => pusherId),
			ids,
		);
		assert.deepEqual(await methods(bob), []);
	});

	it('without an offer is answered with one that says so', async (t) => {
		const { bob, specs, ids, sfu } = await startData(t);
		const peer = new AnsweringPeer();
		const first = await bob.pullOffered('alice', specs.slice(0, 1));
		assert.match(first.sdp.sdp, /^m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel\r$/m);
		assert.deepEqual([first.pullers, first.dataPullers?.map(({ pusherId }) => pusherId)], [[], ids.slice(0, 1)]);
		await bob.answer(first.connectionId, peer.answer(first.sdp.sdp));
		const second = await bob.pullOffered('alice', specs);
		assert.deepEqual(
			second.dataPullers?.map(({ pusherId }) => pusherId),
			ids,
		);
		await bob.answer(second.connectionId, peer.answer(second.sdp.sdp));
		assert.equal(ofData(sfu.rooms.get('room')?.users.get('bob')?.pullers).length, 2);
		assert.deepEqual(await methods(bob), []);
	});

	it('that is rejected by the answer closes them', async (t) => {
		const { bob, specs } = await startData(t);
		const peer = new AnsweringPeer();
		const { connectionId, sdp, dataPullers } = await bob.pullOffered('alice', specs);
		await bob.answer(
			connectionId,
			peer.answer(sdp.sdp, (index) => (index === 1 ? 'reject' : 'receive')),
		);
		for (const { pullerId, pusherId } of dataPullers ?? []) {
			const closed = { pullerId, pusherId, userId: 'alice', connectionId, reason: 'rejected' };
			assert.deepEqual(await bob.next('pullerClosed'), closed);
		}
	});

	it('by autoPull asks for an answer once, and tells of those that come later', async (t) => {
		const { alice, bob, ids, push } = await startData(t);
		const peer = new AnsweringPeer();
		await bob.request('pull', { ...as('bob'), autoPull: true });
		const { id, data } = await bob.asked();
		assert.deepEqual([data.pullers.length, data.dataPullers?.map(({ pusherId }) => pusherId)], [2, ids]);
		bob.respond(id, { sdp: { type: 'answer', sdp: peer.answer(data.sdp.sdp) } });
		await bob.told();
		const { dataPushers = [] } = await push([{ id: 9, label: 'log' }]);
		const { pusherId } = dataPushers.at(-1)!;
		const told = await bob.next('dataChannelPulled');
		const [{ pullerId, id: channelId, ...rest } = { pullerId: '', id: -1 }] = told.dataPullers;
		assert.deepEqual([told.connectionId, rest], [data.connectionId, { pusherId, userId: 'alice' }]);
		assert.ok(channelId > data.dataPullers!.at(-1)!.id);
		assert.deepEqual(await methods(bob), ['newDataPusher']);
		await alice.request('unpush', { ...as('alice'), pusherIds: [pusherId] });
		assert.equal((await bob.next('pullerClosed')).pullerId, pullerId);
		assert.equal(bob.received.filter((message) => 'request' in (message as object)).length, 1);
	});

	it('that is wrong is refused', async (t) => {
		const server = await startData(t);
		const { bob, specs, ids, sfu } = server;
		const valid = { ...as('bob'), targetUserId: 'alice', specs };
		const spec = { type: 'data', pusher_id: ids[0] };
		const audio = [...sfu.rooms.get('room')!.users.get('alice')!.pushers.keys()][0];
		const wrong: [unknown, number, RegExp][] = [
			[null, 400, /^data\.specs must be array/],
			[[], 400, /^data\.specs must NOT have fewer/],
			[[null], 400, /^data\.specs\.0 must be object/],
			[[[]], 400, /^data\.specs\.0 must be object/],
			[[{ pusher_id: ids[0] }], 400, /^data\.specs\.0\.type is missing/],
			[[{ type: 'data' }], 400, /^data\.specs\.0\.pusher_id is missing/],
			[[{ ...spec, type: 'application' }], 400, /^data\.specs\.0\.type must be/],
			[[{ ...spec, negotiated: null }], 400, /^data\.specs\.0\.negotiated must be boolean/],
			[[{ ...spec, negotiated: 'yes' }], 400, /^data\.specs\.0\.negotiated must be boolean/],
			[[{ ...spec, type: 'audio' }], 400, /is data, not audio/],
			[[{ type: 'data', pusher_id: audio }], 400, /is (audio|video), not data/],
			[[spec, spec], 400, /twice/],
			[[{ ...spec, pusher_id: 'none' }], 404, /no pusher "none"/],
			[[{ ...spec, pusher_id: '__proto__' }], 404, /no pusher "__proto__"/],
		];
		await withoutEffect(server, bob, async () => {
			for (const [specs, code, reason] of wrong) {
				for (const sdp of [undefined, offer(offerWithData())]) {
					await assertRefused(bob, 'pull', { ...valid, specs, sdp }, code, reason);
				}
			}
			const sdp = offer(sendingOffer());
			await assertRefused(bob, 'pull', { ...valid, sdp }, 400, /^the offer has no m-line for data channels/);
		});
		await pull(bob, specs);
	});
});

describe('unpush and unpull of data channels', () => {
	it('close them, and tell whom it concerns', async (t) => {
		const { alice, bob, ids, specs, sfu } = await startData(t);
		const { dataPullers = [], connectionId } = await pull(bob, specs);
		const pulled = dataPullers.map(({ pullerId, pusherId }) => ({ pullerId, pusherId, userId: 'alice', connectionId }));
		await bob.request('unpull', { ...as('bob'), pullerIds: [dataPullers[0]!.pullerId] });
		assert.deepEqual(await bob.next('pullerClosed'), { ...pulled[0], reason: 'unpulled' });
		assert.deepEqual([await methods(alice), await methods(bob)], [[], []]);
		await alice.request('unpush', { ...as('alice'), pusherIds: ids });
		for (const pusherId of ids) assert.deepEqual((await bob.next('pusherClosed')).pusherIds, [pusherId]);
		assert.deepEqual(await bob.next('pullerClosed'), { ...pulled[1], reason: 'pusherClosed' });
		assert.deepEqual([await methods(alice), await methods(bob)], [[], []]);
		assert.equal(ofData(sfu.rooms.get('room')?.users.get('alice')?.pushers).length, 0);
	});

	it('that are wrong are refused, and close nothing', async (t) => {
		const server = await startData(t);
		const { alice, bob, ids, specs } = server;
		const { dataPullers = [] }: PullSuccess = await pull(bob, specs);
		const [{ pullerId } = { pullerId: '' }] = dataPullers;
		const wrong: [client: ProtooClient, method: string, data: object, code: number, reason: RegExp][] = [
			[alice, 'unpush', { ...as('alice'), pusherIds: null }, 400, /^data\.pusherIds must be array/],
			[alice, 'unpush', { ...as('alice'), pusherIds: [] }, 400, /^data\.pusherIds must NOT/],
			[alice, 'unpush', { ...as('alice'), pusherIds: [ids[0], 'none'] }, 404, /no pusher "none"/],
			[bob, 'unpush', { ...as('bob'), pusherIds: ids }, 404, /no pusher/],
			[bob, 'unpull', { ...as('bob'), pullerIds: {} }, 400, /^data\.pullerIds must be array/],
			[bob, 'unpull', { ...as('bob'), pullerIds: [pullerId, 'none'] }, 404, /no puller "none"/],
			[alice, 'unpull', { ...as('alice'), pullerIds: [pullerId] }, 404, /no puller/],
		];
		await withoutEffect(server, alice, async () => {
			for (const [client, ...request] of wrong) await assertRefused(client, ...request);
		});
	});

	it('are no news of a user who leaves', async (t) => {
		const { alice, bob, specs } = await startData(t);
		const { dataPullers = [] } = await pull(bob, specs);
		await alice.leave();
		assert.deepEqual(await bob.next('userLeft'), ['alice']);
		assert.deepEqual(
			await methods(bob),
			dataPullers.map(() => 'pullerClosed'),
		);
	});
});

describe('updatePusher of a data channel', () => {
	it('changes what is said of it, and tells the others', async (t) => {
		const { alice, bob, ids } = await startData(t);
		const [pusherId] = ids;
		const update = (details: object) => alice.request('updatePusher', { ...as('alice'), pusherId, ...details });
		await update({ metadata: null });
		const pushers = [{ pusherId, source: 'talk', metadata: null }];
		assert.deepEqual(await bob.next('pusherChanged'), { ...as('alice'), pushers });
		await update({ source: 'talk' });
		assert.deepEqual([await methods(alice), await methods(bob)], [[], []]);
	});

	it('that is wrong is refused', async (t) => {
		const server = await startData(t);
		const { alice, bob, ids } = server;
		const valid = { ...as('alice'), pusherId: ids[0]! };
		await withoutEffect(server, alice, async () => {
			for (const data of Object.values({ ...noObject, ...faultsOf(valid) })) {
				await assertRefused(alice, 'updatePusher', data, 400, /^data/);
			}
			await assertRefused(alice, 'updatePusher', { ...valid, source: '' }, 400, /^data\.source/);
			await assertRefused(alice, 'updatePusher', { ...valid, metadata: 'x'.repeat(4095) }, 413, /4097 bytes/);
			await assertRefused(alice, 'updatePusher', { ...valid, pusherId: 'none' }, 404, /no pusher/);
			await assertRefused(bob, 'updatePusher', { ...valid, userId: 'bob' }, 404, /no pusher/);
		});
	});
});

describe('pausePusher and pausePuller of a data channel', () => {
	it('pause and resume it, and tell whom it concerns', async (t) => {
		const { alice, bob, ids, specs, sfu, connect } = await startData(t);
		const [pusherId = ''] = ids;
		const { dataPullers = [] } = await pull(bob, specs);
		const [{ pullerId } = { pullerId: '' }] = dataPullers;
		const of = { ...as('alice'), pusherIds: [pusherId] };
		const ask = (method: string) => alice.request(method, { ...as('alice'), pusherId });
		assert.deepEqual(await ask('pausePusher'), { code: 0, message: 'pausePusher success', paused: true });
		assert.deepEqual(await bob.next('pusherPaused'), of);
		const { users } = await connect().join('room', 'carol');
		assert.deepEqual(
			users[0]?.dataPushers?.map(({ paused }) => paused),
			[true, undefined],
		);
		await bob.next('newUser');
		await alice.next('newUser');
		const pusher = sfu.rooms.get('room')!.users.get('alice')!.pushers.get(pusherId)!;
		await pusher.pause();
		assert.deepEqual(await ask('resumePusher'), { code: 0, message: 'resumePusher success', paused: true });
		await pusher.resume();
		assert.deepEqual([await bob.next('pusherResumed'), await alice.next('pusherResumed')], [of, of]);

		const askPuller = (method: string) => bob.request(method, { ...as('bob'), pullerId });
		assert.deepEqual(await askPuller('pausePuller'), { code: 0, message: 'pausePuller success', paused: true });
		assert.deepEqual(await askPuller('resumePuller'), { code: 0, message: 'resumePuller success', paused: false });
		const puller = sfu.rooms.get('room')!.users.get('bob')!.pullers.get(pullerId)!;
		await puller.pause();
		assert.deepEqual(await bob.next('pullerPaused'), { pullerId, pusherId, userId: 'alice', cause: 'app' });
		await puller.resume();
		assert.deepEqual(await bob.next('pullerResumed'), { pullerId, pusherId, userId: 'alice', cause: 'app' });
		assert.deepEqual([await methods(alice), await methods(bob)], [[], []]);
	});

	it('that are wrong are refused', async (t) => {
		const server = await startData(t);
		const { alice, bob, ids, specs } = server;
		const { dataPullers = [] } = await pull(bob, specs);
		const pusher = { ...as('alice'), pusherId: ids[0]! };
		const puller = { ...as('bob'), pullerId: dataPullers[0]!.pullerId };
		await withoutEffect(server, alice, async () => {
			for (const verb of ['pause', 'resume']) {
				for (const data of Object.values({ ...noObject, ...faultsOf(pusher) })) {
					await assertRefused(alice, `${verb}Pusher`, data, 400, /^data/);
				}
				for (const data of Object.values({ ...noObject, ...faultsOf(puller) })) {
					await assertRefused(bob, `${verb}Puller`, data, 400, /^data/);
				}
				await assertRefused(bob, `${verb}Pusher`, { ...pusher, userId: 'bob' }, 404, /no pusher/);
				await assertRefused(alice, `${verb}Puller`, { ...puller, userId: 'alice' }, 404, /no puller/);
			}
		});
	});
});
