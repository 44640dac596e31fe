import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from './browsers.js';

/** How many frames a puller has decoded, and how much audio energy. */
async function played(page: Page, pullerId: string) {
	const { video, audio } = await page.client.stats(pullerId);
	return {
		frames: video.reduce((sum, { framesDecoded }) => sum + framesDecoded, 0),
		energy: audio.reduce((sum, { totalAudioEnergy }) => sum + totalAudioEnergy, 0),
	};
}

/** Waits until the puller has decoded a frame and heard something, at most `within` milliseconds. */
export async function untilPlaying(page: Page, pullerId: string, { within }: { within: number }) {
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

/**
 * For so many seconds, the puller must decode frames and hear something in each, and decode five frames a second on the
 * whole. The camera makes 15; the rest is for machines that are busy with other things.
 */
export async function assertPlaysOn(page: Page, pullerId: string, { seconds }: { seconds: number }) {
	const first = await played(page, pullerId);
	let last = first;
	for (let second = 1; second <= seconds; second++) {
		await sleep(1000);
		const now = await played(page, pullerId);
		assert.ok(now.frames > last.frames, `second ${second} decoded no frame`);
		assert.ok(now.energy > last.energy, `second ${second} was silent`);
		last = now;
	}
	const frames = last.frames - first.frames;
	assert.ok(frames >= 5 * seconds, `${frames} frames in ${seconds} seconds`);
}
