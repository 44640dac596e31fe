import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { Sfu } from 'sfu-rooms';
import { isRunning, until } from './setup.js';

async function start(t: TestContext, app: string) {
	const file = path.join(import.meta.dirname, '..', 'fixtures', 'apps', `${app}.ts`);
	const child = spawn(process.execPath, ['--import', 'tsx', file], { stdio: ['pipe', 'pipe', 'inherit'] });
	t.after(() => child.kill('SIGKILL'));
	const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
	const next = async () => String((await lines.next()).value);
	assert.equal(await next(), 'ready');
	return { child, next };
}

describe('An app without handlers of signals', () => {
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		it(`ends by ${signal}, as any Node process does`, async (t) => {
			const { child } = await start(t, 'withoutHandlers');
			const exit = once(child, 'exit');
			child.kill(signal);
			assert.deepEqual(await exit, [null, signal]);
		});
	}
});

describe('An app that drains', () => {
	it('keeps its media after signals, until it closes the Sfu', async (t) => {
		const { child, next } = await start(t, 'draining');
		for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) {
			child.kill(signal);
			assert.equal(await next(), signal);
		}
		const exit = once(child, 'exit');
		child.stdin.write('end\n');
		assert.deepEqual(await exit, [0, null]);
	});
});

const watch = (sfu: Sfu) => ({
	died: new Promise<{ pid: number; error: Error }>((resolve) => sfu.once('workerDied', resolve)),
	replaced: new Promise((resolve) => sfu.once('workerReplaced', resolve)),
});

describe('The handlers of signals', () => {
	const handlers = () => [...process.rawListeners('SIGINT'), ...process.rawListeners('SIGTERM')];

	it('of the app stay, and those of mediasoup go, also those of a replacement', async (t) => {
		const own = () => undefined;
		process.once('SIGTERM', own);
		t.after(() => process.removeListener('SIGTERM', own));
		const before = handlers();
		const most = process.getMaxListeners();
		const sfu = await Sfu.create({ workers: { count: 12 } });
		t.after(() => {
			sfu.close();
		});
		assert.deepEqual(handlers(), before);
		const { died, replaced } = watch(sfu);
		const [dump] = await sfu.dump();
		process.kill(dump!.pid, 'SIGKILL');
		assert.equal((await died).pid, dump!.pid);
		await replaced;
		assert.deepEqual(handlers(), before);
		assert.equal(process.getMaxListeners(), most);
	});
});

describe('A worker that hangs', () => {
	it('is killed and replaced, and requests to it fail', async (t) => {
		const sfu = await Sfu.create({ workers: { count: 1, healthTimeout: 3000 } });
		t.after(() => {
			sfu.close();
		});
		const [dump] = await sfu.dump();
		const { died, replaced } = watch(sfu);
		process.kill(dump!.pid, 'SIGSTOP');
		const opening = sfu.getOrCreateRoom('room');
		await assert.rejects(opening, { code: 'unavailable' });
		const { pid, error } = await died;
		assert.equal(pid, dump!.pid);
		assert.match(error.message, /has not answered for 3000 ms/);
		await replaced;
		assert.ok(await sfu.getOrCreateRoom('room'));
	});

	it('ends with the Sfu', async () => {
		const sfu = await Sfu.create({ workers: { count: 1 } });
		const [dump] = await sfu.dump();
		process.kill(dump!.pid, 'SIGSTOP');
		sfu.close();
		await until(() => !isRunning(dump!.pid), 'the process has ended', 30_000);
	});
});
