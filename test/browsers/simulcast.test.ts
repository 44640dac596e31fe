// Takes 100 s.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type Puller, type Pusher, type User } from 'sfu-rooms';
import { type Browser, type BrowserName, cannotRun, startBrowser, type Page } from '../support/browsers.js';
import type { VideoCodec } from '../support/client.js';
import { layersOf, pushLayers, simulcast, simulcastBySources, svc, type Layers } from '../support/layers.js';
import { mediaAddress } from '../support/namespace.js';
import { untilDecoded } from '../support/playback.js';
import { mediaPullers, producerOf } from '../support/parted.js';
import { someOf } from '../support/seed.js';
import { onTwoWorkers } from '../support/workers.js';

const pushes: { browser: BrowserName; codec: VideoCodec; layers: Layers }[] = [
	{ browser: 'Chromium', codec: 'VP8', layers: simulcast },
	{ browser: 'Chromium', codec: 'VP8', layers: simulcastBySources },
	{ browser: 'Chromium', codec: 'H264', layers: simulcast },
	{ browser: 'Chromium', codec: 'VP9', layers: svc },
	{ browser: 'Chromium', codec: 'AV1', layers: svc },
	{ browser: 'Firefox', codec: 'VP8', layers: simulcast },
];

/** Who pulls, and whose offer it is. */
interface Taker {
	browser: BrowserName;
	offers: 'client' | 'server';
}

const takers: Taker[] = [
	{ browser: 'Chromium', offers: 'client' },
	{ browser: 'Chromium', offers: 'server' },
	{ browser: 'Firefox', offers: 'client' },
	{ browser: 'Firefox', offers: 'server' },
];

/** A puller, and the RTCPeerConnection that receives it. */
interface Taken {
	page: Page;
	id: string;
	puller: Puller;
}

const neither = cannotRun('Chromium') || cannotRun('Firefox');

describe('Layers between browsers, on two workers', { skip: neither, concurrency: false }, () => {
	let sfu: Sfu;
	const browsers = new Map<BrowserName, Browser>();

	before(async () => {
		sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }] }, workers: onTwoWorkers() });
		for (const name of ['Chromium', 'Firefox'] as const) browsers.set(name, await startBrowser(name));
	});

	after(async () => {
		sfu.close();
		for (const browser of browsers.values()) await browser.close();
	});

	async function openPage(t: TestContext, browser: BrowserName) {
		const page = await browsers.get(browser)!.newPage();
		t.after(() => page.close());
		return page;
	}

	async function openRoom(t: TestContext) {
		const room = await sfu.getOrCreateRoom(t.name);
		t.after(() => {
			room.close();
		});
		return room;
	}

	/** One page pulls these, in this order. */
	async function take(t: TestContext, { browser, offers }: Taker, bob: User, pushers: Pusher[]): Promise<Taken[]> {
		const page = await openPage(t, browser);
		const pulled: Puller[] = [];
		let id: string;
		if (offers === 'client') {
			const created = await page.client.createPuller({ kinds: pushers.map(({ kind }) => kind) });
			id = created.id;
			let offer = created.offer;
			for (const { userId: targetUserId, pusherId } of pushers) {
				const { answer, ...tracks } = await bob.pull({ targetUserId, specs: [{ pusherId }], offer });
				const pullers = mediaPullers(tracks);
				await page.client.acceptAnswer(id, answer);
				pulled.push(pullers.find((puller) => puller.pusherId === pusherId)!);
				offer = await page.client.offerAgain(id);
			}
		} else {
			const [pusher] = pushers;
			const { userId: targetUserId, pusherId } = pusher!;
			const offer = await bob.pull({ targetUserId, specs: [{ pusherId }] });
			const answered = await page.client.answerOffer(offer.sdp);
			id = answered.id;
			await offer.answer(answered.answer);
			pulled.push(...mediaPullers(offer));
		}
		return pulled.map((puller) => ({ page, id, puller }));
	}

	async function shown({ page, id, puller: { mid } }: Taken) {
		const { video } = await page.client.stats(id);
		// Firefox does not say which m-line it is.
		return video.find((stream) => stream.mid === mid) ?? video[0];
	}

	async function untilWide(taken: Taken, wanted: number, within = 60_000) {
		const deadline = performance.now() + within;
		for (;;) {
			const { frameWidth = 0 } = (await shown(taken)) ?? {};
			if (frameWidth === wanted) return;
			if (performance.now() > deadline) assert.fail(`${frameWidth} pixels wide, not ${wanted}`);
			await sleep(200);
		}
	}

	/** Waits until nearly all frames are decoded that are encoded, which they are once the link is known to bear them. */
	async function untilComplete(taken: Taken, encoded: () => Promise<number>): Promise<string> {
		const samples: { encoded: number; decoded: number }[] = [];
		const deadline = performance.now() + 60_000;
		for (;;) {
			await sleep(500);
			const [stats, encodedNow] = await Promise.all([shown(taken), encoded()]);
			const now = { encoded: encodedNow, decoded: stats!.framesDecoded };
			samples.push(now);
			// Over the time in which so many are encoded.
			const before = samples.findLast((sample) => now.encoded - sample.encoded >= 30);
			const isLate = performance.now() > deadline;
			if (!before) {
				assert.ok(!isLate, `${Math.round(now.encoded)} frames encoded`);
				continue;
			}
			const frames = now.decoded - before.decoded;
			const told = `${frames} of ${Math.round(now.encoded - before.encoded)} frames`;
			if (frames >= (now.encoded - before.encoded) * 0.85) return told;
			assert.ok(!isLate, `${told}, ${JSON.stringify(taken.puller.currentLayers)}`);
		}
	}

	for (const { browser, codec, layers } of someOf(import.meta.filename, 2, pushes)) {
		it(`of ${codec} ${layers.name} from ${browser} all arrive, and pullers get every frame`, async (t) => {
			const from = await openPage(t, browser);
			if (!(await from.client.videoCodecs()).send.includes(`video/${codec}`)) {
				t.skip(`${browser} here cannot encode ${codec}`);
				return;
			}
			const room = await openRoom(t);
			const alice = await room.join({ userId: 'alice' });
			const { id, pusher } = await pushLayers(alice, from, { codec, layers });
			await layersOf(pusher, { expected: layers.expected, within: 60_000 });
			const { streams } = await pusher.getStats({ frameRate: true });
			assert.equal(streams.length, layers.name === 'SVC' ? 1 : layers.expected.length);
			for (const { frameRate } of streams) assert.ok(frameRate! > 0 && frameRate! < 12, `${frameRate} frames a second`);

			/** Of the highest layer; Chromium counts the frames of each layer of SVC. */
			const encoded = async () => {
				const streams = await from.client.outbound(id);
				const highest = streams.reduce((one, other) => (other.frameWidth > one.frameWidth ? other : one));
				return layers.name === 'SVC' ? highest.framesEncoded / layers.expected.length : highest.framesEncoded;
			};
			for (const taker of takers) {
				const name = `${taker.browser}, by an offer of the ${taker.offers}`;
				// Firefox has no H264, and draws next to nothing on a page that another one is in front of.
				if (taker.browser === 'Firefox' && (browser === 'Firefox' || codec === 'H264')) continue;
				const bob = await room.join({ userId: name });
				const [taken] = await take(t, taker, bob, [pusher]);
				const { puller, page } = taken!;
				const told: (number | undefined)[] = [puller.currentLayers?.spatialLayer];
				puller.on('changed', ({ layers: now }) => told.push(now?.spatialLayer));
				if (taker.browser !== browser && taker.offers === 'client') {
					assert.notEqual(puller.consumer.producerId, producerOf(pusher).id, `${name}: by a pipe`);
				}
				// Without the dependency descriptor Chromium decodes the lowest layer of AV1 alone, so that comes first.
				const isLowest = codec === 'AV1' && taker.offers === 'client';
				await untilWide(taken!, isLowest ? 240 : 960);
				const highestHere = isLowest && taker.browser === 'Chromium' ? 240 : 960;
				if (isLowest && taker.browser === 'Firefox') await puller.setAllowedLayers({ spatialLayer: 2 });
				await untilWide(taken!, highestHere);
				t.diagnostic(`${name}: ${await untilComplete(taken!, encoded)}`);

				await untilWide(taken!, highestHere);
				await puller.setPreferredLayers({ spatialLayer: 0 });
				await untilWide(taken!, 240);
				assert.deepEqual([told.includes(2), told.at(-1)], [highestHere === 960, 0], name);
				assert.equal(puller.currentLayers?.spatialLayer, 0, name);
				bob.close();
				await page.close();
			}
		});
	}

	it('of VP9, simulcast with rids, come down to its first stream, since mediasoup takes no more', async (t) => {
		const room = await openRoom(t);
		const alice = await room.join({ userId: 'alice' });
		const { pusher } = await pushLayers(alice, await openPage(t, 'Chromium'), { codec: 'VP9', layers: simulcast });
		assert.deepEqual([pusher.media.codec, pusher.media.encodings], ['VP9', [{ rid: 'l' }]]);
		const [taken] = await take(t, takers[0]!, await room.join({ userId: 'bob' }), [pusher]);
		await untilWide(taken!, 240);
		await untilDecoded(taken!.page, taken!.id, { frames: 16 });
	});

	it('that its app has paused stay paused, until it resumes them', async (t) => {
		const room = await openRoom(t);
		const alice = await room.join({ userId: 'alice' });
		const page = await openPage(t, 'Chromium');
		const { id } = await pushLayers(alice, page, { codec: 'VP8', layers: simulcast });
		const pushAgain = async (...active: boolean[]) => {
			const offer = await page.client.offerAgain(id, { activate: active });
			const { answer, pushers } = await alice.push(offer);
			assert.equal(pushers.length, 2);
			await page.client.acceptAnswer(id, answer);
			return { list: /^a=simulcast:recv (.*)\r$/m.exec(answer)?.[1], active: await page.client.active(id) };
		};
		assert.deepEqual(await pushAgain(true, false, false), { list: 'l;~m;~h', active: [true, false, false] });
		// Any other offer leaves them as they are.
		assert.deepEqual(await pushAgain(), { list: 'l;~m;~h', active: [true, false, false] });
		assert.deepEqual(await pushAgain(true, true, true), { list: 'l;m;h', active: [true, true, true] });
	});

	it('of several pullers of one connection whose client offers are chosen for each', async (t) => {
		const room = await openRoom(t);
		const alice = await room.join({ userId: 'alice' });
		const carol = await room.join({ userId: 'carol' });
		const bob = await room.join({ userId: 'bob' });
		const [first, second] = [
			(await pushLayers(alice, await openPage(t, 'Chromium'), { codec: 'VP8', layers: simulcast })).pusher,
			(await pushLayers(carol, await openPage(t, 'Chromium'), { codec: 'VP9', layers: svc })).pusher,
		];
		await layersOf(first, { expected: simulcast.expected, within: 60_000 });
		await layersOf(second, { expected: svc.expected, within: 60_000 });
		const taken = await take(t, takers[0]!, bob, [first, second]);
		const [ofAlice, ofCarol] = taken;
		assert.equal(ofAlice!.puller.connectionId, ofCarol!.puller.connectionId);
		await Promise.all(taken.map((each) => untilWide(each, 960)));
		await ofAlice!.puller.setPreferredLayers({ spatialLayer: 0 });
		await ofCarol!.puller.setAllowedLayers({ spatialLayer: 1 });
		await untilWide(ofAlice!, 240);
		await untilWide(ofCarol!, 480);
		await ofAlice!.puller.setPreferredLayers({ spatialLayer: 2 });
		// After steps up that failed on a busy machine the next one waits for longer.
		await untilWide(ofAlice!, 960, 120_000);
		assert.equal((await shown(ofCarol!))?.frameWidth, 480);
	});
});
