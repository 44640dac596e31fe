import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { root } from './markdown.js';

it('Everything that the package exports is documented, so that TypeDoc has no warning', async () => {
	const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');
	await promisify(execFile)(process.execPath, [typedoc, '--emit', 'none'], { cwd: root }).catch((error: unknown) => {
		const { stdout, stderr } = error as { stdout: string; stderr: string };
		assert.fail(stdout + stderr);
	});
});
