// Takes 40 s.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Sfu, type Pusher } from 'sfu-rooms';
import { type Browser, cannotRun, type Page, startBrowser } from '../support/browsers.js';
import { until } from '../media/setup.js';
import { layersOf, pushLayers, simulcast, simulcastBySources, untilWide, type Offerer } from '../support/layers.js';
import { overUdp } from '../support/namespace.js';
import { mediaPullers } from '../support/parted.js';
import { untilDecoded } from '../support/playback.js';

const layersSettleTime = 1000;

/** Waits until the page no longer encodes any but so many of its layers. */
async function untilEncoded(page: Page, id: string, layers: number) {
	const deadline = performance.now() + 30_000;
	const frames = async () => (await page.client.outbound(id)).map(({ framesEncoded }) => framesEncoded);
	for (;;) {
		const before = await frames();
		await sleep(1000);
		const encoded = (await frames()).filter((count, index) => count > (before[index] ?? 0)).length;
		if (encoded === layers) return;
		assert.ok(performance.now() < deadline, `${encoded} layers are encoded, not ${layers}`);
	}
}

/** Waits until only so many streams arrive of a pusher. The worker counts the last seconds. */
async function untilReceived(pusher: Pusher, streams: number) {
	const count = async () => (await pusher.getStats()).streams.filter(({ bitrate }) => bitrate > 0).length;
	await until(async () => (await count()) === streams, `${streams} streams arrive`, 10_000);
}

describe('A simulcast whose page follows what is wanted', { skip: cannotRun('Chromium') }, () => {
	let sfu: Sfu;
	let browser: Browser;

	before(async () => {
		sfu = await Sfu.create({ webRtc: { listen: [overUdp], layersSettleTime } });
		browser = await startBrowser('Chromium');
	});

	after(async () => {
		sfu.close();
		await browser.close();
	});

	/** Alice pushes simulcast, and her page does as she is told. Bob has joined. */
	async function start(t: TestContext, layers = simulcast) {
		const [from, to] = [await browser.newPage(), await browser.newPage()];
		for (const page of [from, to]) t.after(() => page.close());
		const room = await sfu.getOrCreateRoom(randomUUID());
		t.after(() => {
			room.close();
		});
		const alice = await room.join({ userId: 'alice' });
		const bob = await room.join({ userId: 'bob' });
		const told: boolean[][] = [];
		let following = Promise.resolve();
		let pushedId = '';
		alice.on('layersWanted', ({ encodings }) => {
			const active = encodings.map((encoding) => encoding.active);
			told.push(active);
			following = following.then(() => from.client.activate(pushedId, active));
		});
		const { id, pusher } = await pushLayers(alice, from, { codec: 'VP8', layers });
		pushedId = id;
		const pull = async (offerer: Offerer) => {
			const specs = [pusher];
			if (offerer === 'server') {
				const offer = await bob.pull({ targetUserId: 'alice', specs });
				const { id: pulledId, answer } = await to.client.answerOffer(offer.sdp);
				await offer.answer(answer);
				return { id: pulledId, puller: mediaPullers(offer)[0]! };
			}
			const { id: pulledId, offer } = await to.client.createPuller({ kinds: ['video'] });
			const { answer, ...pulled } = await bob.pull({ targetUserId: 'alice', specs, offer });
			await to.client.acceptAnswer(pulledId, answer);
			return { id: pulledId, puller: mediaPullers(pulled)[0]! };
		};
		return { from, to, alice, pusher, pushedId, told, pull, followed: () => following };
	}

	/** Waits for a width, and says how long it took. */
	async function becomesWide(t: TestContext, page: Page, id: string, width: number, within = 60_000) {
		const began = performance.now();
		await untilWide(page, id, (now) => now === width, { within });
		t.diagnostic(`${width} pixels after ${Math.round(performance.now() - began)} ms`);
	}

	const stalls = (pusher: Pusher) => {
		let count = 0;
		pusher.on('stalled', () => count++);
		return () => count;
	};

	for (const offerer of ['client', 'server'] as const) {
		it(`sends the lowest layer alone while nobody wants more, and all of them again: the ${offerer} offers`, async (t) => {
			const { from, to, alice, pusher, pushedId, told, pull, followed } = await start(t);
			const stalled = stalls(pusher);
			// Nobody pulls.
			await untilEncoded(from, pushedId, 1);
			assert.deepEqual(told, [[true, false, false]]);
			const { id, puller } = await pull(offerer);
			await becomesWide(t, to, id, 960);

			await puller.setPreferredLayers({ spatialLayer: 0 });
			await becomesWide(t, to, id, 240);
			await untilEncoded(from, pushedId, 1);
			await untilDecoded(to, id, { frames: 10 });
			assert.deepEqual(await from.client.active(pushedId), [true, false, false]);
			await untilReceived(pusher, 1);

			// Another offer of the page changes nothing.
			const { answer, pushers } = await alice.push(await from.client.offerAgain(pushedId));
			await from.client.acceptAnswer(pushedId, answer);
			assert.ok(pushers.includes(pusher));
			assert.deepEqual(await from.client.active(pushedId), [true, false, false]);

			await puller.setPreferredLayers({ spatialLayer: 1 });
			await becomesWide(t, to, id, 480);
			await puller.setPreferredLayers({ spatialLayer: 2 });
			await becomesWide(t, to, id, 960);
			await layersOf(pusher, { expected: ['l', 'm', 'h'], within: 10_000 });

			await puller.pause();
			await untilEncoded(from, pushedId, 1);
			await puller.resume();
			await untilDecoded(to, id, { frames: 10 });
			await layersOf(pusher, { expected: ['l', 'm', 'h'], within: 10_000 });
			await becomesWide(t, to, id, 960);
			await followed();
			assert.equal(stalled(), 0);
		});
	}

	it('does so by SSRCs, too', async (t) => {
		const { from, to, pushedId, told, pull } = await start(t, simulcastBySources);
		const { id, puller } = await pull('server');
		await becomesWide(t, to, id, 960);
		await puller.setPreferredLayers({ spatialLayer: 0 });
		await becomesWide(t, to, id, 240);
		await untilEncoded(from, pushedId, 1);
		assert.deepEqual(told, [[true, false, false]]);
		assert.deepEqual(await from.client.active(pushedId), [true, false, false]);
		await puller.setPreferredLayers({ spatialLayer: 2 });
		await becomesWide(t, to, id, 960);
	});
});
