import { setTimeout as sleep } from 'node:timers/promises';
import { takeHeapSnapshot, totalOf, type Held } from './HeapSnapshot.js';
import { memoryInUse } from './memoryInUse.js';
import type { Field, Subject } from './Subject.js';

/** What one object takes, in bytes. */
export interface PerObject {
	heap: number;
	worker: number;
}

/** What one object takes by snapshots of the heap, in bytes: all, and the constructors that hold the most. */
export interface SnapshotPerObject {
	bytes: number;
	most: Record<string, Held>;
}

/** So many are made at the same time. */
const atOnce = 20;
/** So many constructors are told. */
const told = 10;

/** Makes so many objects, and measures what one takes. Nothing is left of them. */
export async function measure(subject: Subject, count: number): Promise<PerObject> {
	const [before, after] = await aroundMaking(subject, count, ({ pid }) => memoryInUse(pid));
	return { heap: (after.heap - before.heap) / count, worker: (after.worker - before.worker) / count };
}

/** The same by snapshots of the heap. They are taken for themselves, because taking one leaves something in the heap. */
export async function measureBySnapshot(subject: Subject, count: number): Promise<SnapshotPerObject> {
	const [before, after] = await aroundMaking(subject, count, takeHeapSnapshot);
	const grown = [...after].map(([name, held]): [string, Held] => {
		const { count: objects, bytes } = before.get(name) ?? { count: 0, bytes: 0 };
		return [name, { count: round((held.count - objects) / count), bytes: round((held.bytes - bytes) / count) }];
	});
	const most = grown.sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, told);
	return { bytes: round((totalOf(after) - totalOf(before)) / count), most: Object.fromEntries(most) };
}

/** Calls `look` before and after so many objects are made. */
async function aroundMaking<Result>(
	subject: Subject,
	count: number,
	look: (field: Field) => Promise<Result>,
): Promise<[before: Result, after: Result]> {
	const field = await subject.prepare(count);
	try {
		await sleep(200);
		const before = await look(field);
		for (let index = 0; index < count; index += atOnce) {
			const size = Math.min(atOnce, count - index);
			await Promise.all(Array.from({ length: size }, (_, offset) => field.make(index + offset)));
		}
		await sleep(200);
		return [before, await look(field)];
	} finally {
		field.close();
	}
}

const round = (value: number) => Number(value.toFixed(1));
