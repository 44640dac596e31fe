import type { Worker } from 'mediasoup/types';
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../src/Logger.js';
import { WorkerPool, type WorkerPoolOptions } from '../../src/media/WorkerPool.js';

/** Keeps the warnings and errors that are logged: their messages, and their details. */
export function recorder() {
	const messages: string[] = [];
	const details: unknown[] = [];
	const record = (message: string, more?: unknown) => {
		messages.push(message);
		details.push(more);
	};
	const ignore = () => undefined;
	const logger: Logger = { debug: ignore, info: ignore, warn: record, error: record };
	return { logger, messages, details };
}

/** Real workers, for one test. */
export async function startPool(t: TestContext, options: Partial<WorkerPoolOptions> = {}) {
	const { logger, messages, details } = recorder();
	const pool = await WorkerPool.create(
		{
			count: 1,
			listen: [{ ip: '127.0.0.1' }],
			binary: undefined,
			healthTimeout: 15_000,
			logLevel: 'none',
			fullCpu: 0.7,
			fullTracks: 500,
			...options,
		},
		logger,
	);
	t.after(() => {
		pool.close();
	});
	return { pool, logger, messages, details };
}

/** Whether a process is there. */
export function isRunning(pid: number) {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

/** Waits until the condition holds, for what no event tells of. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, within = 5000) {
	const deadline = performance.now() + within;
	while (!(await condition())) {
		assert.ok(performance.now() < deadline, `not within ${within} ms: ${what}`);
		await setImmediate();
	}
}

/** Lets `count` turns of the event loop pass. */
export async function turns(count: number) {
	for (let turn = 0; turn < count; turn++) await setImmediate();
}

interface Channel {
	request(...args: unknown[]): Promise<unknown>;
}

/** What carries the requests to a worker: every await of the library that is not another of its own waits for one. */
export async function channelOf(worker: Worker): Promise<Channel> {
	const router = await worker.createRouter();
	const transport = await router.createDirectTransport();
	router.close();
	return (transport as unknown as { channelForTesting: Channel }).channelForTesting;
}

/** Runs an operation, and something else in the middle of it. */
export type Interrupted = <Result>(interruption: () => void, operation: () => Promise<Result>) => Promise<Result>;

/**
 * Plays a round again and again: the first time its operation is interrupted during its first request to the worker,
 * then during its second, and so on until it has no more; each once when the request has just been sent, and once when
 * it has been answered and nobody knows yet. The last round is not interrupted.
 *
 * @returns the number of requests
 */
export async function interruptEach(
	worker: Worker,
	round: (interrupted: Interrupted) => Promise<void>,
): Promise<number> {
	const channel = await channelOf(worker);
	const request = channel.request.bind(channel);
	let sent = 0;
	const play = async (wanted: number, moment: 'sent' | 'answered') => {
		await round(async (interruption, operation) => {
			sent = 0;
			channel.request = (...args) => {
				const answer = request(...args);
				if (++sent !== wanted) return answer;
				if (moment === 'answered') return answer.finally(interruption);
				interruption();
				return answer;
			};
			try {
				return await operation();
			} finally {
				channel.request = request;
			}
		}).catch((cause: unknown) => {
			throw new Error(`interrupted when request ${wanted} was ${moment}`, { cause });
		});
	};
	for (let wanted = 1; ; wanted++) {
		await play(wanted, 'sent');
		if (sent < wanted) return sent;
		await play(wanted, 'answered');
	}
}
