import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Quota } from '../src/Quota.js';

describe('A quota', () => {
	it('gives as many as its limit', () => {
		const quota = new Quota(2, 'pushers of one user');
		quota.take();
		quota.take();
		assert.throws(() => quota.take(), {
			name: 'SfuError',
			code: 'limit_exceeded',
			message: 'more than 2 pushers of one user are not allowed',
		});
	});

	it('gives again what was given back', () => {
		const quota = new Quota(1, 'things');
		quota.take()();
		const giveBack = quota.take();
		assert.throws(() => quota.take());
		giveBack();
		assert.doesNotThrow(() => quota.take());
	});

	it('counts what is given back twice once', () => {
		const quota = new Quota(2, 'things');
		const giveBack = quota.take();
		quota.take();
		giveBack();
		giveBack();
		quota.take();
		assert.throws(() => quota.take(), { code: 'limit_exceeded' });
	});
});
