import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rollback } from '../src/Rollback.js';

describe('Undo', () => {
	it('runs the steps, last first, each once', () => {
		const order: number[] = [];
		const { add, run } = bound(new Rollback());
		for (const step of [1, 2, 3]) add(() => order.push(step));
		run();
		run();
		assert.deepEqual(order, [3, 2, 1]);
	});

	it('runs no step twice when one of them runs it again', () => {
		const undo = new Rollback();
		let times = 0;
		undo.add(() => times++);
		undo.add(undo.run);
		undo.run();
		assert.equal(times, 1);
	});

	const bound = (undo: Rollback) => ({
		add: (step: () => void) => {
			undo.add(step);
		},
		run: undo.run,
	});
});
