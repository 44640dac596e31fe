import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectionStats, inAll, streamStats } from '../../src/stats/stats.js';
import { outcome, pullAll, startCall, until } from '../rooms/setup.js';
import { mediaPullers, producerOf } from '../support/parted.js';

describe('The stats of a stream', () => {
	const stream = {
		type: 'inbound-rtp',
		timestamp: 1,
		ssrc: 2,
		rid: 'r0',
		kind: 'video',
		mimeType: 'video/VP8',
		packetsLost: 3,
		fractionLost: 64,
		jitter: 900,
		packetsDiscarded: 0,
		packetsRetransmitted: 4,
		packetsRepaired: 5,
		nackCount: 6,
		nackPacketCount: 7,
		pliCount: 8,
		firCount: 9,
		roundTripTime: 33.5,
		score: 10,
		packetCount: 11,
		byteCount: 12,
		bitrate: 13,
		bitrateByLayer: {},
	};

	it('are in bit/s, in ms, and shares of one', () => {
		const told = streamStats([stream, { ...stream, type: 'outbound-rtp' }], 'inbound-rtp', 90000, new Map([[2, 29.5]]));
		assert.deepEqual(told, [
			{
				ssrc: 2,
				rid: 'r0',
				bitrate: 13,
				bytes: 12,
				packets: 11,
				packetsLost: 3,
				fractionLost: 0.25,
				jitter: 10,
				roundTripTime: 33.5,
				frameRate: 29.5,
				packetsRetransmitted: 4,
				nackCount: 6,
				keyframeRequests: 17,
				score: 10,
			},
		]);
	});

	it('have a frame rate when it was counted, 0 when there was no frame', () => {
		const frameRates = (counted?: Map<number, number>) =>
			streamStats([stream], 'inbound-rtp', 90000, counted).map(({ frameRate }) => frameRate);
		assert.deepEqual([frameRates(), frameRates(new Map())], [[undefined], [0]]);
	});

	it('make those of several: the sum of the bitrates, the highest frame rate, and the worst of what flows', () => {
		const one = { bitrate: 1, fractionLost: 0.1, jitter: 5, roundTripTime: undefined, frameRate: 7, score: 9 };
		const two = { bitrate: 2, fractionLost: 0.3, jitter: 4, roundTripTime: 6, frameRate: 30, score: 8 };
		const still = { bitrate: 0, fractionLost: 1, jitter: 99, roundTripTime: 99, frameRate: 0, score: 0 };
		const all = { bitrate: 3, fractionLost: 0.3, jitter: 5, roundTripTime: 6, frameRate: 30, score: 8 };
		assert.deepEqual(inAll([one, two, still]), all);
		const none = { bitrate: 0, fractionLost: 0, jitter: 0, roundTripTime: undefined, score: 0 };
		assert.deepEqual(inAll([still]), { ...none, frameRate: 0 });
		assert.deepEqual(inAll([]), { ...none, frameRate: undefined });
	});
});

describe('Stats', () => {
	it('are there of all that a user has, serialisable, before anything flows', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		const pulled = await bob.pull(pullAll(alice));
		const [audio, video] = await Promise.all(pushed.pushers.map((pusher) => pusher.getStats()));
		assert.deepEqual([audio!.kind, audio!.codec, audio!.streams], ['audio', 'opus', []]);
		assert.deepEqual([video!.pusherId, video!.codec, video!.bitrate], [pushed.pushers[1]!.pusherId, 'VP8', 0]);
		const [sent] = await Promise.all(mediaPullers(pulled).map((puller) => puller.getStats()));
		assert.deepEqual([sent!.codec, sent!.pusherId, sent!.layers], ['VP8', pushed.pushers[1]!.pusherId, undefined]);
		const stats = await pulled.connection.getStats();
		assert.deepEqual([stats.iceState, stats.dtlsState, stats.selectedTuple], ['new', 'new', undefined]);
		assert.equal(stats.connectionId, pulled.connection.connectionId);
		assert.deepEqual(
			stats.pullers.map(({ pullerId }) => pullerId),
			pulled.pullers.map(({ pullerId }) => pullerId),
		);
		assert.deepEqual([stats.pushers, stats.bitrate, stats.score], [[], 0, 0]);
		for (const each of [audio, video, sent, stats]) {
			assert.deepEqual(JSON.parse(JSON.stringify(each)), JSON.parse(JSON.stringify(structuredClone(each))));
			assert.ok(Math.abs(each!.timestamp - Date.now()) < 10_000, 'the time is that of the day');
		}
	});

	it('have a frame rate of video, when it is asked for, and count once for all who ask meanwhile', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		const { connection, ...tracks } = await bob.pull(pullAll(alice));
		const pullers = mediaPullers(tracks);
		const [audio, video] = pushed.pushers;
		const [puller] = pullers;
		const enabled: unknown[] = [];
		for (const producer of [audio!, video!].map(producerOf)) {
			const enable = producer.enableTraceEvent.bind(producer);
			t.mock.method(producer, 'enableTraceEvent', (types: never) => {
				enabled.push(types);
				return enable(types);
			});
		}
		const dumps = () => Promise.all([producerOf(video!).dump(), puller!.consumer.dump()]);
		const all = Promise.all([
			audio!.getStats({ frameRate: true }),
			video!.getStats({ frameRate: true }),
			pushed.connection.getStats({ frameRate: true }),
			connection.getStats({ frameRate: true }),
		]);
		await until(async () => (await dumps()).every(({ traceEventTypes }) => traceEventTypes.includes('rtp')), 'traces');
		await all;
		assert.deepEqual(enabled, [['rtp'], ['rtp', 'keyframe'], ['keyframe'], []]);
		// NACKs of what is pulled are watched for overloads, whether there are stats or not.
		const left = (await dumps()).map(({ traceEventTypes }) => traceEventTypes);
		assert.deepEqual(left, [[], ['nack']]);
		assert.equal(puller!.consumer.listenerCount('trace'), 1);
		assert.equal((await video!.getStats()).frameRate, undefined);
		assert.equal(enabled.length, 4);
	});

	it('are no longer counted for when what they are of closes', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		const [, video] = pushed.pushers;
		for (const object of [pullers[0]!, video!]) {
			const started = performance.now();
			const underWay = outcome(object.getStats({ frameRate: true }));
			setTimeout(() => {
				object.close();
			}, 100);
			assert.equal(await underWay, 'closed');
			assert.ok(performance.now() - started < 1000);
		}
		assert.equal(producerOf(video!).listenerCount('trace'), 0);
	});

	it('are refused when what is asked for makes no sense', async (t) => {
		const { pushed } = await startCall(t);
		for (const object of [pushed.pushers[0]!, pushed.connection]) {
			for (const wrong of [null, [], { frameRate: 1 }, { frames: true }]) {
				assert.equal(await outcome(object.getStats(wrong as never)), 'invalid_argument');
			}
		}
	});

	it('are there of a connection that has no transport yet', async (t) => {
		const { bob } = await startCall(t);
		const { dtlsState, bytesSent } = await bob.autoPull().getStats();
		assert.deepEqual([dtlsState, bytesSent], ['new', 0]);
		assert.equal(connectionStats('id', undefined, []).connectionId, 'id');
	});

	it('of what has closed, or closes meanwhile, are rejected', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		const { connection, ...tracks } = await bob.pull(pullAll(alice));
		const pullers = mediaPullers(tracks);
		for (const object of [pullers[0]!, pushed.pushers[0]!, connection, pushed.connection]) {
			const underWay = outcome(object.getStats());
			object.close();
			assert.equal(await underWay, 'closed');
			assert.equal(await outcome(object.getStats()), 'closed');
		}
	});
});

describe('A keyframe', () => {
	it('is asked for through a consumer that is gone afterwards', async (t) => {
		const { pushed, alice, bob, sfu } = await startCall(t, { offer: 'chromium-sendonly-video' });
		const [pusher] = pushed.pushers;
		await pusher!.requestKeyframe();
		const before = (await sfu.dump())[0]!.channelMessageHandlers.channelRequestHandlers.length;
		await Promise.all([pusher!.requestKeyframe(), pusher!.requestKeyframe()]);
		assert.equal((await sfu.dump())[0]!.channelMessageHandlers.channelRequestHandlers.length, before);
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		await pullers[0]!.requestKeyframe();
	});

	it('cannot be asked of audio, nor of what has closed', async (t) => {
		const { alice, bob, pushed } = await startCall(t);
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		const audio = pullers.find(({ kind }) => kind === 'audio')!;
		const video = pullers.find(({ kind }) => kind === 'video')!;
		assert.equal(await outcome(audio.requestKeyframe()), 'unsupported');
		assert.equal(await outcome(pushed.pushers[0]!.requestKeyframe()), 'unsupported');
		const underWay = outcome(video.requestKeyframe());
		video.close();
		assert.equal(await underWay, 'closed');
		assert.equal(await outcome(video.requestKeyframe()), 'closed');
		const [, pusher] = pushed.pushers;
		const asking = outcome(pusher!.requestKeyframe());
		pusher!.close();
		assert.equal(await asking, 'closed');
		assert.equal(await outcome(pusher!.requestKeyframe()), 'closed');
	});
});
