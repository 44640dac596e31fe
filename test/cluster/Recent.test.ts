import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Recent } from '../../src/cluster/Recent.js';

describe('the numbers of the last messages of servers', () => {
	it('are new once, in whatever order they come', () => {
		const recent = new Recent();
		assert.deepEqual(
			[5, 3, 5, 4, 3].map((number) => recent.add('one', number)),
			[true, true, false, true, false],
		);
		assert.equal(recent.add('two', 5), true, 'each server has its own');
	});

	it('are not new again after many others', () => {
		const recent = new Recent();
		for (let number = 1; number <= 5000; number++) assert.equal(recent.add('one', number), true);
		assert.equal(recent.add('one', 1), false);
		assert.equal(recent.add('one', 5000), false);
	});

	it('go on when a server was lost and has come back', () => {
		const recent = new Recent();
		for (const number of [1, 2, 3]) recent.add('one', number);
		recent.lose('one');
		recent.lose('one');
		assert.deepEqual(
			[3, 4, 4].map((number) => recent.add('one', number)),
			[false, true, false],
		);
	});

	it('are forgotten when many other servers have gone since', () => {
		const recent = new Recent();
		for (let server = 0; server < 200; server++) {
			recent.add(String(server), 1);
			recent.lose(String(server));
		}
		assert.equal(recent.add('199', 1), false);
		assert.equal(recent.add('0', 1), true);
	});
});
