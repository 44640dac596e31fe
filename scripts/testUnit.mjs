/**
 * Runs the unit tests: those that need no browser, no worker and no build. Or only those of them that are given.
 *
 *     node scripts/testUnit.mjs [--watch] [FILE…]
 *
 * With `--watch` they run again when a file changes that they import.
 */
import path from 'node:path';
import process from 'node:process';

import { findTestFiles, root } from './testing/files.mjs';
import { runTests } from './testing/runTests.mjs';
import { execute } from './testing/steps.mjs';

const args = process.argv.slice(2);
const given = args.filter((arg) => arg !== '--watch').map((file) => path.relative(root, path.resolve(file)));
const unitTests = findTestFiles().flatMap(({ file, needs }) => (needs === 'nothing' ? file : []));
const files = given.length > 0 ? given : unitTests;

// A test that starts a worker all the same fails.
const env = { MEDIASOUP_WORKER_BIN: path.join(root, 'no-worker-in-unit-tests') };

if (args.includes('--watch')) {
	const command = [process.execPath, '--import', 'tsx', '--test', '--watch', '--test-reporter=spec', ...files];
	process.exitCode = (await execute({ name: 'Unit tests', command, env })).status;
} else {
	process.exitCode = await runTests(files, { isolated: false, env });
}
