import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstimateController } from '../../src/layers/EstimateController.js';
import type { LayeredStream } from '../../src/layers/LayerPolicy.js';

const estimate = () => Promise.resolve(undefined);

const bitrates = [50_000, 90_000, 150_000, 500_000, 1_500_000];

/** At the lowest frame rate. */
const leastBitrates = [50_000, 50_000, 50_000, 200_000, 600_000];

const stream = (step: number, more: Partial<LayeredStream> = {}): LayeredStream => ({
	...{ id: 'a', priority: 1, step, fullFrameRateStep: 2, bitrates, leastBitrates },
	...more,
});

describe('When a link with an estimate is overloaded', () => {
	it('a stream falls to what gets through, though not below its full frame rate at once', () => {
		const control = new EstimateController(estimate);
		assert.deepEqual(control.fall({ at: 0, throughput: 600_000 }, [stream(4)]), new Map([['a', 3]]));
		assert.deepEqual(control.fall({ at: 0, throughput: 20_000 }, [stream(4)]), new Map([['a', 2]]));
		assert.deepEqual(control.fall({ at: 0, throughput: 20_000 }, [stream(0)]), new Map());
	});

	it('it waits for five seconds, and twice as long after each step that was one too many', () => {
		const control = new EstimateController(estimate);
		const holds: number[] = [];
		for (let at = 0, times = 0; times < 8; times++) {
			control.fall({ at, throughput: 100_000 }, [stream(4)]);
			holds.push(control.hold / 1000);
			at += control.hold;
			control.rise(at, Infinity, [stream(2)]);
			at += 9000;
		}
		assert.deepEqual(holds, [5, 10, 20, 40, 80, 160, 160, 160]);
		control.fall({ at: 1e9, throughput: 100_000 }, [stream(4)]);
		assert.equal(control.hold, 5000, 'what was long ago was another matter');
	});
});

describe('A stream that is held back', () => {
	it('rises step by step', () => {
		const control = new EstimateController(estimate);
		const steps = [0];
		for (let step: number | undefined = 0; step !== undefined;) {
			step = control.rise(0, Infinity, [stream(step)]).get('a');
			if (step !== undefined) steps.push(step);
		}
		assert.deepEqual(steps, [0, 2, 3, 4]);
	});

	it('rises no further than the estimate allows all of them together at the lowest frame rate, by priority', () => {
		const control = new EstimateController(estimate);
		assert.equal(control.rise(0, 199_999, [stream(2)]).size, 0);
		assert.equal(control.rise(0, 200_000, [stream(2)]).get('a'), 3);
		const two = [stream(2), stream(2, { id: 'b', priority: 2 })];
		assert.deepEqual(control.rise(0, 300_000, two), new Map([['b', 3]]));
		assert.deepEqual(control.rise(0, 400_000, two).size, 2);
	});

	it('that did not rise was not one step too many', () => {
		const control = new EstimateController(estimate);
		control.fall({ at: 0, throughput: 100_000 }, [stream(4)]);
		control.rise(5000, 0, [stream(2)]);
		control.fall({ at: 5001, throughput: 100_000 }, [stream(2)]);
		assert.equal(control.hold, 5000);
	});

	it('rises over what is not sent at the moment', () => {
		assert.equal(
			new EstimateController(estimate).rise(0, 100_000, [stream(2, { leastBitrates: [1, 1, 1, 0, 0] })]).get('a'),
			3,
		);
	});
});
