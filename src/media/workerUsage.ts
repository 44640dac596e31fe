import type { Worker } from 'mediasoup/types';
import { readFile } from 'node:fs/promises';

/** What the process of a media worker has used. */
export interface WorkerUsage {
	/** Its place among the workers, as in {@link WorkerLoad.index}. */
	readonly index: number;
	/** The id of its process. */
	readonly pid: number;
	/** How long it has kept a core busy since it began, in ms. */
	readonly cpuTime: number;
	/** The memory that it has at the moment, in bytes (resident set size). Undefined where the system does not say: on all but Linux. */
	readonly memory: number | undefined;
	/** The most memory that it has had, in bytes. */
	readonly peakMemory: number;
}

/** Measures a worker. It asks the worker once, and takes nothing while nobody asks. */
export async function usageOf(index: number, worker: Worker): Promise<WorkerUsage> {
	const { pid } = worker;
	const [usage, memory] = await Promise.all([worker.getResourceUsage(), residentMemory(pid)]);
	const { ru_utime: user, ru_stime: system, ru_maxrss: peak } = usage;
	return { index, pid, cpuTime: user + system, memory, peakMemory: peak * 1024 };
}

async function residentMemory(pid: number): Promise<number | undefined> {
	try {
		const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
		return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
	} catch {
		return undefined;
	}
}
