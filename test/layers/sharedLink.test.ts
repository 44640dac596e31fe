import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LinkController } from '../../src/layers/LinkController.js';

/** What a sender of video without layers sends when nobody asks it for less, in bit/s. */
const full = 1_500_000;
/** The parts of time in which it is looked at the link, in ms. */
const part = 100;

/** A connection with one video, whose receiver reports each second. Its sender follows within about a second. */
class OneVideo {
	readonly control = new LinkController({ isEstimated: false, initialBitrate: full });
	readonly told: string[] = [];
	readonly #phase: number;
	#step = 1;
	#sends = full;
	#isStale = false;
	#unreported = { packets: 0, lost: 0, since: 0 };

	constructor(phase: number) {
		this.#phase = phase;
	}

	get bitrate() {
		return this.#step === 0 ? 0 : this.#sends;
	}

	pass(now: number, delay: number, dropped: number) {
		const { bitrate } = this;
		const unreported = this.#unreported;
		unreported.packets += (bitrate / 8000 / 1000) * part;
		unreported.lost += (bitrate / 8000 / 1000) * part * dropped;
		const asked = Math.min(this.control.demandOf('video') ?? full, full);
		this.#sends += (asked - this.#sends) * (asked < this.#sends ? 0.12 : 0.06);
		if ((now + this.#phase) % 500 !== 0) return;
		const comes = (now + this.#phase) % 1000 === 0 && unreported.packets > 1;
		// The first report of a video that was held is about what was lost before.
		const counts = comes && !this.#isStale;
		if (comes) this.#isStale = false;
		if (comes || bitrate === 0) this.#unreported = { packets: 0, lost: 0, since: now };
		const stream = { id: 'video', priority: 1, rank: -1, isLayered: false, step: this.#step, limit: this.#step };
		const bitrates = [0, this.#sends];
		const next = this.control
			.decide({
				...{ at: now, bitrate, limit: Infinity, estimate: undefined },
				packets: counts ? Math.round(unreported.packets) : 0,
				lost: counts ? Math.round(unreported.lost) : 0,
				covered: counts ? now - unreported.since : undefined,
				roundTripTimes: counts ? [40 + delay] : [],
				streams: [
					{
						...stream,
						fullFrameRateStep: 1,
						bitrates,
						leastBitrates: bitrates,
						demanded: asked < full ? asked : Infinity,
					},
				],
			})
			.get('video');
		if (next === undefined) return;
		this.#step = next;
		this.#isStale ||= next === 0;
		this.told.push(`${now / 1000} s: ${next === 0 ? 'held' : 'shown'}`);
	}
}

it('Videos on connections of their own that share a link are held once each, and fit in after that', () => {
	const videos = [0, 300, 600].map((phase) => new OneVideo(phase));
	const audio = 150_000;
	const longestQueue = 1000;
	let delay = 0;
	let longest = 0;
	for (let now = 0; now < 60_000; now += part) {
		const capacity = now < 15_000 ? Infinity : 1_000_000;
		const total = audio + videos.reduce((sum, { bitrate }) => sum + bitrate, 0);
		const queue = delay + (total / capacity - 1) * part;
		delay = Math.min(Math.max(queue, 0), longestQueue);
		if (now > 20_000) longest = Math.max(longest, delay);
		const dropped = Math.max(0, queue - longestQueue) / part / Math.max(total / capacity, 1);
		for (const video of videos) video.pass(now, delay, Math.min(dropped, 1));
	}
	for (const { told } of videos) assert.ok(told.length <= 2, told.join());
	assert.ok(longest < 500, `then the queue is never longer than ${longest} ms`);
	assert.ok(videos.every(({ bitrate }) => bitrate > 100_000));
});
