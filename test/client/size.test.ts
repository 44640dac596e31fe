import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** 12 kB. A page loads it before anybody sees anything. */
const LIMIT = 12 * 1024;

it('The client has at most 12 kB, minified and compressed, and imports nothing', async (t) => {
	const { outputFiles, metafile } = await build({
		entryPoints: [join(import.meta.dirname, '../../src/client/index.ts')],
		bundle: true,
		write: false,
		minify: true,
		metafile: true,
		format: 'esm',
		platform: 'browser',
		target: 'es2022',
	});
	const [output] = outputFiles;
	assert.ok(output);
	const { length } = gzipSync(output.contents, { level: 9 });
	t.diagnostic(`${output.contents.length} bytes minified, ${length} compressed`);
	assert.ok(length <= LIMIT, `it has ${length} bytes`);
	for (const file of Object.keys(metafile.inputs)) assert.match(file, /src\/(client|protocol)\//);
});
