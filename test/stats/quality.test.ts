import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { longestSilence, QualityLevel, rate, type MeasuredStream, type Quality } from '../../src/stats/quality.js';

const stream = (of: Partial<MeasuredStream> = {}): MeasuredStream => ({
	fractionLost: 0,
	jitter: 5,
	roundTripTime: 40,
	...of,
});
const rated = (...streams: Partial<MeasuredStream>[]) => rate({ silence: 0, streams: streams.map(stream) });

describe('A connection is rated', () => {
	it('excellent without impairments, or with nothing that flows', () => {
		assert.equal(rated({}), 'excellent');
		assert.equal(rated({ roundTripTime: undefined }), 'excellent');
		assert.equal(rated(), 'excellent');
	});

	it('by its losses', () => {
		const losses = [0.01, 0.04, 0.06, 0.08, 0.1, 0.3, 1];
		assert.deepEqual(
			losses.map((fractionLost) => rated({ fractionLost })),
			['excellent', 'excellent', 'good', 'good', 'poor', 'poor', 'poor'],
		);
	});

	it('by its delay and its jitter', () => {
		const roundTrips = [150, 300, 450, 550, 700, 2000];
		assert.deepEqual(
			roundTrips.map((roundTripTime) => rated({ roundTripTime })),
			['excellent', 'excellent', 'excellent', 'good', 'poor', 'poor'],
		);
		assert.equal(rated({ jitter: 150 }), 'good');
		assert.equal(rated({ roundTripTime: 300, fractionLost: 0.05 }), 'good');
	});

	it('by the worst of its streams', () => {
		assert.equal(rated({}, { fractionLost: 0.06 }, {}), 'good');
		assert.equal(rated({ fractionLost: 0.2 }, { fractionLost: 0.06 }), 'poor');
	});

	it('lost when its client is not heard of', () => {
		assert.equal(rate({ silence: longestSilence, streams: [] }), 'excellent');
		assert.equal(rate({ silence: longestSilence + 1, streams: [stream()] }), 'lost');
	});
});

describe('A level of quality', () => {
	const told = (...measured: Quality[]) => {
		const quality = new QualityLevel();
		return measured.map((each) => (quality.add(each) ? quality.level : undefined));
	};
	const [e, g, p, l] = ['excellent', 'good', 'poor', 'lost'] as const;

	it('is the first one that is measured', () => {
		assert.equal(new QualityLevel().level, undefined);
		assert.deepEqual(told(g, g, g), [g, undefined, undefined]);
		assert.deepEqual(told(l, l), [l, undefined]);
	});

	it('falls when two in a row are worse, and rises when three are better', () => {
		assert.deepEqual(told(e, p, p, p), [e, undefined, p, undefined]);
		assert.deepEqual(told(p, e, e, e), [p, undefined, undefined, e]);
	});

	it('goes no further than all of them say', () => {
		assert.deepEqual(told(e, p, g), [e, undefined, g]);
		assert.deepEqual(told(p, e, g, e), [p, undefined, undefined, g]);
	});

	it('does not flicker', () => {
		assert.deepEqual(told(e, g, e, g, e), [e, undefined, undefined, undefined, undefined]);
		assert.deepEqual(told(p, g, g, p, g, g), [p, undefined, undefined, undefined, undefined, undefined]);
	});

	it('is lost at once, and comes back as the others do', () => {
		assert.deepEqual(told(e, l, e, e, e), [e, l, undefined, undefined, e]);
	});
});
