import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Convergence } from '../src/Convergence.js';

/** A number that becomes the wanted one, by one in each step. */
function counter() {
	const state = { now: 0, wanted: 0, running: 0, failure: undefined as Error | undefined };
	const convergence = new Convergence(
		() => state.now === state.wanted,
		async () => {
			assert.equal(++state.running, 1, 'one step at a time');
			await Promise.resolve();
			state.running--;
			if (state.failure) throw state.failure;
			state.now += Math.sign(state.wanted - state.now);
		},
	);
	return { state, convergence };
}

describe('A convergence', () => {
	it('does nothing when all is as wanted', async () => {
		const { state, convergence } = counter();
		await convergence.run();
		assert.equal(state.now, 0);
	});

	it('takes as many steps as needed, and all who wait share one promise', async () => {
		const { state, convergence } = counter();
		state.wanted = 3;
		const first = convergence.run();
		assert.equal(convergence.run(), first);
		await first;
		assert.equal(state.now, 3);
	});

	it('goes on when something else is wanted meanwhile, even if that was so at first', async () => {
		const { state, convergence } = counter();
		state.wanted = 2;
		const run = convergence.run();
		state.wanted = 0;
		assert.equal(convergence.run(), run);
		await run;
		assert.equal(state.now, 0);
	});

	it('begins anew right after it has ended, before anybody who waited knows', async () => {
		const { state, convergence } = counter();
		state.wanted = 1;
		const run = convergence.run();
		while (state.now === 0) await Promise.resolve();
		state.wanted = 2;
		await convergence.run();
		assert.equal(state.now, 2);
		await run;
	});

	it('ends with the error of a step, and the next run tries again', async () => {
		const { state, convergence } = counter();
		state.wanted = 1;
		state.failure = new Error('no');
		const runs = [convergence.run(), convergence.run()];
		for (const run of runs) await assert.rejects(run, state.failure);
		state.failure = undefined;
		await convergence.run();
		assert.equal(state.now, 1);
	});
});
