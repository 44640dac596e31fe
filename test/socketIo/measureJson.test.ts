import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureJson } from '../../src/socketIo/measureJson.js';

describe('measureJson', () => {
	const values = [
		'',
		'x'.repeat(1000),
		0,
		true,
		null,
		[],
		[1, [2, ['three']]],
		{},
		{ a: { b: ['c', null] }, d: 'x'.repeat(50) },
	];
	for (const value of values) {
		const json = JSON.stringify(value);
		it(`is about the length of ${json.slice(0, 40)}`, () => {
			const length = measureJson(value)!;
			assert.ok(Math.abs(length - json.length) <= json.length * 0.5 + 8, `${length} of ${json.length}`);
		});
	}

	for (const [name, value] of Object.entries({
		undefined,
		function: () => undefined,
		bigint: 1n,
		NaN,
		Infinity,
		Buffer: Buffer.from('x'),
		ArrayBuffer: new ArrayBuffer(1),
		Date: new Date(),
		Map: new Map(),
	})) {
		it(`has none for ${name}, however deep`, () => {
			assert.equal(measureJson(value), undefined);
			assert.equal(measureJson([{ a: [value] }]), undefined);
		});
	}

	it('needs no recursion, and stops where it is long enough', () => {
		let deep: unknown = [];
		for (let depth = 0; depth < 200_000; depth++) deep = [deep];
		assert.ok(measureJson(deep)! >= 200_000);
		let read = 0;
		const watched = {
			get a() {
				read++;
				return 'x'.repeat(100);
			},
		};
		assert.ok(measureJson(['x'.repeat(1000), watched].reverse(), 100)! > 100);
		assert.equal(read, 0);
	});
});
