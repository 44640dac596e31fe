/**
 * How a puller fares on a link that narrows from 3 Mbit/s to 400 kbit/s and widens again, with three layers to choose from,
 * compared with one stream of the same bitrate on the same link: the baseline.
 *
 *     scripts/namespace.sh node --import tsx bench/link.ts [seconds for each width of the link]
 *
 * The column of ratios divides by the baseline of the same run, and so it depends less on the machine than the times do.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sfu } from 'sfu-rooms';
import { cannotRun, startBrowser, type Browser, type BrowserName } from '../test/support/browsers.js';
import type { InboundStats } from '../test/support/client.js';
import { callInLayers, simulcast, untilWide, type Layers, type Offerer } from '../test/support/layers.js';
import { cannotShape, limitIncoming, overUdp } from '../test/support/namespace.js';

if (cannotShape) throw new Error(cannotShape);
const seconds = Number(process.argv[2] ?? 18);
const narrow = 400;
const wide = 3000;

/** One stream with the bitrate and the size of the highest layer. */
const single: Layers = { name: 'simulcast', encodings: [{ maxBitrate: 1_500_000 }], expected: [] };

/** What a puller showed, five times a second. */
interface Sample {
	/** In seconds, from the change of the link on. */
	at: number;
	video: InboundStats;
	audio: InboundStats;
}

/** What is measured while the link has one width. */
interface Course {
	/** The longest freeze in seconds, as the browser has it: a frame that comes much later than those before. */
	freeze: number;
	/** How many seconds of audio were made up in place of what was lost. */
	concealed: number;
	frames: number;
	/** From when on the width of the picture stayed as it was at the end, in seconds. */
	settled: number;
	endWidth: number;
}

function courseOf(samples: readonly Sample[]): Course {
	const first = samples[0]!;
	const last = samples.at(-1)!;
	const freezes = samples
		.slice(1)
		.map(({ video }, index) => video.totalFreezesDuration - samples[index]!.video.totalFreezesDuration);
	const endWidth = last.video.frameWidth;
	const unsettled = samples.findLast(({ video }) => video.frameWidth !== endWidth);
	return {
		freeze: Math.max(...freezes),
		concealed: (last.audio.concealedSamples - first.audio.concealedSamples) / 48_000,
		frames: last.video.framesDecoded - first.video.framesDecoded,
		settled: unsettled?.at ?? 0,
		endWidth,
	};
}

/** Plays a call whose puller's link narrows and widens. */
async function play(browsers: Map<BrowserName, Browser>, puller: BrowserName, offerer: Offerer, layers: Layers) {
	const sfu = await Sfu.create({ workers: { count: 1 }, webRtc: { listen: [overUdp] } });
	const [from, to] = [await browsers.get('Chromium')!.newPage(), await browsers.get(puller)!.newPage()];
	try {
		const room = await sfu.getOrCreateRoom(randomUUID());
		const { id } = await callInLayers(room, { from, to, offerer, codec: 'VP8', layers });
		await untilWide(to, id, (width) => width === 960);
		const link = limitIncoming({ kilobits: wide, udpPort: (await to.client.stats(id)).localPort });
		try {
			await sleep(5000);
			await untilWide(to, id, (width) => width === 960);
			const courses: Course[] = [];
			for (const kilobits of [narrow, wide]) {
				link.change(kilobits);
				const started = performance.now();
				const samples: Sample[] = [];
				while (performance.now() - started < seconds * 1000) {
					const { video, audio } = await to.client.stats(id);
					samples.push({ at: (performance.now() - started) / 1000, video: video[0]!, audio: audio[0]! });
					await sleep(200);
				}
				courses.push(courseOf(samples));
			}
			return courses;
		} finally {
			link.stop();
		}
	} finally {
		await Promise.all([from.close(), to.close()]);
		sfu.close();
	}
}

const cases: { puller: BrowserName; offerer: Offerer }[] = [
	{ puller: 'Chromium', offerer: 'client' },
	{ puller: 'Chromium', offerer: 'server' },
	{ puller: 'Firefox', offerer: 'server' },
];

const browsers = new Map<BrowserName, Browser>();
for (const name of ['Chromium', 'Firefox'] as const) {
	if (!cannotRun(name)) browsers.set(name, await startBrowser(name));
}
const rows: Record<string, string | number>[] = [];
try {
	for (const { puller, offerer } of cases) {
		if (!browsers.has(puller)) continue;
		const baseline = await play(browsers, puller, offerer, single);
		const layered = await play(browsers, puller, offerer, simulcast);
		for (const [index, kilobits] of [narrow, wide].entries()) {
			const [one, other] = [layered[index]!, baseline[index]!];
			const ratio = (value: number, base: number) => (base === 0 ? '-' : (value / base).toFixed(2));
			rows.push({
				case: `${puller}, the ${offerer} offers, ${kilobits} kbit/s`,
				'settled after s': one.settled.toFixed(1),
				'at width': one.endWidth,
				'longest freeze s': one.freeze.toFixed(2),
				'× baseline': ratio(one.freeze, other.freeze),
				'audio made up s': one.concealed.toFixed(2),
				'× baseline ': ratio(one.concealed, other.concealed),
				frames: one.frames,
				'× baseline  ': ratio(one.frames, other.frames),
			});
		}
	}
} finally {
	for (const browser of browsers.values()) await browser.close();
}
console.table(rows);
