/**
 * Joins, pushes, pulls and leaves as fast as the machine can, and tells how memory fares: of Node, and of the worker. The
 * baseline is the same churn of bare mediasoup, in the same run: transports that are connected, producers and consumers.
 *
 *     node --expose-gc --import tsx bench/churn.ts [--seconds 60] [--json FILE]
 *
 * So many seconds are for each system. A call is a push or a pull: each opens an RTCPeerConnection. With the library users
 * join over the adapter, negotiate their push once more, and leave in three ways; that is not counted. The offers are those of
 * real browsers; nobody connects, so no media flows.
 *
 * Twenty times all leave, and memory is measured when nothing of them is left, after the garbage is gone. So whatever grows is
 * a leak, a cache, or what V8 has compiled: in a run of a few seconds it is the last. The slope is that of the second half, with
 * its standard error. It is flat if it is not above two of them. The exit status is 1 if the worker still has something of
 * those who have left.
 */
import { parseArgs } from 'node:util';
import { startBareChurn } from './memory/bareChurn.js';
import type { Churn } from './memory/Churn.js';
import { leftIn } from './memory/leftIn.js';
import { memoryInUse, type MemoryInUse } from './memory/memoryInUse.js';
import { startSfuChurn } from './memory/sfuChurn.js';
import { isFlat, slopeOf, type Slope } from './memory/slope.js';
import { report, type Row } from './report.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, json: { type: 'string' } } });
const rounds = 20;
const roundTime = (Number(values.seconds) * 1000) / rounds;
/** So many users are there at the same time. */
const clients = 32;

interface Sample extends MemoryInUse {
	calls: number;
}

/** Lets users come and go for a while. Resolves with the time that it took, when all have gone. */
async function play(churn: Churn, time: number): Promise<number> {
	const started = performance.now();
	const client = async () => {
		while (performance.now() < started + time) await churn.stay();
	};
	await Promise.all(Array.from({ length: clients }, client));
	const taken = performance.now() - started;
	await churn.settle();
	return taken;
}

async function run(churn: Churn) {
	// What is compiled and cached at first is no growth.
	await play(churn, roundTime);
	const before = churn.calls;
	const sample = async (): Promise<Sample> => ({
		calls: churn.calls - before,
		...(await memoryInUse(churn.worker.pid)),
	});
	const samples = [await sample()];
	let time = 0;
	for (let round = 0; round < rounds; round++) {
		time += await play(churn, roundTime);
		samples.push(await sample());
	}
	churn.clear();
	const left = await leftIn(churn.worker);
	churn.close();
	return { system: churn.system, samples, callsPerSecond: (samples.at(-1)!.calls / time) * 1000, left };
}

/** In bytes for each call. */
const growth = (samples: readonly Sample[], key: keyof MemoryInUse): Slope =>
	slopeOf(samples.slice(rounds / 2).map((sample) => ({ x: sample.calls, y: sample[key] })));
const told = (slope: Slope) => `${slope.slope.toFixed(2)} ± ${slope.error.toFixed(2)}`;
const MB = (bytes: number) => Number((bytes / 1e6).toFixed(2));

const results = [await run(await startBareChurn()), await run(await startSfuChurn())];
const rows = results.map(({ system, samples, callsPerSecond }): Row => {
	const [first, middle, last] = [samples[0]!, samples[rounds / 2]!, samples.at(-1)!];
	const slopes = { heap: growth(samples, 'heap'), worker: growth(samples, 'worker') };
	return {
		system,
		'calls/s': Math.round(callsPerSecond),
		calls: last.calls,
		'heap at start, MB': MB(first.heap),
		'in the middle': MB(middle.heap),
		'at the end': MB(last.heap),
		'heap, kB per 1,000 calls': told(slopes.heap),
		'heap is flat': isFlat(slopes.heap) ? 'yes' : 'no',
		'RSS of Node, MB': `${Math.round(first.node / 1e6)}, ${Math.round(middle.node / 1e6)}, ${Math.round(last.node / 1e6)}`,
		'RSS of the worker, MB': [first, middle, last].map(({ worker }) => MB(worker)).join(', '),
		'worker, kB per 1,000 calls': told(slopes.worker),
		'worker is flat': isFlat(slopes.worker) ? 'yes' : 'no',
	};
});
report({ name: 'churn', rows, details: results }, values.json);
for (const { system, left } of results) console.log(`Left of ${system}: ${JSON.stringify(left)}`);
if (results.some(({ left }) => Object.values(left).some((count) => count !== 0))) process.exitCode = 1;
