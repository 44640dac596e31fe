import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** A code block of a page. */
export interface CodeBlock {
	/** The page, from the root of the repository. */
	file: string;
	/** The line on which the code begins, counted from 1. */
	line: number;
	/** `ts`, `html`, `js`, `sh`, … */
	language: string;
	/** The words after the language: `fragment` marks a block that is no complete file. */
	info: string;
	code: string;
}

/** A page of the documentation. */
export interface MarkdownPage {
	/** From the root of the repository. */
	file: string;
	text: string;
	/** Without the code blocks. */
	prose: string;
	blocks: CodeBlock[];
	/** In their order, with the anchor that GitHub gives each. */
	headings: { level: number; title: string; anchor: string }[];
	/** The cells of the rows of all tables, without backquotes. */
	rows: string[][];
}

/** Reads a page, given from the root of the repository. */
export function readPage(file: string): MarkdownPage {
	const text = readFileSync(join(root, file), 'utf8');
	const blocks: CodeBlock[] = [];
	const prose: string[] = [];
	let open: CodeBlock | undefined;
	for (const [index, line] of text.split('\n').entries()) {
		const [, language, info] = /^```(\w*) ?(.*)$/.exec(line) ?? [];
		if (language === undefined) {
			if (open) open.code += `${line}\n`;
			else prose.push(line);
		} else if (open) {
			blocks.push(open);
			open = undefined;
		} else {
			open = { file, line: index + 2, language, info: info ?? '', code: '' };
		}
	}
	if (open) throw new Error(`${file}:${open.line}: the code block has no end`);
	const headings = prose.flatMap((line) => {
		const [, marks, title] = /^(#+) (.*)$/.exec(line) ?? [];
		return marks && title ? { level: marks.length, title, anchor: anchorOf(title) } : [];
	});
	const rows = prose.filter((line) => line.startsWith('|')).map(cellsOf);
	return { file, text, prose: prose.join('\n'), blocks, headings, rows };
}

/** The pages in docs/, and the README and its like. The API reference is not among them. */
export function readAllPages(): MarkdownPage[] {
	const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'));
	const files = [
		...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
		...pages.map((file) => relative(root, join(root, 'docs', file))),
	];
	return files.map(readPage);
}

/** The cells of the first row whose first cell is `name`. */
export const rowOf = (page: MarkdownPage, name: string): string[] | undefined =>
	page.rows.find(([first]) => first === name);

/** A part of a page. */
export interface Section {
	text: string;
	/** The cells of the rows of its tables. */
	rows: string[][];
	/** Those before its first subsection. */
	ownRows: string[][];
}

/** What is below a heading, up to the next one of the same level or a higher one. */
export function sectionOf(page: MarkdownPage, title: string): Section {
	const heading = page.headings.find((candidate) => candidate.title === title);
	if (!heading) throw new Error(`${page.file} has no heading "${title}"`);
	const lines = page.prose.split('\n');
	const begin = lines.indexOf(`${'#'.repeat(heading.level)} ${title}`) + 1;
	const end = lines.findIndex(
		(line, index) => index >= begin && (/^#+(?= )/.exec(line)?.[0].length ?? 9) <= heading.level,
	);
	const section = lines.slice(begin, end < 0 ? undefined : end);
	const subsection = section.findIndex((line) => line.startsWith('#'));
	const rowsOf = (part: string[]) => part.filter((line) => line.startsWith('|')).map(cellsOf);
	return {
		text: section.join('\n'),
		rows: rowsOf(section),
		ownRows: rowsOf(subsection < 0 ? section : section.slice(0, subsection)),
	};
}

/** A text, and the sections of its page that it links to, and those that these link to. */
export function linkedText(page: MarkdownPage, text: string, seen = new Set<string>()): string {
	const anchors = [...text.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor!);
	const linked = anchors.flatMap((anchor) => {
		const heading = page.headings.find((candidate) => candidate.anchor === anchor);
		if (!heading || seen.has(anchor)) return [];
		seen.add(anchor);
		return linkedText(page, sectionOf(page, heading.title).text, seen);
	});
	return [text, ...linked].join('\n');
}

/** As GitHub makes them, for headings that are different. */
const anchorOf = (title: string) =>
	title
		.toLowerCase()
		.replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
		.replaceAll(' ', '-');

const cellsOf = (line: string) =>
	line
		.split(/(?<!\\)\|/)
		.slice(1, -1)
		.map((cell) => cell.trim().replaceAll('`', '').replaceAll('\\|', '|'));
