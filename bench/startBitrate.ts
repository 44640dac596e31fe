/**
 * How long a publisher in Chromium takes to send 1 Mbit/s, with and without a start bitrate in its answer. It sends noise
 * in 640×360, and nothing else is set.
 *
 *     scripts/namespace.sh node --import tsx bench/startBitrate.ts [seconds] [start bitrate in bit/s …]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu } from 'sfu-rooms';
import { startBrowser, type Browser } from '../test/support/browsers.js';
import { mediaAddress } from '../test/support/namespace.js';

const [seconds = 20, ...given] = process.argv.slice(2).map(Number);
const startBitrates = given.length > 0 ? given : [0, 1_250_000];
const wanted = 1_000_000;
const step = 250;
// Over this time a bitrate is taken.
const windowSteps = 4;

/** The bitrates of the last second, by the time since the connection was there. */
async function measure(browser: Browser, startBitrate: number): Promise<Map<number, number>> {
	const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: mediaAddress }], startBitrate } });
	const page = await browser.newPage();
	const bitrates = new Map<number, number>();
	try {
		const room = await sfu.getOrCreateRoom('room');
		const user = await room.join({ userId: 'user' });
		const { id, offer } = await page.client.createNoisePusher();
		const { answer } = await user.push(offer);
		await page.client.acceptAnswer(id, answer);
		while (!(await page.client.sent(id)).connected) await sleep(10);
		const start = performance.now();
		const samples = [{ at: 0, bytes: 0 }];
		while (performance.now() - start < seconds * 1000) {
			await sleep(step);
			const { bytesSent: bytes } = await page.client.sent(id);
			const at = performance.now() - start;
			const before = samples[Math.max(0, samples.length - windowSteps)] ?? { at: 0, bytes: 0 };
			samples.push({ at, bytes });
			bitrates.set(at, ((bytes - before.bytes) * 8000) / (at - before.at));
		}
	} finally {
		await page.close();
		sfu.close();
	}
	return bitrates;
}

const chromium = await startBrowser('Chromium');
try {
	for (const startBitrate of startBitrates) {
		const bitrates = await measure(chromium, startBitrate);
		const reached = [...bitrates].find(([, bitrate]) => bitrate >= wanted)?.[0];
		const course = [...bitrates].filter((_, index) => index % 4 === 3).map(([, bitrate]) => Math.round(bitrate / 1000));
		console.log(
			`start bitrate ${startBitrate}: 1 Mbit/s ${reached === undefined ? `not within ${seconds} s` : `after ${(reached / 1000).toFixed(1)} s`}; kbit/s by the second: ${course.join(' ')}`,
		);
	}
} finally {
	await chromium.close();
}
