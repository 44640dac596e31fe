import type { Worker } from 'mediasoup/types';

// How often a worker is asked whether it still answers, in ms.
const checkInterval = 1000;

// How long a worker may take to end by itself, in ms.
const endTimeout = 5000;

/**
 * Kills a worker that does not answer for `timeout` ms, so that it dies and its pending requests fail. A process that is
 * stopped, or that is busy for ever, neither answers nor ends.
 *
 * The time is counted in turns of our own event loop, in each of which an answer could have been read. So a worker is not
 * blamed while this process is busy itself.
 *
 * @param timeout - 0 stands for no limit
 * @returns a function that gives the reason once the worker has been killed for it
 */
export function watchHealth(worker: Worker, timeout: number): () => Error | undefined {
	const interval = Math.min(checkInterval, timeout);
	let unanswered = 0;
	let asking = false;
	let hung: Error | undefined;
	if (timeout === 0) return () => hung;
	const timer = setInterval(() => {
		if (worker.closed) {
			clearInterval(timer);
			return;
		}
		if (asking) unanswered++;
		if (unanswered * interval >= timeout && !hung) {
			hung = new Error(`the media worker ${worker.pid} has not answered for ${timeout} ms`);
			kill(worker);
		}
		if (!asking) void ask();
	}, interval);
	timer.unref();
	async function ask() {
		asking = true;
		try {
			await worker.getResourceUsage();
			unanswered = 0;
		} catch {
			// It has closed or died.
		} finally {
			asking = false;
		}
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
