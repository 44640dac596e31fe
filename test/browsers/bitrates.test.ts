// Takes 60 s.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu, type WebRtcOptions } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser, type Page } from '../support/browsers.js';
import { callInLayers, layersOf, pushLayers, simulcast, untilWide } from '../support/layers.js';
import { mediaAddress } from '../support/namespace.js';
import { mediaPushers } from '../support/parted.js';
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

	/** A room, and the pages of one who sends and one who receives. */
	async function start(t: TestContext) {
		const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: mediaAddress }] } });
		const [from, to] = [await chromium.newPage(), await chromium.newPage()];
		t.after(async () => {
			sfu.close();
			await Promise.all([from.close(), to.close()]);
		});
		const room = await sfu.getOrCreateRoom('room');
		return { room, from, to };
	}

	it('is sent the layers that its bounds leave: those of its answer, and those of the app', async (t) => {
		const { room, from, to } = await start(t);
		const alice = await room.join({ userId: 'alice' });
		const bob = await room.join({ userId: 'bob' });
		const { pusher } = await pushLayers(alice, from, { codec: 'VP8', layers: simulcast });
		await layersOf(pusher, { expected: simulcast.expected, within: 60_000 });
		const pull = () => bob.pull({ targetUserId: 'alice', specs: [{ pusherId: pusher.pusherId }] });
		const first = await pull();
		const { id, answer } = await to.client.answerOffer(first.sdp);
		await first.answer(answer.replace(/^(m=video .*\r\n)/m, '$1b=AS:100\r\n'));
		const becomesWide = (wanted: number) => untilWide(to, id, (width) => width === wanted, { within: 60_000 });
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

	it('is bounded by the app where the client offers, too', async (t) => {
		const { room, from, to } = await start(t);
		const { id, puller } = await callInLayers(room, { from, to, offerer: 'client', codec: 'VP8', layers: simulcast });
		const bob = room.users.get('bob')!;
		const [connection] = bob.connections;
		await untilWide(to, id, (width) => width === 960);
		await connection!.setMaxOutgoingBitrate(260_000);
		await untilWide(to, id, (width) => width === 240, { within: 20_000 });
		assert.equal(puller.closed, false);
		await connection!.setMaxOutgoingBitrate(0);
		await untilWide(to, id, (width) => width === 960);
	});

	it('is not sent video without layers that its bound does not bear, and the sender is asked for less', async (t) => {
		const { room, from, to } = await start(t);
		const [alice, bob] = [await room.join({ userId: 'alice' }), await room.join({ userId: 'bob' })];
		const told: string[] = [];
		for (const event of ['pullerPaused', 'pullerResumed'] as const) {
			bob.on(event, ({ cause }) => told.push(`${event} ${cause}`));
		}
		const pushed = await from.client.createNoisePusher({ maxBitrate: 1_500_000 });
		const { answer, ...tracks } = await alice.push(pushed.offer);
		const [pusher] = mediaPushers(tracks);
		await from.client.acceptAnswer(pushed.id, answer);
		const { id, offer } = await to.client.createPuller({ kinds: ['video'] });
		const specs = [{ pusherId: pusher!.pusherId }];
		const pulled = await bob.pull({ targetUserId: 'alice', specs, offer });
		await to.client.acceptAnswer(id, pulled.answer);
		const [puller] = pulled.pullers;
		const sends = async (isWanted: (bitrate: number) => boolean) => {
			const deadline = performance.now() + 60_000;
			for (;;) {
				const { bitrate } = await pusher!.getStats();
				if (isWanted(bitrate)) return;
				assert.ok(performance.now() < deadline, `${bitrate} bit/s`);
				await sleep(200);
			}
		};
		await sends((bitrate) => bitrate > 1_000_000);
		await pulled.connection.setMaxOutgoingBitrate(500_000);
		await sends((bitrate) => bitrate > 0 && bitrate < 550_000);
		await untilDecoded(to, id, { frames: 30 });
		assert.deepEqual([puller!.paused, told.at(-1)], [false, told.length > 0 ? 'pullerResumed bandwidth' : undefined]);
		await pulled.connection.setMaxOutgoingBitrate(0);
		await sends((bitrate) => bitrate > 1_000_000);
	});
});
