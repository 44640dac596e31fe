import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type Puller } from 'sfu-rooms';
import { type Browser, cannotRun, startBrowser, type Page } from '../support/browsers.js';
import type { InboundStats, VideoCodec } from '../support/client.js';
import { layersOf, pushLayers, simulcast, svc, type Layers } from '../support/layers.js';
import { cannotShape, limitIncoming, mediaAddress } from '../support/namespace.js';

const skip = cannotShape || cannotRun('Chromium');

/** What a puller showed, twice a second. */
interface Sample {
	at: number;
	video: InboundStats;
	audio: InboundStats;
}

describe('The layers that are pulled', { skip }, () => {
	let sfu: Sfu;
	let chromium: Browser;

	before(async () => {
		sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }] } });
		chromium = await startBrowser('Chromium');
	});

	after(async () => {
		sfu.close();
		await chromium.close();
	});

	async function openPage(t: TestContext) {
		const page = await chromium.newPage();
		t.after(() => page.close());
		return page;
	}

	/** Alice pushes layers, and all of them arrive; Bob pulls them and her microphone. */
	async function call(t: TestContext, codec: VideoCodec, layers: Layers) {
		const room = await sfu.getOrCreateRoom(t.name);
		t.after(() => {
			room.close();
		});
		const alice = await room.join({ userId: 'alice' });
		const bob = await room.join({ userId: 'bob' });
		const { pusher: video } = await pushLayers(alice, await openPage(t), { codec, layers });
		await layersOf(video, { expected: layers.expected, within: 30_000 });
		const page = await openPage(t);
		const specs = [...alice.pushers.values()].map(({ pusherId }) => ({ pusherId }));
		const { id, offer } = await page.client.createPuller({ kinds: ['video', 'audio'] });
		const { answer, pullers } = await bob.pull({ targetUserId: 'alice', specs, offer });
		await page.client.acceptAnswer(id, answer);
		return { page, id, puller: pullers.find(({ kind }) => kind === 'video')! };
	}

	async function look(page: Page, id: string): Promise<Sample> {
		const { video, audio } = await page.client.stats(id);
		return { at: performance.now(), video: video[0]!, audio: audio[0]! };
	}

	async function untilWide(page: Page, id: string, wanted: number, within: number) {
		const started = performance.now();
		for (;;) {
			const width = (await page.client.stats(id)).video[0]?.frameWidth ?? 0;
			if (width === wanted) return;
			if (performance.now() - started > within) assert.fail(`${width} pixels wide after ${within} ms, not ${wanted}`);
			await sleep(200);
		}
	}

	async function watch(page: Page, id: string, seconds: number) {
		const samples = [await look(page, id)];
		for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
			await sleep(500);
			samples.push(await look(page, id));
		}
		return samples;
	}

	const inWords = (samples: Sample[]) => {
		const [first] = samples;
		return samples
			.map(({ at, video, audio }) =>
				[
					((at - first!.at) / 1000).toFixed(1),
					video.frameWidth,
					video.framesDecoded - first!.video.framesDecoded,
					(video.totalFreezesDuration - first!.video.totalFreezesDuration).toFixed(2),
					audio.totalSamplesReceived - first!.audio.totalSamplesReceived,
					audio.concealedSamples - first!.audio.concealedSamples,
				].join(','),
			)
			.join(' ');
	};

	for (const [codec, layers] of [
		['VP8', simulcast],
		['VP9', svc],
	] as const) {
		it(`follow what the client prefers and the app allows: ${codec} ${layers.name}`, async (t) => {
			const { page, id, puller } = await call(t, codec, layers);
			const told: unknown[] = [];
			puller.on('layersChanged', ({ layers }) => told.push(layers?.spatialLayer));
			await untilWide(page, id, 960, 30_000);
			await puller.setPreferredLayers({ spatialLayer: 0 });
			await untilWide(page, id, 240, 10_000);
			await puller.setPreferredLayers({ spatialLayer: 1 });
			await untilWide(page, id, 480, 10_000);
			await puller.setAllowedLayers({ spatialLayer: 0 });
			await untilWide(page, id, 240, 10_000);
			await puller.setPreferredLayers({ spatialLayer: 2 });
			await sleep(3000);
			assert.equal((await look(page, id)).video.frameWidth, 240, 'the client gets no more than the app allows');
			assert.equal(puller.currentLayers?.spatialLayer, 0);
			assert.ok(told.includes(0) && told.includes(1), JSON.stringify(told));
		});
	}

	/** The link of a puller narrows, and widens again. */
	async function narrow(
		t: TestContext,
		{ page, id, puller }: { page: Page; id: string; puller: Puller },
		seconds: { narrow: number; wide: number },
	) {
		await untilWide(page, id, 960, 40_000);
		const { localPort } = await page.client.stats(id);
		const link = limitIncoming({ kilobits: 3000, udpPort: localPort });
		try {
			const changes: string[] = [];
			puller.on('layersChanged', ({ layers }) => {
				changes.push(`${((performance.now() - started) / 1000).toFixed(1)}:${layers?.spatialLayer ?? 'none'}`);
			});
			let started = performance.now();
			await sleep(5000);
			started = performance.now();
			changes.push('| 400 kbit/s');
			link.change(400);
			const narrow = await watch(page, id, seconds.narrow);
			t.diagnostic(`narrow: ${inWords(narrow)}`);
			changes.push('| 3 Mbit/s');
			started = performance.now();
			link.change(3000);
			const wide = await watch(page, id, seconds.wide);
			t.diagnostic(`wide: ${inWords(wide)}`);
			t.diagnostic(`spatial layers: ${changes.join(' ')}`);
			return { narrow, wide };
		} finally {
			link.stop();
		}
	}

	const from = (samples: Sample[], seconds: number) =>
		samples.filter(({ at }) => at - samples[0]!.at >= seconds * 1000);

	it('settle when the link of a client that offers narrows, and rise when it widens', async (t) => {
		const pulled = await call(t, 'VP8', simulcast);
		const { narrow: narrowed } = await narrow(t, pulled, { narrow: 20, wide: 20 });
		// It takes three to five seconds; the rest is for machines that are busy with other things.
		const widths = new Set(from(narrowed, 8).map(({ video }) => video.frameWidth));
		assert.deepEqual([...widths], [240], 'the lowest layer, which fits, and no other');
		// All that the link bears again, though after steps up that failed the next one waits for longer.
		await untilWide(pulled.page, pulled.id, 960, 150_000);
	});
});
