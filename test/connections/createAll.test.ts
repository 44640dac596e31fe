import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAll } from '../../src/connections/createAll.js';

/** Creations that end when they are told to. */
function creations(count: number) {
	const begun: number[] = [];
	const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
	const promises = Array.from(
		{ length: count },
		(_, index) =>
			new Promise<number>((resolve, reject) => {
				const end = () => {
					resolve(index);
				};
				ends.push({ resolve: end, reject });
			}),
	);
	const creates = promises.map((promise, index) => () => {
		begun.push(index);
		return promise;
	});
	return { begun, ends, creates };
}

describe('Creating several things', () => {
	it('creates some at the same time, and tells of them in order', async () => {
		const { begun, ends, creates } = creations(3);
		const created: number[] = [];
		const done = createAll(creates, (item) => created.push(item), 2);
		assert.deepEqual(begun, [0, 1]);
		ends[1]!.resolve();
		ends[0]!.resolve();
		ends[2]!.resolve();
		await done;
		assert.deepEqual(
			[begun, created],
			[
				[0, 1, 2],
				[0, 1, 2],
			],
		);
	});

	it('waits for those under way when one fails, tells of them, and begins no more', async () => {
		const { begun, ends, creates } = creations(3);
		const created: number[] = [];
		let failed = false;
		const done = createAll(creates, (item) => created.push(item), 2).catch((error: unknown) => {
			failed = true;
			throw error;
		});
		ends[0]!.reject(new Error('the first'));
		await new Promise(setImmediate);
		assert.equal(failed, false);
		ends[1]!.resolve();
		await assert.rejects(done, { message: 'the first' });
		assert.deepEqual([begun, created], [[0, 1], [1]]);
	});

	it('is done at once with nothing', async () => {
		await createAll([], () => assert.fail());
	});
});
