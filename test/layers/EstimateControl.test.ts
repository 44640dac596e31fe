import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstimateControl } from '../../src/layers/EstimateControl.js';
import type { LayeredStream } from '../../src/layers/LossBasedController.js';

const bitrates = [50_000, 90_000, 150_000, 500_000, 1_500_000];

/** At the lowest frame rate. */
const leastBitrates = [50_000, 50_000, 50_000, 200_000, 600_000];

const stream = (rung: number, more: Partial<LayeredStream> = {}): LayeredStream => ({
	...{ id: 'a', priority: 1, rung, smooth: 2, bitrates, leastBitrates },
	...more,
});

describe('When a link with an estimate is overloaded', () => {
	it('a stream falls to what gets through, though not below its full frame rate at once', () => {
		const control = new EstimateControl();
		assert.deepEqual(control.overloaded({ at: 0, passed: 600_000 }, [stream(4)]), new Map([['a', 3]]));
		assert.deepEqual(control.overloaded({ at: 0, passed: 20_000 }, [stream(4)]), new Map([['a', 2]]));
		assert.deepEqual(control.overloaded({ at: 0, passed: 20_000 }, [stream(0)]), new Map());
	});

	it('it waits for five seconds, and twice as long after each step that was one too many', () => {
		const control = new EstimateControl();
		const holds: number[] = [];
		for (let at = 0, times = 0; times < 8; times++) {
			control.overloaded({ at, passed: 100_000 }, [stream(4)]);
			holds.push(control.hold / 1000);
			at += control.hold;
			control.rise(at, Infinity, [stream(2)]);
			at += 9000;
		}
		assert.deepEqual(holds, [5, 10, 20, 40, 80, 160, 160, 160]);
		control.overloaded({ at: 1e9, passed: 100_000 }, [stream(4)]);
		assert.equal(control.hold, 5000, 'what was long ago was another matter');
	});
});

describe('A stream that is held back', () => {
	it('rises step by step', () => {
		const control = new EstimateControl();
		const rungs = [0];
		for (let rung: number | undefined = 0; rung !== undefined;) {
			rung = control.rise(0, Infinity, [stream(rung)]).get('a');
			if (rung !== undefined) rungs.push(rung);
		}
		assert.deepEqual(rungs, [0, 2, 3, 4]);
	});

	it('rises no further than the estimate allows all of them together at the lowest frame rate, by priority', () => {
		const control = new EstimateControl();
		assert.equal(control.rise(0, 199_999, [stream(2)]).size, 0);
		assert.equal(control.rise(0, 200_000, [stream(2)]).get('a'), 3);
		const two = [stream(2), stream(2, { id: 'b', priority: 2 })];
		assert.deepEqual(control.rise(0, 300_000, two), new Map([['b', 3]]));
		assert.deepEqual(control.rise(0, 400_000, two).size, 2);
	});

	it('that did not rise was not one step too many', () => {
		const control = new EstimateControl();
		control.overloaded({ at: 0, passed: 100_000 }, [stream(4)]);
		control.rise(5000, 0, [stream(2)]);
		control.overloaded({ at: 5001, passed: 100_000 }, [stream(2)]);
		assert.equal(control.hold, 5000);
	});

	it('rises over what is not sent at the moment', () => {
		assert.equal(new EstimateControl().rise(0, 100_000, [stream(2, { leastBitrates: [1, 1, 1, 0, 0] })]).get('a'), 3);
	});
});
