import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import process from 'node:process';
import { describe, it } from 'node:test';
import { WorkerPool } from '../../src/media/WorkerPool.js';
import { isRunning, recorder, startPool, turns, until } from './setup.js';

/** The processes that this one has started and that have not ended. */
async function children(): Promise<string[]> {
	const pids = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
	return pids.split(' ').filter((pid) => pid !== '');
}

/** Waits until there is no process that was not there before. */
const untilNothingBut = (before: string[]) =>
	until(async () => (await children()).every((pid) => before.includes(pid)), 'the workers have ended');

const listen = [{ ip: '127.0.0.1' }];
const options = {
	count: 1,
	listen,
	binary: undefined,
	healthTimeout: 15_000,
	logLevel: 'none',
	fullCpu: 0.7,
	fullTracks: 500,
} as const;

describe('A pool of workers', () => {
	it('starts as many as it is told', async (t) => {
		const { pool } = await startPool(t, { count: 2 });
		assert.equal((await pool.dump()).length, 2);
		assert.equal(new Set((await pool.dump()).map(({ pid }) => pid)).size, 2);
	});

	it('gives each a server on UDP and on TCP, in this order', async (t) => {
		const { pool } = await startPool(t);
		const { udpSockets, tcpServers } = await pool.leastLoaded().webRtcServer.dump();
		assert.equal(udpSockets.length, 1);
		assert.equal(tcpServers.length, 1);
	});

	it('gives the n-th worker the n-th port', async (t) => {
		const { pool } = await startPool(t, { count: 2, listen: [{ ip: '127.0.0.1', port: 42310, protocols: ['udp'] }] });
		const first = pool.leastLoaded();
		first.rooms = 1;
		const second = pool.leastLoaded();
		const ports = await Promise.all(
			[first, second].map(async ({ index, webRtcServer }) => [index, (await webRtcServer.dump()).udpSockets[0]?.port]),
		);
		assert.deepEqual(ports.sort(), [
			[0, 42310],
			[1, 42311],
		]);
		assert.deepEqual((await first.webRtcServer.dump()).tcpServers, []);
	});

	it('gives the worker with the fewest rooms', async (t) => {
		const { pool } = await startPool(t, { count: 2 });
		const first = pool.leastLoaded();
		first.rooms++;
		const second = pool.leastLoaded();
		assert.notEqual(second, first);
		second.rooms += 2;
		assert.equal(pool.leastLoaded(), first);
	});

	it('is unavailable without the binary, and says what provides one', async () => {
		await assert.rejects(WorkerPool.create({ ...options, binary: '/nonexistent/worker' }, recorder().logger), {
			name: 'SfuError',
			code: 'unavailable',
			message: /npx sfu-rooms-worker/,
		});
	});

	it('is unavailable when a port is taken, says which, and leaves no process', async () => {
		const taken = createServer().listen(0, '127.0.0.1');
		await once(taken, 'listening');
		const { port } = taken.address() as { port: number };
		const before = await children();
		await assert.rejects(
			WorkerPool.create({ ...options, listen: [{ ip: '127.0.0.1', port, protocols: ['tcp'] }] }, recorder().logger),
			{ code: 'unavailable', message: new RegExp(`tcp 127\\.0\\.0\\.1 ${port}`) },
		);
		taken.close();
		await untilNothingBut(before);
	});

	it('leaves no process when only some could be started', async () => {
		const before = await children();
		const taken = createServer().listen(42321, '127.0.0.1');
		await once(taken, 'listening');
		await assert.rejects(
			WorkerPool.create(
				{ ...options, count: 2, listen: [{ ip: '127.0.0.1', port: 42320, protocols: ['tcp'] }] },
				recorder().logger,
			),
			{ code: 'unavailable' },
		);
		taken.close();
		await untilNothingBut(before);
	});
});

describe('When a worker dies', () => {
	it('the pool tells, replaces it, and gives the new one', async (t) => {
		const { pool, messages, details } = await startPool(t);
		const { worker } = pool.leastLoaded();
		const events: [string, number][] = [];
		pool.on('workerDied', ({ pid, error }) => {
			assert.ok(error instanceof Error);
			assert.throws(() => pool.leastLoaded(), { code: 'unavailable' });
			events.push(['died', pid]);
		});
		const replaced = new Promise<void>((resolve) =>
			pool.on('workerReplaced', ({ pid }) => {
				events.push(['replaced', pid]);
				resolve();
			}),
		);
		process.kill(worker.pid, 'SIGKILL');
		await replaced;
		const next = pool.leastLoaded();
		assert.notEqual(next.worker.pid, worker.pid);
		assert.deepEqual(events, [
			['died', worker.pid],
			['replaced', next.worker.pid],
		]);
		assert.ok(await next.worker.createRouter());
		assert.deepEqual(messages, ['a media worker died']);
		assert.equal((details[0] as { pid: number }).pid, worker.pid);
	});

	it('the others go on', async (t) => {
		const { pool } = await startPool(t, { count: 2 });
		const dying = pool.leastLoaded();
		const died = new Promise((resolve) => pool.once('workerDied', resolve));
		process.kill(dying.worker.pid, 'SIGKILL');
		await died;
		assert.notEqual(pool.leastLoaded().worker.pid, dying.worker.pid);
		assert.equal((await pool.dump()).length, 1);
	});

	it('the pool replaces its replacement too', async (t) => {
		const { pool } = await startPool(t);
		for (let round = 0; round < 3; round++) {
			const replaced = new Promise((resolve) => pool.once('workerReplaced', resolve));
			process.kill(pool.leastLoaded().worker.pid, 'SIGKILL');
			await replaced;
		}
		assert.equal((await pool.dump()).length, 1);
	});

	it('a listener that throws, at once or later, stops neither the others nor the replacing', async (t) => {
		const { pool, messages } = await startPool(t);
		let told = 0;
		pool.on('workerDied', () => {
			throw new Error('of the listener');
		});
		const later = async () => {
			await turns(1);
			throw new Error('of the listener');
		};
		// eslint-disable-next-line @typescript-eslint/no-misused-promises -- it is what this test is about
		pool.on('workerDied', later);
		pool.on('workerDied', () => told++);
		const replaced = new Promise((resolve) => pool.once('workerReplaced', resolve));
		process.kill(pool.leastLoaded().worker.pid, 'SIGKILL');
		await replaced;
		assert.equal(told, 1);
		assert.equal(messages.filter((message) => message === 'a listener of WorkerPool failed').length, 2);
	});

	it('nothing is replaced after closing', async (t) => {
		const before = await children();
		const { pool } = await startPool(t);
		const died = new Promise<void>((resolve) =>
			pool.on('workerDied', () => {
				pool.close();
				resolve();
			}),
		);
		let replaced = 0;
		pool.on('workerReplaced', () => replaced++);
		process.kill(pool.leastLoaded().worker.pid, 'SIGKILL');
		await died;
		await untilNothingBut(before);
		assert.equal(replaced, 0);
	});

	it('nothing is left when the pool closes while the replacement starts', async (t) => {
		for (const count of [1, 2, 5, 20, 100]) {
			const before = await children();
			const { pool } = await startPool(t);
			const died = new Promise((resolve) => pool.once('workerDied', resolve));
			let told = 0;
			process.kill(pool.leastLoaded().worker.pid, 'SIGKILL');
			await died;
			pool.on('workerReplaced', () => told++);
			await turns(count);
			pool.close();
			told = 0;
			await untilNothingBut(before);
			assert.equal(told, 0);
		}
	});
});

describe('A closed pool', () => {
	it('has ended its workers', async (t) => {
		const { pool } = await startPool(t, { count: 2 });
		const pids = (await pool.dump()).map(({ pid }) => pid);
		pool.close();
		pool.close();
		await until(() => !pids.some(isRunning), 'the workers have ended');
	});

	it('gives none, and says nothing of their end', async (t) => {
		const { pool, messages } = await startPool(t);
		pool.on('workerDied', () => assert.fail('it was told to'));
		const { worker } = pool.leastLoaded();
		pool.close();
		assert.throws(() => pool.leastLoaded(), { code: 'unavailable' });
		assert.deepEqual(await pool.dump(), []);
		await until(() => !isRunning(worker.pid), 'the worker has ended');
		assert.deepEqual(messages, []);
	});
});
