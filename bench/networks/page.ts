/**
 * Puts the tables of runs into docs/networks.md, in place of those that are there.
 *
 *     node --import tsx bench/networks/page.ts FILE…
 *
 * The files are those of `bench/networks/run.sh --json`. Of a scenario that several of them have, the last one counts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { scenarios, systems, videos } from './scenarios.js';
import { rowsOf, type Report, type Row, type Run } from './table.js';

const page = new URL('../../docs/networks.md', import.meta.url);
const [begin, end] = ['<!-- networks: begin -->', '<!-- networks: end -->'];

const reports = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);
const [first] = reports;
if (!first) throw new Error('name the files that run.sh --json has written');

const keyOf = ({ scenario, layers, system }: Omit<Run, 'phases' | 'load'>) => `${scenario} ${layers} ${system}`;
const runs = new Map(reports.flatMap((report) => report.runs).map((run) => [keyOf(run), run]));

function markdownOf(rows: readonly Row[]): string {
	const lines = [
		Object.keys(rows[0]!),
		Object.keys(rows[0]!).map(() => '---'),
		...rows.map(Object.values),
	] as string[][];
	return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

const sections = Object.keys(scenarios).flatMap((scenario) => {
	const played = Object.keys(videos).flatMap((layers) =>
		Object.keys(systems).flatMap((system) => runs.get(`${scenario} ${layers} ${system}`) ?? []),
	);
	const rows = rowsOf(played).map(({ scenario: _, ...row }) => row);
	return rows.length > 0 ? [`### ${scenario}\n\n${markdownOf(rows)}`] : [];
});

const { machine, versions } = first;
const dates = [...new Set(reports.map(({ date }) => date.slice(0, 10)))].join(', ');
const versionList = Object.entries(versions).map(([name, version]) =>
	version.toLowerCase().startsWith(name) ? version : `${name} ${version}`,
);
const text = [
	begin,
	`Measured on ${dates}, on ${machine.cores} cores of ${machine.cpu}, with ${versionList.join(', ')}.`,
	...sections,
	end,
].join('\n\n');

const before = readFileSync(page, 'utf8');
if (!before.includes(begin) || !before.includes(end)) throw new Error(`docs/networks.md needs ${begin} and ${end}`);
const after = before.slice(0, before.indexOf(begin)) + text + before.slice(before.indexOf(end) + end.length);
writeFileSync(page, await format(after, { ...(await resolveConfig(page)), parser: 'markdown' }));
