/**
 * Runs test files, several at once and each in a process of its own, and ends with the test runner's summary of them all.
 *
 *     node --import tsx scripts/testing/runFiles.mjs FILE…
 *
 * The processes of the files get the `--import` options of this one.
 */
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { run } from 'node:test';
import { spec as Spec } from 'node:test/reporters';

import { describeFile } from './files.mjs';

/** @typedef {import('./files.mjs').TestFile} TestFile */
/** @typedef {{ type: string, data: { nesting?: number, file?: string, message?: string, [name: string]: unknown } }} TestEvent */

// A file that hangs ends after this. Node 20 takes it for the limit of each file, later versions for that of each test too.
const timeout = 1_800_000;

/** The numbers of the summary, in its order. */
const counted = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];

const cores = availableParallelism();
// Tests with browsers mostly wait for media, and so one more than there are processors run at a time. Those without mostly wait
// for a worker or for time to pass, and so another one runs beside them.
const browserPlaces = cores + 1;
const places = browserPlaces + 1;

/**
 * Whether a file may run beside those that run already. Files that keep a processor busy do not run beside each other, since
 * a browser that encodes too slowly sends fewer layers.
 *
 * @param {TestFile} file
 * @param {readonly TestFile[]} running
 */
function fits({ needs, heavy }, running) {
	if (running.length >= places) return false;
	if (needs === 'browser' && running.filter((other) => other.needs === 'browser').length >= browserPlaces) return false;
	return !(heavy && running.some((other) => other.heavy));
}

/**
 * The files that take the longest come first. Of those that do not say how long they take, those with browsers do.
 *
 * @param {TestFile} one
 * @param {TestFile} other
 */
const longestFirst = (one, other) =>
	other.seconds - one.seconds || Number(other.needs === 'browser') - Number(one.needs === 'browser');

/**
 * Runs one file.
 *
 * @param {TestFile} testFile
 * @returns {Promise<{ testFile: TestFile, events: TestEvent[], counts: Map<string, number> }>}
 */
async function runFile(testFile) {
	const started = performance.now();
	/** @type {TestEvent[]} */
	const events = [];
	/** @type {Map<string, number>} */
	const counts = new Map();
	for await (const event of /** @type {AsyncIterable<TestEvent>} */ (
		run({ files: [testFile.file], concurrency: 1, timeout })
	)) {
		const { type, data } = event;
		if (type === 'test:summary') continue;
		const [, name = '', count] = /^(\w+) ([\d.]+)$/.exec(data.message ?? '') ?? [];
		const isSummary = type === 'test:diagnostic' && data.nesting === 0 && data.file === undefined;
		if (isSummary && (counted.includes(name) || name === 'duration_ms')) counts.set(name, Number(count));
		else events.push(event);
	}
	const seconds = ((performance.now() - started) / 1000).toFixed(1);
	events.push({ type: 'test:diagnostic', data: { nesting: 0, message: `${testFile.file} took ${seconds} s` } });
	return { testFile, events, counts };
}

/**
 * Runs the files, as many at a time as fit. Yields the events of each file together when it has ended, so that the reports
 * of files do not mix, and the summary at last.
 *
 * @param {TestFile[]} files
 * @returns {AsyncGenerator<TestEvent>}
 */
async function* runAll(files) {
	const started = performance.now();
	const waiting = [...files].sort(longestFirst);
	/** @type {Map<TestFile, ReturnType<typeof runFile>>} */
	const running = new Map();
	const totals = new Map(counted.map((name) => [name, 0]));
	for (;;) {
		for (;;) {
			const next = waiting.findIndex((file) => fits(file, [...running.keys()]));
			const [file] = next < 0 ? [] : waiting.splice(next, 1);
			if (!file) break;
			running.set(file, runFile(file));
		}
		if (running.size === 0) break;
		const { testFile, events, counts } = await Promise.race(running.values());
		running.delete(testFile);
		yield* events;
		for (const name of counted) totals.set(name, (totals.get(name) ?? 0) + (counts.get(name) ?? 0));
	}
	const duration = performance.now() - started;
	for (const [name, count] of [...totals, ['duration_ms', duration]]) {
		yield { type: 'test:diagnostic', data: { nesting: 0, message: `${name} ${count}` } };
	}
	const failed = (totals.get('fail') ?? 0) + (totals.get('cancelled') ?? 0);
	if (failed > 0 || totals.get('tests') === 0) process.exitCode = 1;
	const counts = { ...Object.fromEntries(totals), passed: totals.get('pass'), failed: totals.get('fail') };
	yield { type: 'test:summary', data: { success: failed === 0, counts, duration_ms: duration } };
}

const reporter = new Spec();
reporter.pipe(process.stdout);
for await (const event of runAll(process.argv.slice(2).map(describeFile))) reporter.write(event);
reporter.end();
