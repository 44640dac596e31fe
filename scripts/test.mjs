/**
 * Checks everything and runs all tests, or runs only the test files that are given.
 *
 *     node scripts/test.mjs [FILE…]
 */
import path from 'node:path';
import process from 'node:process';

import { findTestFiles, root } from './testing/files.mjs';
import { runTests } from './testing/runTests.mjs';
import { runChains } from './testing/steps.mjs';

const given = process.argv.slice(2).map((file) => path.relative(root, path.resolve(file)));

/** What is checked and made before the tests run. */
const chains = [
	// Each of them may install packages, which only one can do at a time.
	[
		{ name: 'Worker', command: [process.execPath, 'scripts/worker/cli.mjs', '--install-packages'] },
		{ name: 'Clients and network tools', command: [process.execPath, 'scripts/clients.mjs'] },
	],
	[{ name: 'Lint', command: ['npm', 'run', '--silent', 'lint', '--', '--max-warnings', '0'] }],
	[
		{ name: 'Build', command: ['tsup'] },
		{ name: 'Package: manifest', command: ['publint', '--strict'] },
		{ name: 'Package: types', command: ['attw', '--pack', '.', '--profile', 'node16'] },
	],
	[{ name: 'Types', command: ['npm', 'run', '--silent', 'types'] }],
	[{ name: 'Format', command: ['prettier', '--check', '.'] }],
];

const ready = given.length > 0 || (await runChains(chains));
process.exitCode = ready ? await runTests(given.length > 0 ? given : findTestFiles().map(({ file }) => file)) : 1;
