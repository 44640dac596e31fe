// Takes 60 s.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type WebRtcOptions } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser, type Page } from '../support/browsers.js';
import { layersOf, pushLayers, simulcast } from '../support/layers.js';
import { mediaAddress } from '../support/namespace.js';
import { untilDecoded } from '../support/playback.js';

describe('A publisher in Chromium that could send more', { skip: cannotRun('Chromium') }, () => {
	let chromium: Browser;

	before(async () => {
		chromium = await startBrowser('Chromium');
	});

	after(async () => {
		await chromium.close();
	});

	/** Pushes noise from a page of its own. */
	async function push(t: TestContext, webRtc: WebRtcOptions, maxBitrate = 1_500_000) {
		const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: mediaAddress }], ...webRtc } });
		const page = await chromium.newPage();
		const room = await sfu.getOrCreateRoom('room');
		const user = await room.join({ userId: 'user' });
		const { id, offer } = await page.client.createNoisePusher();
		const { answer, connection } = await user.push(offer, { media: { '0': { maxBitrate } } });
		await page.client.acceptAnswer(id, answer);
		t.after(async () => {
			await page.close();
			sfu.close();
		});
		return { page, id, connection };
	}

	/** Waits until what is sent in a second fulfils the condition. */
	async function untilSends(page: Page, id: string, condition: (bitrate: number) => boolean) {
		const bitrates: number[] = [];
		for (let second = 0; second < 60; second++) {
			const before = await page.client.sent(id);
			const start = performance.now();
			await sleep(1000);
			const { bytesSent } = await page.client.sent(id);
			bitrates.push(Math.round(((bytesSent - before.bytesSent) * 8000) / (performance.now() - start)));
			if (condition(bitrates.at(-1)!)) return;
		}
		assert.fail(`bit/s: ${bitrates.join(' ')}`);
	}

	it('sends no more than its connection may, and more when it may again', async (t) => {
		const { page, id, connection } = await push(t, { maxIncomingBitrate: 300_000 });
		await untilSends(page, id, (bitrate) => bitrate > 200_000 && bitrate < 350_000);
		await connection.setMaxIncomingBitrate(0);
		await untilSends(page, id, (bitrate) => bitrate > 500_000);
		await connection.setMaxIncomingBitrate(200_000);
		await untilSends(page, id, (bitrate) => bitrate > 50_000 && bitrate < 250_000);
	});

	it('sends no more than its answer says', async (t) => {
		const { page, id } = await push(t, {}, 200_000);
		await untilSends(page, id, (bitrate) => bitrate > 100_000 && bitrate < 240_000);
		await sleep(3000);
		await untilSends(page, id, (bitrate) => bitrate < 240_000);
	});
});

describe('A puller in Chromium that answers', { skip: cannotRun('Chromium') }, () => {
	let chromium: Browser;

	before(async () => {
		chromium = await startBrowser('Chromium');
	});

	after(async () => {
		await chromium.close();
	});

	it('is sent the layers that its bounds leave: those of its answer, and those of the app', async (t) => {
		const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: mediaAddress }] } });
		const [from, to] = [await chromium.newPage(), await chromium.newPage()];
		t.after(async () => {
			sfu.close();
			await Promise.all([from.close(), to.close()]);
		});
		const room = await sfu.getOrCreateRoom('room');
		const alice = await room.join({ userId: 'alice' });
		const bob = await room.join({ userId: 'bob' });
		const { pusher } = await pushLayers(alice, from, { codec: 'VP8', layers: simulcast });
		await layersOf(pusher, { expected: simulcast.expected, within: 60_000 });
		const pull = () => bob.pull({ targetUserId: 'alice', specs: [{ pusherId: pusher.pusherId }] });
		const first = await pull();
		const { id, answer } = await to.client.answerOffer(first.sdp);
		await first.answer(answer.replace(/^(m=video .*\r\n)/m, '$1b=AS:100\r\n'));
		const becomesWide = async (wanted: number) => {
			const deadline = performance.now() + 60_000;
			for (;;) {
				const width = (await to.client.stats(id)).video[0]?.frameWidth;
				if (width === wanted) return;
				assert.ok(performance.now() < deadline, `${width} pixels wide, not ${wanted}`);
				await sleep(200);
			}
		};
		await becomesWide(240);
		// It stays so narrow, though the sender has more to give.
		await untilDecoded(to, id, { frames: 50 });
		await becomesWide(240);
		const second = await pull();
		await second.answer((await to.client.answerOffer(second.sdp, id)).answer);
		await becomesWide(960);
		await first.connection.setMaxOutgoingBitrate(100_000);
		await becomesWide(240);
		await first.connection.setMaxOutgoingBitrate(0);
		await becomesWide(960);
	});
});
