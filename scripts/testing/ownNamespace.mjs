/**
 * Gives each test file a network namespace of its own: the test runner loads this in the process of each file, which then
 * starts again inside namespace.sh. So files that drop packets or narrow a link do not disturb those that run beside them.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

const { env, execArgv, execPath, argv } = process;

// The test runner sets the first one in the processes that it starts, and namespace.sh the second one.
if (env.NODE_TEST_CONTEXT !== undefined && env.SFU_TEST_NAMESPACE === undefined) {
	const namespace = path.join(import.meta.dirname, '..', 'namespace.sh');
	const child = spawn(namespace, [execPath, ...execArgv, ...argv.slice(1)], { stdio: 'inherit' });
	// The test runner ends a file that takes too long.
	for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) {
		process.on(signal, () => child.kill(signal));
	}
	child.once('exit', (status) => process.exit(status ?? 1));
	// The file itself runs in the other process.
	await new Promise(() => undefined);
}
