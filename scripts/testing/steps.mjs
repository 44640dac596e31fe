/** Runs commands beside each other, and says what each of them had to say when it ends. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

import { root } from './files.mjs';

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string[]} command
 * @property {Record<string, string>} [env] Variables on top of those of this process.
 */

/** @param {string} line */
export const say = (line) => process.stdout.write(`${line}\n`);

const modules = path.join(root, 'node_modules', '.bin');

/**
 * Runs a command, and passes its output on or keeps it.
 *
 * @param {Step} step
 * @param {{ quiet?: boolean }} [options]
 * @returns {Promise<{ status: number, output: string }>} The exit status, and what was kept.
 */
export function execute({ command: [program = '', ...args], env }, { quiet = false } = {}) {
	const child = spawn(program, args, {
		cwd: root,
		env: { ...process.env, PATH: `${modules}${path.delimiter}${process.env.PATH ?? ''}`, ...env },
		stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
	});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
	}
	return new Promise((resolve) => {
		child.once('error', (error) => {
			resolve({ status: 1, output: `${output}${error.message}\n` });
		});
		child.once('close', (status) => {
			resolve({ status: status ?? 1, output });
		});
	});
}

/**
 * Runs chains of steps, as many chains at a time as there are processors. The steps of a chain follow one another, until
 * one fails.
 *
 * @param {Step[][]} chains
 * @returns {Promise<boolean>} Whether all steps succeeded.
 */
export async function runChains(chains) {
	const waiting = [...chains];
	let succeeded = true;
	async function work() {
		for (let chain = waiting.shift(); chain; chain = waiting.shift()) {
			for (const step of chain) {
				const started = performance.now();
				const { status, output } = await execute(step, { quiet: true });
				const seconds = ((performance.now() - started) / 1000).toFixed(1);
				say(`\n=== ${step.name}: ${status === 0 ? 'passed' : `failed with exit status ${status}`} after ${seconds} s`);
				process.stdout.write(output);
				if (status === 0) continue;
				succeeded = false;
				break;
			}
		}
	}
	await Promise.all(Array.from({ length: availableParallelism() }, work));
	return succeeded;
}
