import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeasuredStream, VideoPuller } from '../../src/layers/LayerPolicy.js';
import { LinkReader } from '../../src/layers/LinkReader.js';

const nothing = { packets: 0, lost: 0, bitrate: 0, covered: undefined, roundTripTimes: [] };

/** One stream, as it is at each look: at which second, and how many packets were sent and lost by then. */
function reading() {
	const reader = new LinkReader();
	const selection = { isHeld: false };
	const puller = { selection } as unknown as VideoPuller;
	const look = (at: number, packets: number, lost: number, roundTripTime?: number) => {
		const counters = { at: at * 1000, packets, bytes: packets * 1000, lost, nacked: 0, roundTripTime };
		return reader.read([{ puller, counters } as unknown as MeasuredStream]);
	};
	/** A look at which it does not flow. */
	const miss = () => reader.read([]);
	return { selection, look, miss };
}

describe('What is read of a link', () => {
	it('is what was sent and reported since the look before', () => {
		const { look } = reading();
		assert.deepEqual(look(0, 100, 5, 40), nothing);
		const read = { packets: 50, lost: 2, bitrate: 400_000, covered: 1000, roundTripTimes: [42] };
		assert.deepEqual(look(1, 150, 7, 42), read);
	});

	it('counts what is sent as soon as it is reported', () => {
		const { look } = reading();
		look(0, 0, 0, 40);
		assert.deepEqual(look(0.5, 50, 0, 40), { ...nothing, bitrate: 800_000 });
		assert.deepEqual(look(1, 100, 20, 40).packets, 100);
		assert.deepEqual(look(1.5, 150, 20, 40).lost, 0);
	});

	it('says how long the time is that a report is about, without that in which nothing was to flow', () => {
		const { selection, look } = reading();
		look(0, 0, 0, 40);
		for (const at of [1, 2, 3, 4]) assert.equal(look(at, 100 * at, 0, 40).covered, undefined);
		assert.equal(look(5, 500, 400, 40).covered, 5000);
		selection.isHeld = true;
		for (const at of [6, 7, 8]) look(at, 500, 400, 40);
		selection.isHeld = false;
		look(9, 510, 410, 45);
		assert.equal(look(10, 550, 410, 41).covered, 1000);
	});

	it('has nothing of the time in which somebody had paused it', () => {
		const { look, miss } = reading();
		look(0, 1000, 0, 40);
		miss();
		assert.deepEqual(look(9, 1010, 0, 40), nothing);
		assert.deepEqual(look(10, 1040, 600, 45), nothing);
		assert.equal(look(11, 1070, 601, 46).lost, 1);
	});

	it('has a round trip only when there is a new report', () => {
		const { look } = reading();
		look(0, 0, 0);
		assert.deepEqual(look(1, 10, 0, 42).roundTripTimes, [42]);
		assert.deepEqual(look(2, 20, 0, 42).roundTripTimes, []);
	});

	it('has nothing of what was lost before a stream was held, though it is reported when it flows again', () => {
		const { selection, look } = reading();
		look(0, 1000, 0, 40);
		selection.isHeld = true;
		look(1, 1000, 0, 40);
		selection.isHeld = false;
		assert.equal(look(2, 1010, 0, 40).lost, 0);
		assert.deepEqual(look(3, 1040, 600, 45), nothing);
		const read = { packets: 30, lost: 1, bitrate: 240_000, covered: 1000, roundTripTimes: [46] };
		assert.deepEqual(look(4, 1070, 601, 46), read);
	});
});
