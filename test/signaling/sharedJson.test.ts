import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedList, writeJson } from '../../src/signaling/sharedJson.js';

const items = () => ['a', 'b', 'c'].map((name) => ({ value: { name, said: `"${name}",\u2028` } }));

/** What is written of all items but the one at an index. */
function writtenWithout(index: number): unknown {
	const all = items();
	const list = new SharedList(all).without(all[index]);
	assert.deepEqual(
		list,
		items()
			.map(({ value }) => value)
			.filter((_, at) => at !== index),
	);
	const data = { code: 0, none: undefined, users: list, others: [1, { two: 2 }], last: null };
	assert.equal(writeJson(data), JSON.stringify(data));
	return JSON.parse(writeJson(data));
}

describe('the JSON that many get', () => {
	it('is that of JSON.stringify(), whichever item is left out', () => {
		for (const index of [0, 1, 2]) writtenWithout(index);
	});

	it('has all items for who is not among them', () => {
		writtenWithout(-1);
	});

	it('can be empty', () => {
		const alone = items().slice(0, 1);
		assert.equal(writeJson({ users: new SharedList(alone).without(alone[0]) }), '{"users":[]}');
		assert.equal(writeJson({ users: new SharedList([]).without(undefined) }), '{"users":[]}');
		assert.equal(writeJson({}), '{}');
	});

	it('writes each item once for all', () => {
		let writes = 0;
		const counted = ['a', 'b', 'c'].map((name) => ({
			value: {
				toJSON: () => {
					writes++;
					return name;
				},
			},
		}));
		const list = new SharedList(counted);
		for (const one of counted) writeJson({ users: list.without(one) });
		new SharedList(counted.slice(1)).without(undefined);
		assert.equal(writes, 3);
	});
});
