import { build } from 'esbuild';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type * as Library from 'sfu-rooms';

/**
 * Bundles the library as it is published, and loads it: tsx gives each function its name when it is made, and so it makes
 * the library slower than it is.
 */
export async function loadBundle(): Promise<typeof Library> {
	// It finds its dependencies from here.
	const outfile = fileURLToPath(new URL('bundle.tmp.mjs', import.meta.url));
	try {
		await build({
			entryPoints: [fileURLToPath(new URL('../../src/index.ts', import.meta.url))],
			outfile,
			bundle: true,
			packages: 'external',
			platform: 'node',
			format: 'esm',
			target: 'node20',
		});
		return (await import(outfile)) as typeof Library;
	} finally {
		await rm(outfile, { force: true });
	}
}
