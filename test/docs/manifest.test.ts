import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import lock from '../../package-lock.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { root } from './markdown.js';

describe('The manifest', () => {
	it('says where the project lives', () => {
		const home = 'https://github.com/sfu-rooms/sfu-rooms';
		assert.equal(manifest.repository.url, `git+${home}.git`);
		assert.equal(manifest.bugs, `${home}/issues`);
		assert.equal(manifest.homepage, `${home}#readme`);
	});

	it('has dist built before anything is packed', () => {
		assert.equal(manifest.scripts.prepack, 'node scripts/prepack.mjs');
		assert.ok(manifest.files.includes('dist'));
		// That would switch off prepack.
		assert.doesNotMatch(readFileSync(join(root, '.npmrc'), 'utf8'), /^ignore-scripts/m);
	});

	it("keeps npm from running mediasoup's install script, which fails where nothing can be downloaded", () => {
		// npm sets it again when it resolves mediasoup anew: remove the line from package-lock.json.
		assert.ok(!('hasInstallScript' in lock.packages['node_modules/mediasoup']));
	});
});
