/** Starts the test runner, with a network namespace for each file where one can be made. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

import { execute, say } from './steps.mjs';

/** @param {string} file */
const pathOf = (file) => path.join(import.meta.dirname, file);

/** The option of Node that gives each test file a network namespace of its own, or nothing where none can be made. */
function ownNamespaces() {
	const { status, error, stderr } = spawnSync(pathOf('../namespace.sh'), ['true'], { encoding: 'utf8' });
	if (status === 0) return ['--import', pathToFileURL(pathOf('ownNamespace.mjs')).href];
	const reason = error?.message ?? (stderr.trim() || 'for no reason given');
	say(`\nNo network namespace can be made (${reason}): the tests that need one will be skipped.`);
	return [];
}

/**
 * Runs test files. The last lines of the output are the test runner's summary.
 *
 * @param {readonly string[]} files
 * @param {object} [options]
 * @param {boolean} [options.isolated] Whether each file gets a network namespace of its own.
 * @param {Record<string, string>} [options.env]
 * @param {string} [options.node] The Node that runs them; by default the one that runs this.
 * @returns {Promise<number>} The exit status.
 */
export async function runTests(files, { isolated = true, env = {}, node = process.execPath } = {}) {
	const imports = [...(isolated ? ownNamespaces() : []), '--import', 'tsx'];
	say(`\n=== Tests${imports.length > 2 ? ', each file in a network namespace of its own' : ''}`);
	const { status } = await execute({
		name: 'Tests',
		command: [node, ...imports, pathOf('runFiles.mjs'), ...files],
		env,
	});
	return status;
}
