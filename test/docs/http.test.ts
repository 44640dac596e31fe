import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { defaultHttpLimits } from 'sfu-rooms/http';
import { propertiesOf, typeOf } from './declarations.js';
import { readPage, root, rowOf, sectionOf } from './markdown.js';

describe('docs/http.md', () => {
	const page = readPage('docs/http.md');

	it('has every option and every limit, with its default', () => {
		for (const type of ['HttpOptions', 'HttpLimits']) {
			for (const { name, defaultNumber } of propertiesOf(typeOf('http', type))) {
				const row = rowOf(page, name);
				assert.ok(row, name);
				if (defaultNumber !== undefined) assert.equal(row[1], defaultNumber, name);
			}
		}
		for (const [limit, value] of Object.entries(defaultHttpLimits))
			assert.equal(rowOf(page, limit)?.[1], String(value), limit);
	});

	it('names a test for each demand of the standards', () => {
		const files = readdirSync(join(root, 'test/http')).filter((file) => file.endsWith('.test.ts'));
		const texts = files.map((file) => readFileSync(join(root, 'test/http', file), 'utf8')).join('\n');
		const [, , ...rows] = sectionOf(page, 'What the standards demand').rows;
		assert.ok(rows.length > 15);
		for (const [, , test] of rows) {
			assert.ok(test);
			const withNames = test.replace(/ of (WHIP|WHEP) /, ' of ${name} ');
			assert.ok(texts.includes(withNames), test);
		}
	});
});
