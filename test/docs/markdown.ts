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
