import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };

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
		for (const dependency of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) {
			await symlink(join(root, 'node_modules', dependency), join(modules, dependency));
		}
		for (const file of ['consumer.mts', 'consumer.cts']) await cp(join(here, 'fixtures', file), join(project, file));
		const options = {
			module: 'nodenext',
			target: 'es2022',
			strict: true,
			types: ['node'],
			outDir: 'out',
			skipLibCheck: false,
		};
		await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
	});

	after(() => rm(project, { recursive: true, force: true }));

	it('compiles under nodenext, its own types checked too', async () => {
		// Failures are on stdout.
		const { stdout } = await run(process.execPath, [typescript], { cwd: project }).catch(
			(error: unknown) => error as { stdout: string },
		);
		assert.equal(stdout, '');
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
