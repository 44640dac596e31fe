import { build } from 'esbuild';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/**
 * Bundles modules of `src` as they are published, and loads them: tsx gives each function its name when it is made, and so it
 * makes the library slower than it is.
 *
 * @param modules - their paths in `src`, such as `protoo/index.ts`
 */
export async function loadBundle(...modules: string[]): Promise<unknown> {
	// It finds its dependencies from here.
	const outfile = fileURLToPath(new URL(`bundle-${randomUUID()}.tmp.mjs`, import.meta.url));
	const resolveDir = fileURLToPath(new URL('../src', import.meta.url));
	try {
		await build({
			stdin: { contents: modules.map((path) => `export * from './${path}';`).join('\n'), resolveDir, loader: 'ts' },
			outfile,
			bundle: true,
			packages: 'external',
			platform: 'node',
			format: 'esm',
			target: 'node20',
		});
		return await import(outfile);
	} finally {
		await rm(outfile, { force: true });
	}
}
