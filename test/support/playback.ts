import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from './browsers.js';

// Nothing here measures time: this is only how long a machine may take that is busy with other things.
const patience = 60_000;

/** How many frames a puller has decoded, and how much audio energy. */
async function played(page: Page, pullerId: string) {
	const { video, audio } = await page.client.stats(pullerId);
	return {
		frames: video.reduce((sum, { framesDecoded }) => sum + framesDecoded, 0),
		energy: audio.reduce((sum, { totalAudioEnergy }) => sum + totalAudioEnergy, 0),
	};
}

/** Waits until the puller has decoded a frame and heard something, at most `within` milliseconds. */
export async function untilPlaying(page: Page, pullerId: string, { within = patience }: { within?: number } = {}) {
	const deadline = Date.now() + within;
	for (;;) {
		const { frames, energy } = await played(page, pullerId);
		if (frames > 0 && energy > 0) return;
		if (Date.now() > deadline) {
			assert.fail(`not playing after ${within} ms: ${JSON.stringify(await page.client.stats(pullerId))}`);
		}
		await sleep(100);
	}
}

/** Waits until the puller has decoded so many more frames. */
export async function untilDecoded(page: Page, pullerId: string, { frames: wanted }: { frames: number }) {
	const first = await played(page, pullerId);
	const deadline = Date.now() + patience;
	for (;;) {
		const frames = (await played(page, pullerId)).frames - first.frames;
		if (frames >= wanted) return;
		assert.ok(Date.now() < deadline, `${frames} frames in ${patience} ms, not ${wanted}`);
		await sleep(100);
	}
}

/** Waits until the puller has decoded so many more frames, five at a time, and has heard something with each five. */
export async function assertPlaysOn(page: Page, pullerId: string, { frames }: { frames: number }) {
	let last = await played(page, pullerId);
	for (let decoded = 0; decoded < frames; decoded += 5) {
		const deadline = Date.now() + patience;
		for (;;) {
			const now = await played(page, pullerId);
			if (now.frames >= last.frames + 5 && now.energy > last.energy) {
				last = now;
				break;
			}
			const grown = `${now.frames - last.frames} frames, ${now.energy - last.energy} of audio energy`;
			assert.ok(Date.now() < deadline, `${grown} in ${patience} ms, after ${decoded} frames`);
			await sleep(100);
		}
	}
}
