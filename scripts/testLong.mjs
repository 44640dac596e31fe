/**
 * Runs what takes too long for every change: the random tests in large numbers, from several seeds; all cases of tests
 * that run some of them; all that can fail in a cluster; the tests of narrow and lossy links, again and again; the unit tests on each supported version of Node; and the churn.
 *
 *     node scripts/testLong.mjs [PART…]
 *
 * The parts are `random`, `cases`, `faults`, `links`, `node` and `churn`; without any, all of them run. SFU_TEST_SEED takes one seed, and
 * SFU_TEST_CHURN_MINUTES how long the churn takes. Everything runs to its end, and the exit status tells whether all passed.
 */
import { randomInt } from 'node:crypto';
import process from 'node:process';

import { findTestFiles } from './testing/files.mjs';
import { runTests } from './testing/runTests.mjs';
import { execute, say } from './testing/steps.mjs';

const { SFU_TEST_SEED, SFU_TEST_CHURN_MINUTES = '30' } = process.env;
const seeds =
	SFU_TEST_SEED === undefined ? Array.from({ length: 3 }, () => String(randomInt(2 ** 31))) : [SFU_TEST_SEED];
const linkRounds = 5;
const nodeVersions = ['20.19', '22', '24'];
const files = findTestFiles();

/** @type {[name: string, passed: boolean][]} */
const results = [];

/**
 * @param {string} name
 * @param {() => Promise<number>} play Resolves to an exit status.
 */
async function step(name, play) {
	say(`\n=== ${name}`);
	results.push([name, (await play()) === 0]);
}

/** @type {Record<string, () => Promise<void>>} */
const parts = {
	async random() {
		const random = files.flatMap(({ file, random }) => (random ? file : []));
		for (const seed of seeds) {
			const env = { SFU_TEST_SEED: seed, SFU_TEST_LONG: '1' };
			await step(`Random tests, SFU_TEST_SEED=${seed}`, () => runTests(random, { env }));
		}
	},
	async cases() {
		const sampled = files.flatMap(({ file, sampled }) => (sampled ? file : []));
		await step('All cases', () => runTests(sampled, { env: { SFU_TEST_LONG: '1' } }));
	},
	async faults() {
		const clusters = files.flatMap(({ file, breaksClusters }) => (breaksClusters ? file : []));
		await step('Faults in a cluster', () =>
			runTests(clusters, { env: { SFU_TEST_LONG: '1', SFU_TEST_JOINS: '1000' } }),
		);
	},
	async links() {
		const links = files.flatMap(({ file, shapesLinks }) => (shapesLinks ? file : []));
		for (let round = 1; round <= linkRounds; round++) await step(`Links, round ${round}`, () => runTests(links));
		const command = ['scripts/namespace.sh', process.execPath, '--import', 'tsx', 'bench/link.ts'];
		await step('Links, measured', async () => (await execute({ name: 'link', command })).status);
	},
	async node() {
		for (const version of nodeVersions) {
			const command = ['npx', '--yes', '--package', `node@${version}`, '--', 'node', 'scripts/testUnit.mjs'];
			await step(`Unit tests on Node ${version}`, async () => (await execute({ name: version, command })).status);
		}
	},
	async churn() {
		// Half of the time is for the baseline.
		const seconds = String(Number(SFU_TEST_CHURN_MINUTES) * 30);
		const script = ['--expose-gc', '--import', 'tsx', 'bench/churn.ts', '--seconds', seconds];
		const command = [process.execPath, ...script];
		await step('Churn', async () => (await execute({ name: 'Churn', command })).status);
	},
};

const given = process.argv.slice(2);
const unknown = given.filter((name) => !(name in parts));
if (unknown.length > 0) {
	process.stderr.write(`There is no part ${unknown.join(', ')}; the parts are ${Object.keys(parts).join(', ')}.\n`);
	process.exit(1);
}
for (const [name, play] of Object.entries(parts)) if (given.length === 0 || given.includes(name)) await play();

say('\n=== Summary');
for (const [name, passed] of results) say(`${passed ? 'passed' : 'FAILED'}  ${name}`);
process.exitCode = results.every(([, passed]) => passed) ? 0 : 1;
