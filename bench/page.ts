/**
 * Puts the tables of benchmarks into docs/performance.md and docs/cluster-scale.md, each between the comments of its name, and
 * draws their plots.
 *
 *     node --import tsx bench/page.ts FILE…
 *
 * The files are those that the benchmarks write with `--json`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { draw } from './plots.js';
import { readReport, type Report, type Row } from './report.js';

const pages = ['performance', 'cluster-scale'].map((name) => new URL(`../docs/${name}.md`, import.meta.url));
const plots = new URL('../docs/plots/', import.meta.url);

function markdownOf(rows: readonly Row[]): string {
	const columns = Object.keys(rows[0] ?? {});
	const lines = [columns, columns.map(() => '---'), ...rows.map((row) => columns.map((column) => row[column] ?? ''))];
	return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The table, and where it comes from. */
function sectionOf({ name, date, command, machine, versions, rows, plots: ofReport }: Report): string {
	const places = Object.entries(versions).map(([of, version]) => `${of} ${version}`);
	const source = `\`${command.replace(/ --json \S+/, '')}\`, ${date.slice(0, 10)}, ${machine.cores} cores of ${machine.cpu}, ${places.join(', ')}`;
	const pictures = ofReport.map(({ title }, index) => `![${title}](plots/${plotName(name, index)})`);
	return [markdownOf(rows), source, ...pictures].join('\n\n');
}

const plotName = (name: string, index: number) => `${name}${index > 0 ? `-${index + 1}` : ''}.svg`;

const texts = new Map(pages.map((page) => [page, readFileSync(page, 'utf8')]));
mkdirSync(plots, { recursive: true });
for (const report of process.argv.slice(2).map(readReport)) {
	const [begin, end] = [`<!-- ${report.name}: begin -->`, `<!-- ${report.name}: end -->`];
	const [page, text] = [...texts].find(([, one]) => one.includes(begin)) ?? [];
	const after = text?.indexOf(end) ?? -1;
	if (!page || text === undefined || after < text.indexOf(begin)) throw new Error(`no page has ${begin} and ${end}`);
	const before = text.slice(0, text.indexOf(begin));
	texts.set(page, `${before}${begin}\n\n${sectionOf(report)}\n\n${text.slice(after)}`);
	for (const [index, plot] of report.plots.entries())
		writeFileSync(new URL(plotName(report.name, index), plots), draw(plot, report.rows));
}
for (const [page, text] of texts) {
	const options = { ...(await resolveConfig(page)), parser: 'markdown' };
	const formatted = await format(text, options);
	if (formatted !== readFileSync(page, 'utf8')) writeFileSync(page, formatted);
}
