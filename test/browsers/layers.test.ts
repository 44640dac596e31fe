// Takes 90 s.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Sfu } from 'sfu-rooms';
import { type Browser, type BrowserName, cannotRun, startBrowser, type Page } from '../support/browsers.js';
import type { VideoCodec } from '../support/client.js';
import { callInLayers, simulcast, svc, untilWide, type Layers, type Offerer } from '../support/layers.js';
import { cannotShape, limitIncoming, overUdp } from '../support/namespace.js';
import { assertPlaysOn, untilDecoded } from '../support/playback.js';
import { someOf } from '../support/seed.js';

const skip = cannotShape || cannotRun('Chromium');

// How long it takes is measured by bench/link.ts.
describe('The layers that are pulled', { skip }, () => {
	let sfu: Sfu;
	const browsers = new Map<BrowserName, Browser>();

	before(async () => {
		sfu = await Sfu.create({ webRtc: { listen: [overUdp] } });
		for (const name of ['Chromium', 'Firefox'] as const) {
			if (!cannotRun(name)) browsers.set(name, await startBrowser(name));
		}
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

	/** Alice pushes layers from Chromium; Bob pulls them on a page of this browser. */
	async function call(
		t: TestContext,
		options: { offerer: Offerer; codec: VideoCodec; layers: Layers; browser?: BrowserName },
	) {
		const { browser = 'Chromium', ...pushed } = options;
		const [from, page] = [await openPage(t, 'Chromium'), await openPage(t, browser)];
		const room = await sfu.getOrCreateRoom(randomUUID());
		t.after(() => {
			room.close();
		});
		return { page, ...(await callInLayers(room, { from, to: page, ...pushed })) };
	}

	const becomesWide = (page: Page, id: string, wanted: number) => untilWide(page, id, (width) => width === wanted);

	for (const [codec, layers] of someOf(import.meta.filename, 1, [
		['VP8', simulcast],
		['VP9', svc],
	] as const)) {
		it(`follow what the client prefers and the app allows: ${codec} ${layers.name}`, async (t) => {
			const { page, id, puller } = await call(t, { offerer: 'client', codec, layers });
			const told: unknown[] = [];
			puller.on('changed', ({ layers }) => told.push(layers?.spatialLayer));
			await becomesWide(page, id, 960);
			await puller.setPreferredLayers({ spatialLayer: 0 });
			await becomesWide(page, id, 240);
			await puller.setPreferredLayers({ spatialLayer: 1 });
			await becomesWide(page, id, 480);
			await puller.setAllowedLayers({ spatialLayer: 0 });
			await becomesWide(page, id, 240);
			await puller.setPreferredLayers({ spatialLayer: 2 });
			await untilDecoded(page, id, { frames: 30 });
			const { video } = await page.client.stats(id);
			assert.equal(video[0]!.frameWidth, 240, 'the client gets no more than the app allows');
			assert.equal(puller.currentLayers?.spatialLayer, 0);
			assert.ok(told.includes(0) && told.includes(1), JSON.stringify(told));
		});
	}

	/**
	 * The link of a puller has 3 Mbit/s, and all layers come. Then it narrows to 400 kbit/s, which bears no more than the
	 * lowest layer, and `onNarrow` is played; it widens again, and `onWide` is.
	 */
	async function narrowAndWiden(
		{ page, id }: { page: Page; id: string },
		{ onNarrow, onWide }: { onNarrow: () => Promise<void>; onWide: () => Promise<void> },
	) {
		await becomesWide(page, id, 960);
		const { localPort } = await page.client.stats(id);
		const link = limitIncoming({ kilobits: 3000, udpPort: localPort });
		try {
			await untilDecoded(page, id, { frames: 30 });
			await becomesWide(page, id, 960);
			link.change(400);
			await onNarrow();
			link.change(3000);
			await onWide();
		} finally {
			link.stop();
		}
	}

	it('settle when the link of a client that offers narrows, and rise when it widens', async (t) => {
		const pulled = await call(t, { offerer: 'client', codec: 'VP8', layers: simulcast });
		const { page, id } = pulled;
		await narrowAndWiden(pulled, {
			// The lowest layer is the one that fits.
			onNarrow: () => becomesWide(page, id, 240),
			onWide: () => becomesWide(page, id, 960),
		});
	});

	for (const browser of someOf(import.meta.filename, 1, ['Chromium', 'Firefox'] as const)) {
		it(`follow the link of ${browser}, which answers, and it plays on`, { skip: cannotRun(browser) }, async (t) => {
			const pulled = await call(t, { offerer: 'server', codec: 'VP8', layers: simulcast, browser });
			const { page, id } = pulled;
			await narrowAndWiden(pulled, {
				async onNarrow() {
					await untilWide(page, id, (width) => width < 960);
					await assertPlaysOn(page, id, { frames: 50 });
					await untilWide(page, id, (width) => width < 960);
				},
				async onWide() {
					await assertPlaysOn(page, id, { frames: 50 });
					// Firefox counts no probes, so that its estimate grows by what flows alone, and when is up to the worker.
					if (browser === 'Chromium') await becomesWide(page, id, 960);
				},
			});
		});
	}
});
