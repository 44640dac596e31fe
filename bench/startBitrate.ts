/**
 * With which estimate of its link a publisher in Chromium begins, and how long it takes to send 1 Mbit/s, with and without a
 * start bitrate in its answer. It sends noise in 640×360, and nothing else is set. The first start bitrate is the baseline
 * that the ratios divide by.
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

/** The first estimate, and the bitrates of the last second, by the time since the connection was there. */
async function measure(browser: Browser, startBitrate: number) {
	const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [{ ip: mediaAddress }], startBitrate } });
	const page = await browser.newPage();
	const bitrates = new Map<number, number>();
	let estimate: number;
	try {
		const room = await sfu.getOrCreateRoom('room');
		const user = await room.join({ userId: 'user' });
		const { id, offer } = await page.client.createNoisePusher();
		const { answer } = await user.push(offer);
		await page.client.acceptAnswer(id, answer);
		estimate = await page.client.firstEstimate(id);
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
	return { estimate, bitrates };
}

const chromium = await startBrowser('Chromium');
const rows: Record<string, string | number>[] = [];
try {
	let baseline: { estimate: number; reached: number | undefined } | undefined;
	for (const startBitrate of startBitrates) {
		const { estimate, bitrates } = await measure(chromium, startBitrate);
		const reached = [...bitrates].find(([, bitrate]) => bitrate >= wanted)?.[0];
		const course = [...bitrates].filter((_, index) => index % 4 === 3).map(([, bitrate]) => Math.round(bitrate / 1000));
		baseline ??= { estimate, reached };
		rows.push({
			'start bitrate': startBitrate,
			'first estimate': Math.round(estimate),
			'× baseline': (estimate / baseline.estimate).toFixed(2),
			'1 Mbit/s after s': reached === undefined ? `not within ${seconds}` : (reached / 1000).toFixed(1),
			'× baseline ': reached && baseline.reached ? (reached / baseline.reached).toFixed(2) : '-',
			'kbit/s by the second': course.join(' '),
		});
	}
} finally {
	await chromium.close();
}
console.table(rows);
