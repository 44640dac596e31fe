import fc from 'fast-check';
import { createHash, randomInt } from 'node:crypto';
import { it } from 'node:test';
import path from 'node:path';
import process from 'node:process';

const { SFU_TEST_SEED, SFU_TEST_PATH, SFU_TEST_RUNS, SFU_TEST_LONG } = process.env;

/** The seed of all random tests of this process: a new one each time, unless SFU_TEST_SEED says which. */
export const seed = SFU_TEST_SEED === undefined ? randomInt(2 ** 31) : Number(SFU_TEST_SEED);

/** How often a random test runs its property: in `npm test`, and in `npm run test:long`. SFU_TEST_RUNS overrides both. */
export interface Runs {
	few: number;
	many: number;
}

/** The parameters of a run. SFU_TEST_PATH leads to one case of the seed, as a failure prints it. */
function parametersOf({ few, many }: Runs) {
	const runs = SFU_TEST_LONG === '1' ? many : few;
	return {
		seed,
		numRuns: SFU_TEST_RUNS === undefined ? runs : Number(SFU_TEST_RUNS),
		...(SFU_TEST_PATH !== undefined && { path: SFU_TEST_PATH }),
	};
}

/**
 * Runs a property with random values. Prints the seed first, since a process that is killed reports nothing.
 *
 * @param file - The test file, `import.meta.filename`, for the command that plays a failure again.
 * @throws Error when the property fails: it says how to play the failure again.
 */
export async function checkProperty<Values>(
	file: string,
	runs: Runs,
	property: fc.IAsyncProperty<Values>,
): Promise<void> {
	const parameters = parametersOf(runs);
	const name = path.relative(process.cwd(), file);
	const again = (variables: string) => `${variables} node scripts/test.mjs ${name}`;
	const all = `SFU_TEST_SEED=${seed} SFU_TEST_RUNS=${parameters.numRuns}`;
	console.log(`${parameters.numRuns} random runs; to play them again: ${again(all)}`);
	const details = await fc.check(property, parameters);
	if (!details.failed) return;
	const lines = [
		fc.defaultReportMessage(details),
		'',
		`To play all of them again:       ${again(all)}`,
		`To play the smallest case alone: ${again(`SFU_TEST_SEED=${seed} SFU_TEST_PATH=${String(details.counterexamplePath)}`)}`,
	];
	throw new Error(lines.join('\n'), { cause: details.errorInstance });
}

let choices = 0;

/** Whether all of the cases run that {@link someOf} chooses from. */
export const runsAll = SFU_TEST_LONG === '1';

/**
 * Chooses some of a test's cases, others each time; `npm run test:long` has all of them. Prints how to play the same again.
 *
 * @param file - The test file, `import.meta.filename`.
 * @param count - How many to choose.
 */
export function someOf<Case>(file: string, count: number, cases: readonly Case[]): readonly Case[] {
	if (runsAll || count >= cases.length) return cases;
	const name = path.relative(process.cwd(), file);
	console.log(`${count} of ${cases.length} cases; the same again: SFU_TEST_SEED=${seed} node scripts/test.mjs ${name}`);
	const chosen = fc.shuffledSubarray([...cases], { minLength: count, maxLength: count });
	return fc.sample(chosen, { seed: seed + choices++, numRuns: 1 })[0] ?? [];
}

/**
 * Runs each test of a file in one of several browsers, others each time; `npm run test:long` runs each in all of them. Prints
 * how to play the same again.
 *
 * @param file - The test file, `import.meta.filename`.
 * @param names - The browsers, or whatever else the tests are repeated for.
 * @returns What registers the tests of one of them, as `it` does.
 */
export function eachInOne<Name extends string>(file: string, names: readonly Name[]): (name: Name) => typeof it {
	const again = `SFU_TEST_SEED=${seed} node scripts/test.mjs ${path.relative(process.cwd(), file)}`;
	if (!runsAll) console.log(`Each test in one of ${names.join(', ')}; the same again: ${again}`);
	const nameOf = (test: string) =>
		names[createHash('sha256').update(`${seed} ${test}`).digest().readUInt32LE() % names.length];
	return (name) =>
		new Proxy(it, {
			apply(target, receiver, given: Parameters<typeof it>) {
				const [test] = given;
				if (runsAll || nameOf(String(test)) === name) return Reflect.apply(target, receiver, given);
				return Promise.resolve();
			},
		});
}
