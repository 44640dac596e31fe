// Takes 40 s.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Sfu } from 'sfu-rooms';
import { type Browser, type BrowserName, cannotRun, startBrowser } from '../support/browsers.js';
import { call } from '../support/call.js';
import type { VideoCodec } from '../support/client.js';
import { mediaAddress } from '../support/namespace.js';
import { someOf } from '../support/seed.js';
import { assertPlaysOn, untilPlaying } from '../support/playback.js';

const pairs: [BrowserName, BrowserName][] = [
	['Chromium', 'Chromium'],
	['Firefox', 'Chromium'],
	['Chromium', 'Firefox'],
	['Firefox', 'Firefox'],
];
const codecs: VideoCodec[] = ['VP8', 'VP9', 'H264', 'AV1'];
const cases = codecs.flatMap((codec) => pairs.map(([pusher, puller]) => ({ pusher, puller, codec })));

describe('What one browser pushes, another one plays', { concurrency: 2 }, () => {
	let sfu: Sfu;
	const browsers = new Map<BrowserName, Browser>();

	before(async () => {
		sfu = await Sfu.create({ webRtc: { listen: [{ ip: mediaAddress }] } });
		for (const name of ['Chromium', 'Firefox'] as const) {
			if (!cannotRun(name)) browsers.set(name, await startBrowser(name));
		}
	});

	after(async () => {
		sfu.close();
		for (const browser of browsers.values()) await browser.close();
	});

	for (const { pusher, puller, codec } of someOf(import.meta.filename, 8, cases)) {
		it(`${pusher} → ${puller}: ${codec} and Opus`, { skip: cannotRun(pusher) || cannotRun(puller) }, async (t) => {
			const from = await browsers.get(pusher)!.newPage();
			t.after(() => from.close());
			const to = await browsers.get(puller)!.newPage();
			t.after(() => to.close());
			const mimeType = `video/${codec}`;
			if (!(await from.client.videoCodecs()).send.includes(mimeType)) {
				t.skip(`${pusher} here cannot encode ${codec}`);
				return;
			}
			if (!(await to.client.videoCodecs()).receive.includes(mimeType)) {
				t.skip(`${puller} here cannot decode ${codec}`);
				return;
			}
			const room = await sfu.getOrCreateRoom(t.name);
			t.after(() => {
				room.close();
			});

			const id = await call(room, { from, to, codec });

			await untilPlaying(to, id);
			await assertPlaysOn(to, id, { frames: 50 });
			const { video } = await to.client.stats(id);
			assert.deepEqual(
				video.map((stream) => stream.codec),
				[mimeType],
			);
		});
	}
});
