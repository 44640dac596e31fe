import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InboundStats } from '../../test/support/client.js';
import { startBareMediasoup } from './bareMediasoup.js';
import type { Call } from './call.js';
import { setLink, startChromium, type BenchPage, type Way } from './network.js';
import { distance, wide, type Scenario, type System, type Video } from './scenarios.js';
import { startSfuRooms } from './sfuRooms.js';
import { dateFreezes, sum, sumUp, type Figures, type Sample } from './sums.js';

/** How a scenario went. */
export interface Course {
	phases: ({ phase: string } & Figures & { samples: Sample[] })[];
	/** The load of the machine at the end, of the last minute. A busy machine has fewer frames to show. */
	load: number;
}

/** How long everything is left alone, after it was pushed and again after it was pulled, in ms. */
const settling = { pushed: 12_000, pulled: 10_000 };

/** Plays a scenario, with a browser for all who push and another one for the one who pulls. */
export async function play(scenario: Scenario, video: Video, system: System): Promise<Course> {
	const call = system === 'mediasoup' ? await startBareMediasoup() : await startSfuRooms(system);
	const browsers: { close(): Promise<void> }[] = [];
	try {
		setLink('a', { up: distance, down: distance });
		setDown(wide);
		const a = await startChromium('a');
		browsers.push(a);
		const b = await startChromium('b');
		browsers.push(b);
		for (let pushed = 0; pushed < scenario.pushers; pushed++) await call.push(await a.newPage(), video);
		await sleep(settling.pushed);
		const page = await b.newPage();
		const ids = await call.pull(page);
		await sleep(settling.pulled);
		const measured = [];
		for (const { name: phase, seconds, down } of scenario.phases) {
			const changes = call.changes();
			setDown(down);
			const samples = await measure(call, page, ids, seconds);
			if (!call.lasts()) throw new Error('what was pulled has closed');
			measured.push({ phase, samples, changes: call.changes() - changes });
		}
		dateFreezes(
			measured.flatMap(({ samples }) => samples),
			scenario.pushers,
		);
		const phases = measured.map(({ phase, samples, changes }) => ({
			phase,
			...sumUp(samples, scenario.pushers, changes),
			samples,
		}));
		return { phases, load: loadavg()[0]! };
	} finally {
		await Promise.all(browsers.map((browser) => browser.close()));
		call.close();
	}
}

function setDown(down: Way): void {
	setLink('b', { up: distance, down: { ...distance, ...down } });
}

/** Takes a sample each second. */
async function measure(call: Call, page: BenchPage, ids: readonly string[], seconds: number): Promise<Sample[]> {
	const samples: Sample[] = [];
	let before = await count(page, ids);
	while (samples.length < seconds) {
		await sleep(1000);
		const [now, sent] = await Promise.all([count(page, ids), call.sent()]);
		samples.push({
			seconds: (now.at - before.at) / 1000,
			frames: now.frames - before.frames,
			frozen: now.frozen - before.frozen,
			concealed: now.concealed - before.concealed,
			samples: now.samples - before.samples,
			widths: now.widths,
			...sent,
		});
		before = now;
	}
	return samples;
}

/** Reads counters that only grow. */
async function count({ client }: BenchPage, ids: readonly string[]) {
	const stats = await Promise.all(ids.map((id) => client.stats(id)));
	const of = (kind: 'video' | 'audio', key: keyof InboundStats) =>
		// mediasoup probes with packets of a video that is none.
		stats.flatMap((one) => one[kind].filter(({ mid }) => mid !== 'probator').map((stream) => Number(stream[key])));
	return {
		at: performance.now(),
		frames: sum(of('video', 'framesDecoded')),
		frozen: sum(of('video', 'totalFreezesDuration')),
		concealed: sum(of('audio', 'concealedSamples')),
		samples: sum(of('audio', 'totalSamplesReceived')),
		widths: of('video', 'frameWidth'),
	};
}
