import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The memory that is in use, in bytes. */
export interface MemoryInUse {
	/** Of Node's heap. */
	heap: number;
	/** Of Node's process: what it has of the machine's memory. */
	node: number;
	/** Of the worker's process. */
	worker: number;
}

/**
 * Measures the memory after the garbage is gone.
 *
 * @param pid - the process of the worker
 */
export async function memoryInUse(pid: number): Promise<MemoryInUse> {
	if (!globalThis.gc) throw new Error('node needs --expose-gc');
	// What a finalizer or a promise lets go of is the garbage of the next round.
	for (let round = 0; round < 3; round++) {
		globalThis.gc();
		await sleep(20);
	}
	globalThis.gc();
	const { heapUsed, rss } = process.memoryUsage();
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	return { heap: heapUsed, node: rss, worker: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024 };
}
