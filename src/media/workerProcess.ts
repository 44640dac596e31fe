import type { Worker } from 'mediasoup/types';

// How often a worker is asked whether it still answers, in ms.
const checkInterval = 1000;

// How long a worker may take to end by itself, in ms.
const endTimeout = 5000;

// How much the last measurement counts beside those before.
const latest = 0.5;

/**
 * Measures how much of a core a worker uses, and kills it when it does not answer for `timeout` ms, so that it dies and its pending requests fail. A process that is
 * stopped, or that is busy for ever, neither answers nor ends.
 *
 * The time is counted in turns of our own event loop, in each of which an answer could have been read. So a worker is not
 * blamed while this process is busy itself.
 *
 * @param options - `timeout`: 0 stands for no limit; `measured` is called with the share of a core, 0 to 1
 * @returns a function that gives the reason once the worker has been killed for it
 */
export function watchWorker(
	worker: Worker,
	{ timeout, measured }: { timeout: number; measured: (cpu: number) => void },
): () => Error | undefined {
	const interval = timeout > 0 ? Math.min(checkInterval, timeout) : checkInterval;
	let cpu = 0;
	let last: { at: number; used: number } | undefined;
	let unanswered = 0;
	let asking = false;
	let hung: Error | undefined;
	const timer = setInterval(() => {
		if (worker.closed) {
			clearInterval(timer);
			return;
		}
		if (asking) unanswered++;
		if (timeout > 0 && unanswered * interval >= timeout && !hung) {
			hung = new Error(`the media worker ${worker.pid} has not answered for ${timeout} ms`);
			kill(worker);
		}
		if (!asking) void ask();
	}, interval);
	timer.unref();
	async function ask() {
		asking = true;
		try {
			const { ru_utime: user, ru_stime: system } = await worker.getResourceUsage();
			unanswered = 0;
			measure(user + system);
		} catch {
			// It has closed or died.
		} finally {
			asking = false;
		}
	}
	function measure(used: number) {
		const at = performance.now();
		if (last && at > last.at) {
			cpu += latest * ((used - last.used) / (at - last.at) - cpu);
			measured(cpu);
		}
		last = { at, used };
	}
	return () => hung;
}

/** Closes a worker, and kills its process if it does not end. */
export function endProcess(worker: Worker): void {
	worker.close();
	if (worker.subprocessClosed) return;
	const timer = setTimeout(() => {
		kill(worker);
	}, endTimeout);
	worker.once('subprocessclose', () => {
		clearTimeout(timer);
	});
}

function kill({ pid, subprocessClosed }: Worker): void {
	if (subprocessClosed) return;
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It has ended meanwhile.
	}
}
