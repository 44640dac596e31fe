/**
 * Checks everything and runs the tests, or only the test files that are given.
 *
 *   node scripts/test.mjs [FILE…]
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.join(import.meta.dirname, '..');
const env = {
	...process.env,
	PATH: `${path.join(root, 'node_modules', '.bin')}${path.delimiter}${process.env.PATH ?? ''}`,
};
const namespace = path.join(import.meta.dirname, 'namespace.sh');

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/**
 * Runs a command under its headline, and ends everything with its exit status when it fails.
 *
 * @param {string} headline
 * @param {string[]} command
 */
function step(headline, [program = '', ...args]) {
	say(`\n=== ${headline}`);
	const { error, status, signal } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit' });
	if (status !== 0) {
		process.stderr.write(
			`=== ${headline}: failed (${error?.message ?? signal ?? `exit status ${status ?? 'unknown'}`})\n`,
		);
		process.exit(status ?? 1);
	}
}

const given = process.argv.slice(2).map((file) => path.resolve(file));

if (given.length === 0) {
	step('Format', ['prettier', '--check', '.']);
	step('Lint', ['eslint', '.', '--max-warnings', '0']);
	step('Types', ['tsc', '--noEmit']);
	step('Build', ['tsup']);
	step('Package: manifest', ['publint', '--strict']);
	step('Package: types', ['attw', '--pack', '.', '--profile', 'node16']);
	step('Worker', [process.execPath, 'scripts/worker/cli.mjs', '--install-packages']);
	step('Clients and network tools', [process.execPath, 'scripts/clients.mjs']);
}

const files =
	given.length > 0
		? given
		: readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
				.filter((file) => file.endsWith('.test.ts'))
				.sort()
				.map((file) => path.join('test', file));

const isolated = spawnSync(namespace, ['true'], { encoding: 'utf8' });
if (isolated.status !== 0) {
	const reason = isolated.error?.message ?? (isolated.stderr.trim() || 'for no reason given');
	say(`\nNo network namespace can be made (${reason}): the tests that need one will be skipped.`);
}

const command = [
	...(isolated.status === 0 ? [namespace] : []),
	...[process.execPath, '--import', 'tsx', '--test', '--test-reporter=spec'],
	// One file at a time: the tests share the network, which some of them disturb, and the cores, whose use others watch.
	'--test-concurrency=1',
	// Node 20 takes this for the limit of each file, later ones for that of each test too.
	'--test-timeout=600000',
	...files,
];
say(`\n=== Tests${isolated.status === 0 ? ', in a network namespace of their own' : ''}`);
// Nothing is said after this: the last lines are the test runner's summary.
process.exitCode = spawnSync(command[0] ?? '', command.slice(1), { cwd: root, env, stdio: 'inherit' }).status ?? 1;
