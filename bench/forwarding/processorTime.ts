import { readdirSync, readFileSync } from 'node:fs';

/** The time that all threads of a process have run on a processor so far, in ms. Linux counts it in nanoseconds. */
export const processorTime = (pid: number): number => schedulerTime(pid, 0);

/** The time that they have waited for a processor, in ms. */
export const waitingTime = (pid: number): number => schedulerTime(pid, 1);

function schedulerTime(pid: number, column: 0 | 1): number {
	const tasks = `/proc/${pid}/task`;
	return readdirSync(tasks)
		.map((thread) => Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[column]) / 1e6)
		.reduce((sum, time) => sum + time, 0);
}

/** The time that all processors together have been idle so far, in ms. */
export function idleTime(): number {
	const [idle = 0, waiting = 0] = (/^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '')
		.split(' ')
		.slice(3, 5)
		.map(Number);
	// In ticks of 10 ms.
	return (idle + waiting) * 10;
}
