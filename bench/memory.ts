/**
 * What one more user, pusher or puller takes of Node's heap and of the worker's memory. The baseline is what the same needs of
 * bare mediasoup, in the same run: a WebRtcTransport that is connected, with one Producer or Consumer of video.
 *
 *     node --expose-gc --import tsx bench/memory.ts [--counts 1000,10000] [--snapshots 1000] [--json FILE]
 *
 * Users join over the adapter, a hundred in a room, each with a socket that is hardly there: a real WebSocket comes on top.
 * The offers are those of Chromium; nobody connects. Each row has a worker of its own, and counts what one object adds to it and
 * to the heap; the users of pushers and pullers have joined before. The heap is `heapUsed` after the garbage is gone. Snapshots
 * of it, which are taken for themselves, tell which constructors hold the most. By default there are none of 10,000: one of
 * them would take more than a minute, and have more than a gigabyte of text.
 */
import { parseArgs } from 'node:util';
import { bareSubjects } from './memory/bareSubjects.js';
import { measure, measureBySnapshot, type PerObject, type SnapshotPerObject } from './memory/measure.js';
import { sfuSubjects } from './memory/sfuSubjects.js';
import type { Subject } from './memory/Subject.js';
import { report, type Row } from './report.js';

const { values } = parseArgs({
	options: {
		counts: { type: 'string', default: '1000,10000' },
		snapshots: { type: 'string', default: '1000' },
		json: { type: 'string' },
	},
});
const numbers = (list: string) => list.split(',').map(Number);
const snapshots = numbers(values.snapshots);
const warmUp = 300;

// The library looks at each link from time to time. Over these nothing flows, and so many of them keep both processes busy.
globalThis.setInterval = ((_: unknown, delay: number) => setTimeout(() => undefined, delay)) as typeof setInterval;

interface Measured {
	subject: Subject;
	count: number;
	each: PerObject;
	snapshot: SnapshotPerObject | undefined;
}

const measured: Measured[] = [];
for (const subject of [...bareSubjects, ...sfuSubjects]) {
	await measure(subject, warmUp);
	for (const count of numbers(values.counts)) {
		const started = performance.now();
		const each = await measure(subject, count);
		const snapshot = snapshots.includes(count) ? await measureBySnapshot(subject, count) : undefined;
		measured.push({ subject, count, each, snapshot });
		const seconds = ((performance.now() - started) / 1000).toFixed(1);
		console.log(`${subject.name}, ${subject.system}, of ${count}: measured in ${seconds} s`);
	}
}

/** What the same takes on bare mediasoup. */
function baselineOf({ baseline }: Subject, count: number): PerObject | undefined {
	const isBaseline = (one: Measured) => !one.subject.baseline && one.subject.name === baseline && one.count === count;
	return baseline === undefined ? undefined : measured.find(isBaseline)?.each;
}

const kB = (bytes: number | undefined) => (bytes === undefined ? '' : Number((bytes / 1000).toFixed(1)));
const ratio = (value: number, of: number | undefined) => (of === undefined ? '' : Number((value / of).toFixed(2)));

const rows = measured.map(({ subject, count, each, snapshot }): Row => {
	const bare = baselineOf(subject, count);
	return {
		'one more': `${subject.name}, ${subject.system}`,
		of: count,
		'heap, kB': kB(each.heap),
		'heap × bare': ratio(each.heap, bare?.heap),
		'by snapshot, kB': kB(snapshot?.bytes),
		'worker, kB': kB(each.worker),
		'worker × bare': ratio(each.worker, bare?.worker),
	};
});
const details = measured.flatMap(({ subject: { name, system }, count, snapshot }) =>
	snapshot ? [{ name, system, count, ...snapshot }] : [],
);
for (const { name, system, count, most } of details) {
	console.log(`\n${name}, ${system}, of ${count}: what holds the most for each`);
	console.table(most);
}
const plots = [{ title: 'Heap for one more', x: 'of', y: 'heap, kB', series: 'one more' }];
report({ name: 'memory', rows, plots, details }, values.json);
process.exit(0);
