import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { anOffer } from '../support/offers.js';
import { receivingOffer, sendingOffer } from './offers.js';
import { serve, specsOf } from './setup.js';
import { mediaPullers, mediaPushers } from '../support/parted.js';

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

describe('A track of which nothing arrives', () => {
	it('is told to everybody, and to those who join', async (t) => {
		const { alice, bob, room, pusher, connect } = await call(t);
		const video = mediaPushers(room.users.get('alice')!).find(({ kind }) => kind === 'video')!;
		const told = { ...as('alice'), pusherIds: [pusher('video')] };
		video.arrives(true);
		video.arrives(false);
		for (const client of [alice, bob]) assert.deepEqual(await client.next('pusherStalled'), told);
		const carol = connect();
		const { users } = await carol.join('room', 'carol');
		const stalled = users.flatMap(({ pushers }) => pushers.filter((one) => one.stalled));
		assert.deepEqual(
			stalled.map(({ pusherId }) => pusherId),
			[pusher('video')],
		);
		video.arrives(true);
		for (const client of [alice, bob, carol]) assert.deepEqual(await client.next('pusherRecovered'), told);
	});
});

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

	it('push: in the codec and with the bitrate that the client names', async (t) => {
		const { alice, bob, room } = await call(t);
		const media = [{ mid: '1', codecs: ['AV1', 'H264'], maxBitrate: 400_000 }];
		const sdp = { type: 'offer', sdp: anOffer('chromium-sendonly-audio-video') };
		const { sdp: answer } = (await alice.request('push', { ...as('alice'), sdp, media })) as { sdp: string };
		assert.match(answer, /^b=TIAS:400000\r\n(.*\r\n)*a=rtpmap:\d+ AV1/m);
		const told = await bob.next('newPusher');
		assert.deepEqual(
			told.pushers.map(({ rtpParam }) => [rtpParam.codec, rtpParam.fmtp_param.includes('x-google')]),
			[
				['AV1', false],
				['opus', false],
			],
		);
		assert.equal(mediaPushers(room.users.get('alice')!).at(-1)!.maxBitrate, 400_000);
	});

	it('requestKeyframe: of video that it pulls', async (t) => {
		const { alice, bob, pulled } = await call(t);
		const ask = (pullerId: unknown, who = bob, userId = 'bob') =>
			who.request('requestKeyframe', { ...as(userId), pullerId });
		const [video, audio] = pulled.pullers.map(({ pullerId }) => pullerId);
		assert.deepEqual(await ask(video), { code: 0, message: 'requestKeyframe success' });
		await assert.rejects(ask(audio), { errorCode: 406, errorReason: 'audio has no keyframes' });
		await assert.rejects(ask('other'), { errorCode: 404 });
		await assert.rejects(ask(video, alice, 'alice'), { errorCode: 404 });
		for (const wrong of [null, undefined, [], 1, '']) await assert.rejects(ask(wrong), { errorCode: 400 });
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

	it('a pusher that the app has paused stays so whatever its client asks, which is told', async (t) => {
		const { alice, bob, room, pusher } = await call(t);
		const pusherId = pusher('audio');
		const paused = room.users.get('alice')!.pushers.get(pusherId)!;
		await paused.pause();
		assert.deepEqual(await alice.next('pusherPaused'), { ...as('alice'), pusherIds: [pusherId] });
		assert.deepEqual(await bob.next('pusherPaused'), { ...as('alice'), pusherIds: [pusherId] });
		const resumed = { code: 0, message: 'resumePusher success', paused: true };
		assert.deepEqual(await alice.request('resumePusher', { ...as('alice'), pusherId }), resumed);
		assert.deepEqual(paused.pausedBy, ['app']);
		assert.deepEqual(await bob.told(), []);
		await paused.resume();
		assert.deepEqual(await alice.next('pusherResumed'), { ...as('alice'), pusherIds: [pusherId] });
		assert.deepEqual(await bob.next('pusherResumed'), { ...as('alice'), pusherIds: [pusherId] });
		assert.deepEqual(await alice.told(), []);
	});

	it('a puller that the app has paused stays so whatever its client asks, which alone is told', async (t) => {
		const { alice, bob, room, pulled } = await call(t);
		const { pullerId, pusherId } = pulled.pullers[0]!;
		const puller = room.users.get('bob')!.pullers.get(pullerId)!;
		await puller.pause();
		assert.deepEqual(await bob.next('pullerPaused'), { pullerId, pusherId, userId: 'alice', cause: 'app' });
		const resumed = { code: 0, message: 'resumePuller success', paused: true };
		assert.deepEqual(await bob.request('resumePuller', { ...as('bob'), pullerId }), resumed);
		await puller.resume();
		assert.deepEqual(await bob.next('pullerResumed'), { pullerId, pusherId, userId: 'alice', cause: 'app' });
		assert.equal(puller.paused, false);
		assert.deepEqual([await alice.told(), await bob.told()], [[], []]);
	});

	it('updatePusher: the others are told what holds now', async (t) => {
		const { alice, bob, room, pusher, connect } = await call(t);
		const pusherId = pusher('video');
		const update = (details: object) => alice.request('updatePusher', { ...as('alice'), pusherId, ...details });
		assert.deepEqual(await update({ source: 'screen', metadata: { label: 'Slides' } }), {
			code: 0,
			message: 'updatePusher success',
		});
		const changed = { pusherId, source: 'screen', metadata: { label: 'Slides' } };
		assert.deepEqual(await bob.next('pusherChanged'), { ...as('alice'), pushers: [changed] });
		await update({ metadata: null, another: 'field' });
		assert.deepEqual(await bob.next('pusherChanged'), {
			...as('alice'),
			pushers: [{ pusherId, source: 'screen', metadata: null }],
		});
		const { source, metadata } = room.users.get('alice')!.pushers.get(pusherId)!;
		assert.deepEqual([source, metadata], ['screen', undefined]);
		const { users } = await connect().join('room', 'carol');
		const [video] = users.find(({ userId }) => userId === 'alice')!.pushers;
		assert.deepEqual([video!.source, 'metadata' in video!], ['screen', false]);
		await update({});
		await update({ source: 'screen' });
		assert.deepEqual(
			(await bob.told()).map(({ method }) => method),
			['newUser'],
		);
	});

	it('updatePusher that is wrong is refused, and changes nothing', async (t) => {
		const { alice, bob, room, pusher } = await call(t);
		const pusherId = pusher('video');
		const wrong: [object, number, RegExp][] = [
			[{ source: 7 }, 400, /^data\.source /],
			[{ source: '' }, 400, /^data\.source /],
			[{ source: 'x'.repeat(257) }, 400, /source .*256/],
			[{ metadata: 'x'.repeat(4095) }, 413, /metadata has 4097 bytes/],
		];
		for (const [details, errorCode, errorReason] of wrong) {
			await assert.rejects(alice.request('updatePusher', { ...as('alice'), pusherId, ...details }), {
				errorCode,
				errorReason,
			});
		}
		const { source, metadata } = room.users.get('alice')!.pushers.get(pusherId)!;
		assert.deepEqual([source, metadata, await bob.told()], [undefined, undefined, []]);
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

	it('setPreferredLayers: the puller has them, if it has any; nobody else is told', async (t) => {
		const { alice, bob, pulled, room, ...server } = await call(t);
		const carol = await server.join('carol');
		const pushed = await carol.push(anOffer('chromium-sendonly-video-simulcast'));
		const layered = await bob.pull(anOffer('chromium-recvonly-video-audio'), 'carol', [
			{ type: 'video', pusher_id: pushed.pushers[0]!.pusherId },
		]);
		await alice.told();
		const { pullerId } = layered.pullers[0]!;
		const set = (data: object) => bob.request('setPreferredLayers', { ...as('bob'), pullerId, ...data });
		const { spatialLayer, temporalLayer, ...success } = (await set({ spatialLayer: 1 })) as Record<string, unknown>;
		assert.deepEqual([spatialLayer, temporalLayer], [1, 2]);
		assert.deepEqual(success, { code: 0, message: 'setPreferredLayers success' });
		await set({ spatialLayer: 0, temporalLayer: 1 });
		const puller = mediaPullers(room.users.get('bob')!).find((one) => one.pullerId === pullerId)!;
		assert.deepEqual(puller.preferredLayers, { spatialLayer: 0, temporalLayer: 1 });
		for (const [data, reason] of [
			[{}, 'data.spatialLayer is missing'],
			[{ spatialLayer: null }, 'data.spatialLayer must be integer'],
			[{ spatialLayer: -1 }, 'data.spatialLayer must be >= 0'],
			[{ spatialLayer: 1, temporalLayer: '1' }, 'data.temporalLayer must be integer'],
		] as const) {
			await assert.rejects(set(data), { errorCode: 400, errorReason: reason });
		}
		await assert.rejects(set({ pullerId: pulled.pullers[0]!.pullerId, spatialLayer: 0 }), { errorCode: 409 });
		assert.deepEqual(puller.preferredLayers, { spatialLayer: 0, temporalLayer: 1 });
		assert.deepEqual(await alice.told(), []);
	});

	for (const [method, key] of [
		['unpush', 'pusherIds'],
		['unpull', 'pullerIds'],
		['pausePusher', 'pusherId'],
		['resumePusher', 'pusherId'],
		['updatePusher', 'pusherId'],
		['pausePuller', 'pullerId'],
		['resumePuller', 'pullerId'],
		['setPreferredLayers', 'pullerId'],
	] as const) {
		it(`${method} of what is another user’s, or of nothing, is answered with 404 and changes nothing`, async (t) => {
			const { alice, bob, pushed, pulled, room } = await call(t);
			const [client, userId, other] = key.startsWith('pusher')
				? ([bob, 'bob', pushed.pushers[0]!.pusherId] as const)
				: ([alice, 'alice', pulled.pullers[0]!.pullerId] as const);
			for (const id of [other, 'nothing', '__proto__']) {
				const value = key.endsWith('s') ? [id] : id;
				await assert.rejects(client.request(method, { ...as(userId), spatialLayer: 0, [key]: value }), {
					errorCode: 404,
				});
			}
			for (const value of [undefined, null, 7, [], {}, [7]]) {
				await assert.rejects(client.request(method, { ...as(userId), spatialLayer: 0, [key]: value }), {
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
