import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import manifest from '../../package.json' with { type: 'json' };
import { cannotRun, chromiumFlags, executables } from '../support/browsers.js';
import { startRoomServer } from '../support/clientPages.js';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const typescript = createRequire(import.meta.url).resolve('typescript/bin/tsc');

describe('The packed library, in a project that has nothing but its dependencies', () => {
	let project: string;

	before(async () => {
		project = await mkdtemp(join(tmpdir(), 'sfu-rooms-consumer-'));
		const modules = join(project, 'node_modules');
		await mkdir(join(modules, '@types'), { recursive: true });
		const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root });
		await run('tar', ['xzf', stdout.trim(), '-C', modules], { cwd: project });
		await cp(join(modules, 'package'), join(modules, manifest.name), { recursive: true });
		await rm(join(modules, 'package'), { recursive: true });
		const others = ['@types/node', 'undici-types', 'ws', '@types/ws', 'prom-client', '@opentelemetry/api'];
		for (const dependency of [...Object.keys(manifest.dependencies), ...others]) {
			await mkdir(dirname(join(modules, dependency)), { recursive: true });
			await symlink(join(root, 'node_modules', dependency), join(modules, dependency));
		}
		for (const file of ['consumer.mts', 'consumer.cts', 'jsonRpcAdapter.mts', 'jsonRpc.mts']) {
			await cp(join(here, 'fixtures', file), join(project, file));
		}
		await cp(join(here, 'fixtures/browser'), join(project, 'browser'), { recursive: true });
		const options = {
			module: 'nodenext',
			target: 'es2022',
			strict: true,
			types: ['node'],
			outDir: 'out',
			skipLibCheck: false,
		};
		const tsconfig = { compilerOptions: options, include: ['*.mts', '*.cts'] };
		await writeFile(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
		const browserOptions = {
			module: 'esnext',
			moduleResolution: 'bundler',
			target: 'es2022',
			lib: ['es2022', 'dom'],
			strict: true,
			types: [],
			noEmit: true,
			skipLibCheck: false,
		};
		await writeFile(join(project, 'browser/tsconfig.json'), JSON.stringify({ compilerOptions: browserOptions }));
	});

	after(() => rm(project, { recursive: true, force: true }));

	/** Compiles a project; the result has its failures. */
	async function compile(directory: string) {
		const compiling = run(process.execPath, [typescript, '-p', directory]);
		return (await compiling.catch((error: unknown) => error as { stdout: string })).stdout;
	}

	it('compiles under nodenext, its own types checked too', async () => {
		assert.equal(await compile(project), '');
	});

	it('has messages and a client that compile for a browser, without types of Node', async () => {
		assert.equal(await compile(join(project, 'browser')), '');
	});

	it('has a client that runs in a browser, bundled', { skip: cannotRun('Chromium') }, async (t) => {
		const { outputFiles } = await build({
			entryPoints: [join(project, 'browser/call.ts')],
			bundle: true,
			write: false,
			platform: 'browser',
			format: 'iife',
			globalName: 'consumer',
		});
		const rooms = await startRoomServer();
		t.after(() => {
			rooms.close();
		});
		const browser = await chromium.launch({ executablePath: executables.Chromium, args: chromiumFlags });
		t.after(() => browser.close());
		const page = await browser.newPage();
		await page.evaluate(`${outputFiles[0]!.text}; globalThis.consumer = consumer;`);
		assert.ok((await page.evaluate<number>(`consumer.meet('${rooms.url}')`)) > 0);
		assert.equal(await page.evaluate('consumer.fail()'), 'closed');
	});

	it('needs no module of Node for the messages and the client', async () => {
		const dist = join(project, 'node_modules', manifest.name, 'dist');
		const seen = new Set<string>();
		async function look(file: string): Promise<void> {
			if (seen.has(file)) return;
			seen.add(file);
			const source = await readFile(join(dist, file), 'utf8');
			for (const [, imported = ''] of source.matchAll(/(?:from|import) ['"]([^'"]+)['"]/g)) {
				assert.match(imported, /^\.\//, `${file} imports ${imported}`);
				await look(imported.slice(2));
			}
		}
		await look('protocol.js');
		await look('client.js');
	});

	it('loads optional peers from the entries alone that need them', async () => {
		const dist = join(project, 'node_modules', manifest.name, 'dist');
		async function importsOf(file: string, seen = new Set<string>()): Promise<string[]> {
			if (seen.has(file)) return [];
			seen.add(file);
			const source = await readFile(join(dist, file), 'utf8');
			const imported = [...source.matchAll(/(?:from|import) ['"]([^'"]+)['"]/g)].map(([, module]) => module!);
			const inner = imported.filter((module) => module.startsWith('./'));
			const further = await Promise.all(inner.map((module) => importsOf(module.slice(2), seen)));
			return [...imported.filter((module) => !module.startsWith('./')), ...further.flat()];
		}
		const peers = ['prom-client', '@opentelemetry/api'];
		const needed = async (file: string) => {
			const imported = new Set(await importsOf(file));
			return peers.filter((module) => imported.has(module));
		};
		assert.deepEqual(await needed('metrics.js'), ['prom-client']);
		assert.deepEqual(await needed('tracing.js'), ['@opentelemetry/api']);
		for (const file of ['index.js', 'signaling.js', 'protoo.js', 'cluster.js', 'http.js'])
			assert.deepEqual(await needed(file), []);
	});

	it('lets an adapter be written in less than 100 lines, with its public entries alone', async () => {
		const adapter = await readFile(join(here, 'fixtures/jsonRpcAdapter.mts'), 'utf8');
		assert.ok(adapter.split('\n').length < 100);
		const imported = [...adapter.matchAll(/from '(.*)'/g)].map(([, module]) => module);
		assert.deepEqual(imported.sort(), ['sfu-rooms', 'sfu-rooms/protocol', 'sfu-rooms/signaling', 'ws']);
		const offers = ['chromium-sendonly-audio-video', 'chromium-recvonly-video-audio'];
		const files = offers.map((offer) => join(root, `test/fixtures/offers/${offer}.sdp`));
		const { stdout } = await run(process.execPath, [join(project, 'out/jsonRpc.mjs'), ...files], {
			cwd: project,
			timeout: 60_000,
		});
		assert.equal(stdout, 'consumed\n');
	});

	for (const [format, file] of [
		['an ES module', 'consumer.mjs'],
		['CommonJS', 'consumer.cjs'],
	] as const) {
		it(`runs as ${format}`, async () => {
			const { stdout } = await run(process.execPath, [join(project, 'out', file)], { cwd: project });
			assert.equal(stdout, 'consumed\n');
		});
	}

	it('has the provider of the worker', async () => {
		const { stdout } = await run(process.execPath, [
			join(project, 'node_modules', manifest.name, manifest.bin['sfu-rooms-worker']),
			'--help',
		]);
		assert.match(stdout, /MEDIASOUP_WORKER_BIN/);
	});
});
