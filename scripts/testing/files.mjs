/**
 * Finds the test files, and what each of them needs. Nothing is listed anywhere; a test file needs
 *
 * - a browser if it imports playwright-core or puppeteer-core, itself or by way of another file in test/,
 * - a worker if it starts one itself, or an example, or imports a file in test/ that does,
 * - the packed library if it is in test/package/,
 * - nothing else otherwise: these are the unit tests. They run with a worker that cannot be started, so that none of them
 *   needs one unnoticed.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export const root = path.join(import.meta.dirname, '..', '..');

/** @typedef {'nothing' | 'package' | 'worker' | 'browser'} Need */

/**
 * @typedef {object} TestFile
 * @property {string} file The path from the root of the repository.
 * @property {Need} needs
 * @property {boolean} heavy Whether it keeps a processor busy all the time, by encoding noise or large pictures.
 * @property {boolean} random Whether it checks properties with random values.
 * @property {boolean} sampled Whether it runs only some of its cases at a time.
 * @property {boolean} shapesLinks Whether it narrows links or drops packets.
 * @property {boolean} breaksClusters Whether it starts servers in processes of their own, and lets them and what is between them fail.
 * @property {number} seconds How long it takes, if it says so in a line `// Takes 90 s.`; otherwise 0. It is about right when
 *   nothing else runs, and only decides which files start first.
 */

/** @returns {TestFile[]} */
export function findTestFiles() {
	return readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.test.ts'))
		.sort()
		.map((file) => describeFile(path.join('test', file)));
}

/**
 * @param {string} file
 * @returns {TestFile}
 */
export function describeFile(file) {
	const source = readFileSync(path.join(root, file), 'utf8');
	const sources = [...reachable(path.join(root, file))].map((name) => readFileSync(name, 'utf8'));
	/** @param {RegExp} pattern */
	const contains = (pattern) => sources.some((text) => pattern.test(text));
	return {
		file,
		needs: contains(/^import (?!type )[^;]*from '(playwright|puppeteer)-core'/m)
			? 'browser'
			: file.startsWith(path.join('test', 'package'))
				? 'package'
				: contains(/\b(Sfu|WorkerPool)\.create\(|\bcreateWorker\(|\bexamples\/\w+\/server\b/)
					? 'worker'
					: 'nothing',
		heavy: contains(/\bcreateNoisePusher\(\)|\bclient\.createPusher\(\{[^}]*\bnoise\b|\bpublishCamera\b/),
		random: /\bcheckProperty\(/.test(source),
		sampled: /\b((someOf|eachInOne)\(|runsAll \?)/.test(source),
		shapesLinks: /\b(limitIncoming|dropIncoming)\(/.test(source),
		breaksClusters: /\bstartServerProcesses\(/.test(source),
		seconds: Number(/^\/\/ Takes (\d+) s\.$/m.exec(source)?.[1] ?? 0),
	};
}

/**
 * The file and the files in test/ that it imports, directly or by way of others.
 *
 * @param {string} file
 * @param {Set<string>} found
 */
function reachable(file, found = new Set()) {
	if (found.has(file)) return found;
	found.add(file);
	for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(
		/^(?:import|export)\b(?! type )[^;]*?'(\.[^']+)'/gm,
	)) {
		const imported = [from, from.replace(/\.js$/, '.ts')]
			.map((name) => path.join(path.dirname(file), name))
			.find((name) => existsSync(name) && statSync(name).isFile());
		if (imported?.startsWith(path.join(root, 'test') + path.sep)) reachable(imported, found);
	}
	return found;
}
