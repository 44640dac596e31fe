import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import ts from 'typescript';
import { readAllPages, readPage, root, type CodeBlock } from './markdown.js';

const pages = readAllPages();
const blocks = pages.flatMap((page) => page.blocks);

/** The faults in the syntax of a script or a module. */
function syntaxErrors({ file, line, code }: CodeBlock, kind: 'js' | 'ts'): string[] {
	const { diagnostics = [] } = ts.transpileModule(code, {
		fileName: `block.m${kind}`,
		reportDiagnostics: true,
		compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, allowJs: true },
	});
	return diagnostics.map(({ start = 0, messageText }) => {
		const lines = code.slice(0, start).split('\n').length - 1;
		return `${file}:${line + lines}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
	});
}

describe('The README', () => {
	it('has at most 10 kB', async () => {
		const { size } = await stat(join(root, 'README.md'));
		assert.ok(size <= 10_240, `it has ${size} bytes`);
	});

	it('tells things in the order in which a new user needs them', () => {
		const { text, headings } = readPage('README.md');
		assert.deepEqual(
			headings.map(({ title }) => title),
			[
				'sfu-rooms',
				'Try it',
				'A server with Express',
				'A page without a library',
				'Fastify',
				'The core alone',
				'Read on',
			],
		);
		const first = ['An SFU with a room API', 'It has no TURN server', '(docs/demo.png)', '## Try it'];
		const places = first.map((words) => text.indexOf(words));
		assert.ok(!places.includes(-1));
		assert.deepEqual(
			places,
			[...places].sort((a, b) => a - b),
		);
	});

	it('has the two commands', () => {
		const [commands] = readPage('README.md').blocks;
		assert.match(commands!.code, /^npm ci && npm run demo\b.*\nnpm ci && npm test\n$/);
	});

	it('has a complete server, a complete page, Fastify, and the core alone', () => {
		const languages = readPage('README.md').blocks.map(({ language, info }) => `${language} ${info}`.trim());
		assert.deepEqual(languages, ['sh', 'ts', 'html', 'ts', 'ts']);
	});

	it('leads to every page', () => {
		const reached = new Set(['README.md']);
		for (const file of reached) {
			for (const link of linksOf(file)) {
				if (link.file.endsWith('.md') && existsSync(join(root, link.file))) reached.add(link.file);
			}
		}
		for (const { file } of pages) assert.ok(reached.has(file), file);
	});
});

interface Link {
	file: string;
	anchor: string | undefined;
}

/** The links of a page that do not lead to another site. */
function linksOf(file: string): Link[] {
	const { prose } = readPage(file);
	return [...prose.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, target, anchor]) => ({
		file: target ? relative(root, join(root, dirname(file), target)) : file,
		anchor,
	}));
}

describe('The documentation', () => {
	it('has links that lead somewhere', () => {
		const broken = pages.flatMap(({ file }) =>
			linksOf(file)
				.filter((link) => {
					if (!existsSync(join(root, link.file))) return true;
					if (link.anchor === undefined) return false;
					return !readPage(link.file).headings.some(({ anchor }) => anchor === link.anchor);
				})
				.map((link) => `${file}: ${link.file}#${link.anchor ?? ''}`),
		);
		assert.deepEqual(broken, []);
	});

	it('names no file that is not there', () => {
		const missing = pages.flatMap(({ file, prose }) =>
			[...prose.matchAll(/`((?:src|test|scripts|examples|docs)\/[\w./-]+)`/g)]
				.map(([, name]) => name!)
				// The linter makes it.
				.filter((name) => name !== 'docs/api' && !existsSync(join(root, name)))
				.map((name) => `${file}: ${name}`),
		);
		assert.deepEqual(missing, []);
	});

	it('lists every page of docs/ in its index', () => {
		const listed = linksOf('docs/README.md').map(({ file }) => file);
		for (const file of readdirSync(join(root, 'docs'))) {
			if (file.endsWith('.md') && file !== 'README.md') assert.ok(listed.includes(`docs/${file}`), file);
		}
	});

	it('has TypeScript that compiles against the library', async (t) => {
		const complete = blocks.filter(({ language, info }) => language === 'ts' && info !== 'fragment');
		assert.ok(complete.length > 10);
		const directory = await mkdtemp(join(root, '.docs-'));
		t.after(() => rm(directory, { recursive: true }));
		// The name of a file tells where its code stands.
		const nameOf = ({ file, line }: CodeBlock) => `${file.replaceAll(/\W/g, '-')}-line-${line}.ts`;
		for (const block of complete) await writeFile(join(directory, nameOf(block)), block.code);
		const compile = async (config: string, files: string[], options: object) => {
			const tsconfig = {
				extends: '../tsconfig.json',
				compilerOptions: { moduleDetection: 'force', ...options },
				files,
				include: [],
				exclude: [],
			};
			await writeFile(join(directory, config), JSON.stringify(tsconfig));
			await promisify(execFile)(process.execPath, [
				join(root, 'node_modules/typescript/bin/tsc'),
				'-p',
				join(directory, config),
			]).catch((error: unknown) => assert.fail((error as { stdout: string }).stdout));
		};
		const isForBrowsers = ({ code }: CodeBlock) => code.includes("'sfu-rooms/client'");
		const forServers = complete.filter((block) => !isForBrowsers(block));
		await compile('tsconfig.json', forServers.map(nameOf), {});
		await compile('tsconfig.browser.json', complete.filter(isForBrowsers).map(nameOf), {
			lib: ['es2023', 'dom', 'dom.iterable'],
			types: [],
			paths: { 'sfu-rooms/client': ['../src/client/index.ts'] },
		});
	});

	it('has code without faults in its syntax', () => {
		const scripts = blocks.flatMap((block): CodeBlock[] => {
			if (block.language !== 'html') return block.language === 'js' ? [block] : [];
			return [...block.code.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, code]) => ({
				...block,
				code: code!,
			}));
		});
		assert.ok(scripts.length > 5);
		const types = blocks.filter(({ language }) => language === 'ts');
		const errors = [
			...scripts.flatMap((block) => syntaxErrors(block, 'js')),
			...types.flatMap((block) => syntaxErrors(block, 'ts')),
		];
		assert.deepEqual(errors, []);
	});

	it('says of every code block which language it is in', () => {
		const known = ['ts', 'js', 'html', 'sh', 'mermaid', 'nginx', 'dockerfile', 'yaml', 'ini'];
		for (const { file, line, language } of blocks) assert.ok(known.includes(language), `${file}:${line}: ${language}`);
	});
});
