/**
 * Builds `dist` unless it is newer than all that it is made from. npm runs this before it packs or publishes, so that no
 * package lacks `dist`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.join(import.meta.dirname, '..');

/**
 * When the file was changed, in ms; 0 when it is not there.
 *
 * @param {...string} names
 */
const changedAt = (...names) => statSync(path.join(root, ...names), { throwIfNoEntry: false })?.mtimeMs ?? 0;

const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
const newestSource = Math.max(
	...['package.json', 'tsconfig.json', 'tsup.config.ts'].map((file) => changedAt(file)),
	...sources.map((file) => changedAt('src', file)),
);
const outputs = ['index', 'protoo'].flatMap((entry) => ['.js', '.cjs', '.d.ts', '.d.cts'].map((end) => entry + end));
const oldestOutput = Math.min(...outputs.map((file) => changedAt('dist', file)));

if (oldestOutput < newestSource) {
	const tsup = path.join(root, 'node_modules/tsup/dist/cli-default.js');
	// The output of `npm pack --json` must stay JSON.
	const { status } = spawnSync(process.execPath, [tsup, '--silent'], { cwd: root, stdio: ['ignore', 2, 2] });
	process.exitCode = status ?? 1;
}
