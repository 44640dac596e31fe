import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OverloadDetector } from '../../src/layers/OverloadDetector.js';

/**
 * What a detector says of a sample every 50 ms, each with so many packets of 1,000 bytes, and so many that are asked for
 * again: of those the first sample after a while has, too, what came before it.
 */
function detect(nacked: number[], packets = 6) {
	const detector = new OverloadDetector();
	return nacked.map((count, index) =>
		detector.add({ at: 1000 + index * 50, packets, bytes: packets * 1000, nacked: count }),
	);
}

const noticedAt = (nacked: number[], packets?: number) => detect(nacked, packets).findIndex((overload) => overload);

describe('A link', () => {
	it('is overloaded when half of what is sent is asked for again, which is noticed after a tenth of a second', () => {
		assert.equal(noticedAt([5, 5, 5, 5]), 2);
		assert.equal(noticedAt([5, 5, 5, 5], 16), -1);
	});

	it('is so after a quarter of a second, too, but what was longer ago does not count', () => {
		assert.equal(noticedAt([3, 3, 3, 3, 3, 3]), 4);
		assert.equal(noticedAt([3, 3, 3, 0, 0, 0, 3, 3, 3]), -1);
	});

	it('is not for a few packets, however large their share is', () => {
		assert.equal(noticedAt([2, 2, 2, 2, 2, 2, 2], 1), -1);
	});

	it('is not for random loss of a tenth that is asked for three times', () => {
		assert.equal(
			noticedAt(
				Array.from({ length: 40 }, () => 6),
				20,
			),
			-1,
		);
	});

	it('lets through half of what seems to get through, and a tenth of that at least', () => {
		// Of 20 packets of 8,000 bit in a tenth of a second 15 are asked for again.
		assert.equal(detect([5, 5, 5], 10)[2]?.throughput, ((20 * 8000) / 0.1) * 0.25 * 0.5);
		assert.equal(detect([50, 50, 50], 10)[2]?.throughput, ((20 * 8000) / 0.1) * 0.1 * 0.5);
	});

	it('is looked at anew once it was overloaded', () => {
		assert.deepEqual(
			detect([9, 9, 9, 9, 9, 9]).map((overload) => overload?.at),
			[undefined, undefined, 1100, undefined, undefined, 1250],
		);
	});
});
