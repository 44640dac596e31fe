/**
 * How long a push and a pull of audio and video take, and how many requests they send to the worker, compared with the
 * bare mediasoup calls for the same: the baseline. The bare calls are sent without waiting in between where order allows.
 * All of them take turns in one process, and each is warm. The offers are those of Chromium; nobody connects.
 *
 *     node --import tsx bench/negotiation.ts [--calls 400] [--warm-up 150] [--users 1,500] [--observed] [--json FILE]
 *
 * With `--observed` each room takes a second turn, with metrics and tracing.
 * The columns of ratios divide by the baseline of the same run, and so they depend less on the machine than the times do.
 */
import { parseArgs } from 'node:util';
import { report } from './report.js';
import { bareCalls } from './negotiation/bareCalls.js';
import { summarize } from './negotiation/statistics.js';
import { start } from './negotiation/sfuCalls.js';
import type { Call, CallName } from './negotiation/Call.js';

const { values } = parseArgs({
	options: {
		calls: { type: 'string', default: '400' },
		'warm-up': { type: 'string', default: '150' },
		users: { type: 'string', default: '1,500' },
		observed: { type: 'boolean', default: false },
		json: { type: 'string' },
	},
});
const calls = Number(values.calls);
const warmUp = Number(values['warm-up']);
const roomSizes = values.users.split(',').map(Number);

const { sfu, worker, requests, roomOf, observe } = await start();
const baseline = await bareCalls(worker);
const rooms = await Promise.all(roomSizes.map(async (users) => ({ users, calls: await roomOf(users) })));

/** The baseline, and then the same call in each room. */
const contenders = (name: CallName): { users: number | undefined; observed: boolean; call: Call }[] => [
	{ users: undefined, observed: false, call: baseline[name] },
	...(values.observed ? [false, true] : [false]).flatMap((observed) =>
		rooms.map(({ users, calls: ofRoom }) => ({ users, observed, call: ofRoom[name] })),
	),
];

/** Lets the worker and this process do what is left of a call. */
async function settle(): Promise<void> {
	await worker.getResourceUsage();
	await new Promise(setImmediate);
}

const names: CallName[] = ['push', 'pull by an offer of the client', 'pull by an offer of the server'];
const results = [];
for (const name of names) {
	const measured = contenders(name).map((contender) => ({
		...contender,
		times: [] as number[],
		sent: [] as string[][],
	}));
	for (let turn = -warmUp; turn < calls; turn++) {
		// No contender always follows the same other one.
		for (let index = 0; index < measured.length; index++) {
			const { call, observed, times, sent } = measured[(index + Math.max(turn, 0)) % measured.length]!;
			const run = call();
			const stop = observed ? observe() : undefined;
			requests.take();
			const started = performance.now();
			const end = await run();
			const time = performance.now() - started;
			const ofCall = requests.take();
			end();
			stop?.();
			await settle();
			if (turn < 0) continue;
			times.push(time);
			sent.push(ofCall);
		}
	}
	const bare = summarize(measured[0]!.times);
	for (const { users, observed, times, sent } of measured) {
		const summary = summarize(times);
		const counts = new Map<string, number>();
		for (const method of sent.flat()) counts.set(method, (counts.get(method) ?? 0) + 1 / sent.length);
		results.push({
			call: name,
			users,
			observed,
			...summary,
			p10Ratio: summary.p10 / bare.p10,
			medianRatio: summary.median / bare.median,
			p95Ratio: summary.p95 / bare.p95,
			requests: Object.fromEntries([...counts].map(([method, count]) => [method, Number(count.toFixed(2))])),
		});
	}
}
sfu.close();

for (const { call, users, requests: ofCall } of results) {
	const told = Object.entries(ofCall).map(([method, count]) => `${count} ${method}`);
	console.log(`${call}, ${users === undefined ? 'bare' : `users: ${users}`}: ${told.join(', ')}`);
}
report(
	{
		name: 'negotiation',
		rows: results.map(({ call, users, observed, p10, median, p95, medianRatio, requests: ofCall }) => ({
			call,
			of:
				users === undefined
					? 'bare mediasoup'
					: `sfu-rooms, ${users} ${users === 1 ? 'user' : 'users'}${observed ? ', observed' : ''}`,
			'median, ms': median.toFixed(2),
			'× bare': medianRatio.toFixed(2),
			'p10, ms': p10.toFixed(2),
			'p95, ms': p95.toFixed(2),
			requests: Math.round(Object.values(ofCall).reduce((sum, count) => sum + count, 0)),
		})),
		details: { calls, results: results.map((result) => ({ ...result, users: result.users ?? null })) },
	},
	values.json,
);
