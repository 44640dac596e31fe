/**
 * What it costs to forward media to pullers that complete ICE, DTLS and SRTP, compared with bare mediasoup on one router: the
 * processor time of Node and of the worker apart, and the delay in the server. The target is at most 3 % more than bare.
 *
 *     apt-get install gcc libssl-dev libsrtp2-dev
 *     node --import tsx bench/forwarding.ts [--pullers 8,32,100,300] [--rounds 3] [--seconds 8] [--json FILE]
 *
 * One pusher sends Opus and VP8. It and the pullers are processes of their own: C programs on loopback, so that the load takes
 * less than what it measures. They do what browsers do that costs the server something: reports of receivers each second,
 * consent to be sent to, and with an estimate the arrivals of all packets ten times a second.
 *
 * - The systems of a round follow each other in fresh processes, and each round begins with another one.
 * - Each is compared with bare mediasoup that has the same header extensions and feedback, in the same round.
 * - Delays are from the pusher's socket to a puller's socket, by the clock of the kernel: what the load generator waits for
 *   does not count. All packets of all pullers are measured.
 * - Lost packets mean that something is overloaded. Such a row is marked: it says nothing.
 *
 * It needs Linux. As root, it takes the highest priority, so that other work on the machine disturbs it less. At 300 pullers
 * the load generator takes about a third of a core. The pusher has no header extensions, and nothing is lost or retransmitted.
 */
import { parseArgs } from 'node:util';
import { buildLoad, type Media } from './forwarding/Load.js';
import { measure, type Sample } from './forwarding/measure.js';
import { takePriority } from './forwarding/priority.js';
import { systems, type System } from './forwarding/Server.js';
import { report } from './report.js';

const { values } = parseArgs({
	options: {
		pullers: { type: 'string', default: '8,32,100,300' },
		rounds: { type: 'string', default: '3' },
		seconds: { type: 'string', default: '8' },
		json: { type: 'string' },
	},
});

/** About 320 kbit/s. */
const media: Media = { audio: { rate: 50, payload: 100 }, video: { rate: 30, packets: 1, payload: 1100 } };

const baselines: Record<System, System> = {
	'bare, no estimate': 'bare, no estimate',
	'sfu-rooms, client offers': 'bare, no estimate',
	'bare, with estimate': 'bare, with estimate',
	'sfu-rooms, server offers': 'bare, with estimate',
};
const names = Object.keys(systems) as System[];

const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** The one in the middle, or the mean of the two. */
function median(numbers: readonly number[]): number {
	const sorted = numbers.toSorted((a, b) => a - b);
	return mean(sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1));
}

const total = ({ node, worker }: Sample) => node + worker;

function row(pullers: number, system: System, samples: Record<System, Sample[]>) {
	const own = samples[system];
	const of = (read: (sample: Sample) => number) => median(own.map(read));
	const ratios = own.map((sample, round) => total(sample) / total(samples[baselines[system]][round]!));
	const lost = own.reduce((sum, sample) => sum + sample.lost, 0);
	return {
		pullers,
		system,
		'node, % of a core': +of(({ node }) => node).toFixed(2),
		'worker, % of a core': +of(({ worker }) => worker).toFixed(2),
		'× bare': +median(ratios).toFixed(3),
		'least–most': `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`,
		'packets/s': Math.round(of(({ rate }) => rate)),
		'delay p50, ms': +of(({ p50 }) => p50).toFixed(2),
		'p95, ms': +of(({ p95 }) => p95).toFixed(2),
		'p99, ms': +of(({ p99 }) => p99).toFixed(2),
		'load, % of a core': +of(({ load }) => load).toFixed(1),
		lost: lost > 0 ? `${lost}: distorted` : 0,
	};
}

takePriority();
const { binary, remove } = buildLoad();
const rows = [];
const details = [];
try {
	for (const pullers of values.pullers.split(',').map(Number)) {
		const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<System, Sample[]>;
		for (let round = 0; round < Number(values.rounds); round++) {
			for (let index = 0; index < names.length; index++) {
				const system = names[(index + round) % names.length]!;
				samples[system].push(
					await measure(binary, system, { pullers, media, duration: Number(values.seconds) * 1000 }),
				);
			}
		}
		rows.push(...names.map((system) => row(pullers, system, samples)));
		details.push({ pullers, samples });
	}
} finally {
	remove();
}
const plots = [{ title: 'Processor time of the worker', x: 'pullers', y: 'worker, % of a core', series: 'system' }];
report({ name: 'forwarding', rows, plots, details }, values.json);
