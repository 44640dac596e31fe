import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import type { SimulcastConsumerDump } from 'mediasoup/types';
import type { Puller, SfuError } from 'sfu-rooms';
import { addLine, anOffer, dependencyDescriptor, replaceLine } from '../support/offers.js';
import { outcome, pullAll, specsOf, startCall, until } from '../rooms/setup.js';
import { mediaPullers } from '../support/parted.js';

/** Alice pushes three layers; Bob pulls them by an offer of the server, for which there is an estimate. */
async function startLayers(t: TestContext, offer = 'chromium-sendonly-video-simulcast') {
	const call = await startCall(t, { offer });
	const pullers = mediaPullers(await call.bob.pull({ targetUserId: 'alice', specs: specsOf(call.alice) }));
	return { ...call, puller: pullers.find(({ kind }) => kind === 'video')! };
}

/** What the worker has of a puller. */
async function preferredOf({ consumer }: Puller) {
	const dump = (await consumer.dump()) as SimulcastConsumerDump;
	return { spatialLayer: dump.preferredSpatialLayer, temporalLayer: dump.preferredTemporalLayer };
}

const layers = (spatialLayer: number, temporalLayer: number) => ({ spatialLayer, temporalLayer });

describe('The layers of a puller', () => {
	it('are at first the highest that there are, and none is sent', async (t) => {
		const { puller } = await startLayers(t);
		for (const of of [puller.highestLayers, puller.preferredLayers, puller.allowedLayers]) {
			assert.deepEqual(of, layers(2, 2));
		}
		assert.equal(puller.currentLayers, undefined);
		assert.deepEqual(await preferredOf(puller), layers(2, 2));
	});

	it('are as many for a client with other payload types, which gets them through a pipe', async (t) => {
		const { alice, bob } = await startCall(t, { offer: 'chromium-sendonly-video-simulcast' });
		const pullers = mediaPullers(await bob.pull(pullAll(alice, anOffer('firefox-recvonly-video-audio'))));
		assert.deepEqual(pullers[0]?.highestLayers, layers(2, 2));
		assert.equal(pullers[0].consumer.type, 'simulcast');
	});

	it('of SVC are those of its scalability mode, through a pipe too', async (t) => {
		const { bob, join } = await startCall(t);
		const carol = await join('carol');
		const offer = anOffer('chromium-sendonly-video').replace(/^(m=video 9 \S+) .*$/m, '$1 98 99');
		await carol.push(offer, { media: { '0': { scalabilityMode: 'L3T2_KEY' } } });
		for (const name of ['chromium-recvonly-video-audio', 'firefox-recvonly-video-audio']) {
			const pullers = mediaPullers(await bob.pull(pullAll(carol, anOffer(name))));
			assert.deepEqual(pullers[0]?.highestLayers, layers(2, 1));
			assert.equal(pullers[0].consumer.type, 'svc');
		}
	});

	it('of AV1 are told by the offer of the server, and the lowest one alone when the client cannot be told', async (t) => {
		const { bob, join } = await startCall(t);
		const carol = await join('carol');
		const av1 = anOffer('chromium-sendonly-video').replace(/^(m=video 9 \S+) .*$/m, '$1 45 46');
		const sdp = addLine(av1, 0, `a=extmap:13 ${dependencyDescriptor}`);
		await carol.push(sdp, { media: { '0': { scalabilityMode: 'L3T3_KEY' } } });
		const line = `a=extmap:7 ${dependencyDescriptor}`;

		const offered = await bob.pull({ targetUserId: 'carol', specs: specsOf(carol) });
		assert.match(offered.sdp, new RegExp(`^${line}\r$`, 'm'));
		assert.deepEqual(mediaPullers(offered)[0]?.allowedLayers, layers(2, 2));

		for (const name of ['chromium-recvonly-video-audio', 'firefox-recvonly-video-audio']) {
			const { answer, ...tracks } = await bob.pull(pullAll(carol, anOffer(name)));
			const pullers = mediaPullers(tracks);
			assert.ok(!answer.includes(dependencyDescriptor));
			const [puller] = pullers;
			assert.deepEqual([puller!.highestLayers, puller!.allowedLayers], [layers(2, 2), layers(0, 2)]);
			assert.deepEqual(await preferredOf(puller!), layers(0, 2));
			await puller!.setAllowedLayers({ spatialLayer: 2 });
			assert.deepEqual(await preferredOf(puller!), layers(2, 2));
		}

		const knowing = replaceLine(anOffer('chromium-recvonly-video-audio'), 'a=extmap:7 ', line);
		const { answer, ...tracks } = await bob.pull(pullAll(carol, knowing));
		const pullers = mediaPullers(tracks);
		assert.match(answer, new RegExp(`^${line}\r$`, 'm'));
		assert.deepEqual(pullers[0]?.allowedLayers, layers(2, 2));
	});

	it('there are none of a single stream, nor of audio', async (t) => {
		const { alice, bob } = await startCall(t);
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		assert.equal(pullers.length, 2);
		for (const puller of pullers) {
			assert.equal(puller.highestLayers, undefined);
			assert.equal(puller.preferredLayers, undefined);
			for (const set of ['setPreferredLayers', 'setAllowedLayers'] as const) {
				await assert.rejects(puller[set](layers(0, 0)), {
					code: 'conflict',
					message: `the ${puller.kind} has no layers: it is neither simulcast nor SVC`,
				});
			}
		}
	});
});

describe('What is sent at most', () => {
	it('is the lower one of what the client prefers and what the app allows', async (t) => {
		const { puller } = await startLayers(t);
		await puller.setPreferredLayers(layers(1, 2));
		assert.deepEqual(await preferredOf(puller), layers(1, 2));
		await puller.setAllowedLayers(layers(2, 0));
		assert.deepEqual(await preferredOf(puller), layers(1, 0));
		await puller.setPreferredLayers(layers(2, 2));
		assert.deepEqual(await preferredOf(puller), layers(2, 0));
		await puller.setAllowedLayers(layers(0, 1));
		assert.deepEqual(await preferredOf(puller), layers(0, 1));
		assert.deepEqual([puller.preferredLayers, puller.allowedLayers], [layers(2, 2), layers(0, 1)]);
		await puller.setAllowedLayers({ spatialLayer: 99 });
		assert.deepEqual(await preferredOf(puller), layers(2, 2));
	});

	it('is no temporal layer that the pusher does not send', async (t) => {
		const { puller } = await startLayers(t);
		const selection = puller.layerSelection!;
		selection.highestTemporalLayer = 1;
		await selection.apply();
		assert.deepEqual(await preferredOf(puller), layers(2, 1));
		selection.highestTemporalLayer = Infinity;
		await selection.apply();
		assert.deepEqual(await preferredOf(puller), layers(2, 2));
	});

	it('stays within what there is', async (t) => {
		const { puller } = await startLayers(t);
		await puller.setPreferredLayers(layers(7, 9));
		assert.deepEqual(puller.preferredLayers, layers(2, 2));
		await puller.setPreferredLayers({ spatialLayer: 1 });
		assert.deepEqual(puller.preferredLayers, layers(1, 2));
	});

	it('is what was set last, when much is set at once', async (t) => {
		const { puller } = await startLayers(t);
		const set = [0, 2, 1, 0, 1].map((spatialLayer) => puller.setPreferredLayers({ spatialLayer }));
		await Promise.all([...set, puller.setAllowedLayers(layers(2, 1))]);
		assert.deepEqual(await preferredOf(puller), layers(1, 1));
	});

	it('is what was set right after something that changes nothing', async (t) => {
		const { puller } = await startLayers(t);
		void puller.setPreferredLayers(layers(2, 2));
		await puller.setPreferredLayers(layers(1, 1));
		assert.deepEqual(await preferredOf(puller), layers(1, 1));
	});

	it('is refused when it is none, and stays as it was', async (t) => {
		const { puller } = await startLayers(t);
		const wrong: [unknown, string][] = [
			[null, 'layers must be object'],
			[[], 'layers must be object'],
			[{}, 'layers.spatialLayer is missing'],
			[{ spatialLayer: '1' }, 'layers.spatialLayer must be integer'],
			[{ spatialLayer: 0.5 }, 'layers.spatialLayer must be integer'],
			[{ spatialLayer: -1 }, 'layers.spatialLayer must be >= 0'],
			[{ spatialLayer: NaN }, 'layers.spatialLayer must be integer'],
			[{ spatialLayer: 100 }, 'layers.spatialLayer must be <= 99'],
			[{ spatialLayer: 1, temporalLayer: null }, 'layers.temporalLayer must be integer'],
			[{ spatialLayer: 1, other: 1 }, 'layers.other is not known'],
		];
		for (const [value, message] of wrong) {
			for (const set of ['setPreferredLayers', 'setAllowedLayers'] as const) {
				await assert.rejects(puller[set](value as never), { code: 'invalid_argument', message });
			}
		}
		assert.deepEqual(await preferredOf(puller), layers(2, 2));
	});

	it('cannot be said of a closed puller, nor of one that closes meanwhile', async (t) => {
		const { puller } = await startLayers(t);
		const setting = [puller.setPreferredLayers(layers(0, 0)), puller.setAllowedLayers(layers(0, 1))];
		puller.close();
		for (const result of await Promise.all(setting.map(outcome))) assert.equal(result, 'done');
		for (const set of ['setPreferredLayers', 'setAllowedLayers'] as const) {
			await assert.rejects(puller[set](layers(0, 0)), { code: 'closed' });
		}
		assert.deepEqual(puller.highestLayers, layers(2, 2));
	});
});

describe('The priority of a puller', () => {
	it('is 1, or what the app sets', async (t) => {
		const { puller } = await startLayers(t);
		assert.equal(puller.priority, 1);
		await puller.setPriority(255);
		assert.equal(puller.priority, 255);
		assert.equal((await puller.consumer.dump()).priority, 255);
		for (const wrong of [0, 256, 1.5, -1, '1', null, undefined, NaN]) {
			await assert.rejects(puller.setPriority(wrong as never), {
				code: 'invalid_argument',
				message: /^priority must be/,
			});
		}
		assert.equal(puller.priority, 255);
		const setting = outcome(puller.setPriority(3));
		puller.close();
		assert.match(await setting, /^(done|closed)$/);
		await assert.rejects(puller.setPriority(1), (error: SfuError) => error.code === 'closed');
	});
});

describe('A client that sends NACKs', () => {
	it('is heard once, however many there are, until they end', async (t) => {
		const { puller } = await startLayers(t);
		const { consumer } = puller;
		const heard = async () => (await consumer.dump()).traceEventTypes.includes('nack');
		assert.equal(await heard(), true);
		let counted = 0;
		const getStats = consumer.getStats.bind(consumer);
		t.mock.method(consumer, 'getStats', async () =>
			(await getStats()).map((stats) => ({ ...stats, nackPacketCount: Math.min(++counted, 3) })),
		);
		consumer.emit('trace', { type: 'nack', timestamp: 0, direction: 'in', info: {} });
		assert.equal(await heard(), false);
		await until(heard, 'it is heard again');
		assert.equal(counted, 4, 'they were counted until there were no more');
	});
});

describe('Without a bandwidth estimate', () => {
	const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

	it('the layers begin low, whatever the client prefers, and rise as far as it does', async (t) => {
		const { alice, bob } = await startCall(t, { offer: 'chromium-sendonly-video-simulcast' });
		const pullers = mediaPullers(await bob.pull(pullAll(alice)));
		const puller = pullers[0]!;
		await until(async () => (await preferredOf(puller)).spatialLayer === 0, 'the lowest layer is chosen');
		assert.deepEqual(puller.preferredLayers, layers(2, 2));
		puller.layerSelection!.step = 99;
		await puller.setPreferredLayers(layers(1, 1));
		assert.deepEqual(await preferredOf(puller), layers(1, 1));
	});

	it('one timer looks at all links of a room, and there is none without any', async (t) => {
		const { alice, bob, join } = await startCall(t, {
			offer: 'chromium-sendonly-video',
			webRtc: { connectTimeout: 2 ** 31 - 1 },
		});
		const pull = async (name: string) => bob.pull(pullAll(alice, anOffer(name)));
		const before = timers();
		const first = await pull('chromium-recvonly-video-audio');
		// Each connection has one of its own, to wait for the client.
		assert.equal(timers() - before, 2);
		const second = await pull('chromium-recvonly-video-audio');
		assert.equal(timers() - before, 3);
		first.connection.close();
		assert.equal(timers() - before, 2);
		second.pullers[0]!.close();
		assert.equal(timers() - before, 1);
		const third = await pull('chromium-recvonly-video-audio');
		const carol = await join('carol');
		await carol.pull({ targetUserId: 'alice', specs: specsOf(alice) });
		await sleep(1200);
		third.connection.close();
		second.connection.close();
		// One looks at Carol's link, and one waits for her answer.
		assert.equal(timers() - before, 2);
		for (const connection of carol.connections) connection.close();
		assert.equal(timers() - before, 0);
	});
});
