import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeasuredStream, VideoPuller } from '../../src/layers/LayerPolicy.js';
import { LinkReader } from '../../src/layers/LinkReader.js';

/** One stream, as it is at each look: at which second, and how many packets were sent and lost by then. */
function reading() {
	const reader = new LinkReader();
	const selection = { isHeld: false };
	const puller = { selection } as unknown as VideoPuller;
	const look = (at: number, packets: number, lost: number, roundTripTime?: number) => {
		const counters = { at: at * 1000, packets, bytes: packets * 1000, lost, nacked: 0, roundTripTime };
		return reader.read([{ puller, counters } as unknown as MeasuredStream]);
	};
	return { selection, look };
}

describe('What is read of a link', () => {
	it('is what was sent and reported since the look before', () => {
		const { look } = reading();
		assert.deepEqual(look(0, 100, 5, 40), { packets: 0, lost: 0, bitrate: 0, roundTripTimes: [] });
		assert.deepEqual(look(1, 150, 7, 42), { packets: 50, lost: 2, bitrate: 400_000, roundTripTimes: [42] });
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
		assert.deepEqual(look(3, 1040, 600, 45), { packets: 0, lost: 0, bitrate: 0, roundTripTimes: [] });
		assert.deepEqual(look(4, 1070, 601, 46), { packets: 30, lost: 1, bitrate: 240_000, roundTripTimes: [46] });
	});
});
