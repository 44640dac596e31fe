import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LayeredStream } from '../../src/layers/LayerPolicy.js';
import { LossBasedController, startingStep } from '../../src/layers/LossBasedController.js';

const bitrates = [50_000, 90_000, 150_000, 500_000, 1_500_000];

/** A link that bears so much, and what goes over it: a report every half second, by a clock of its own. */
class Link {
	readonly control = new LossBasedController(1_000_000);
	readonly told: string[] = [];
	streams: LayeredStream[];
	capacity = Infinity;
	/** Of what is lost in any case. */
	loss = 0;
	now = 0;

	constructor(...streams: Partial<LayeredStream>[]) {
		this.streams = streams.map((stream, index) => ({
			id: 'abc'[index]!,
			priority: 1,
			step: bitrates.length - 1,
			fullFrameRateStep: 2,
			bitrates,
			leastBitrates: bitrates,
			...stream,
		}));
	}

	get steps() {
		return this.streams.map(({ step }) => step);
	}

	run(seconds: number): this {
		for (const end = this.now + seconds * 1000; this.now < end;) {
			this.now += 500;
			const bitrate = this.streams.reduce((sum, { step, bitrates }) => sum + (bitrates[step] ?? 0), 0);
			const packets = Math.max(Math.round(bitrate / 8000 / 2), 10);
			const dropped = Math.max(0, 1 - this.capacity / bitrate);
			const lost = Math.round(packets * Math.max(dropped, this.loss));
			const changes = this.control.decide({ at: this.now, packets, lost, bitrate, streams: this.streams });
			this.streams = this.streams.map((stream) => ({ ...stream, step: changes.get(stream.id) ?? stream.step }));
			for (const [id, step] of changes) this.told.push(`${this.now / 1000} ${id} ${step}`);
		}
		return this;
	}
}

describe('On a link without loss', () => {
	it('a stream rises step by step, one in four seconds, and stays at the top', () => {
		const link = new Link({ step: 2 }).run(60);
		assert.deepEqual(link.steps, [4]);
		assert.deepEqual(link.told, ['5 a 3', '10.5 a 4']);
	});

	it('it passes over what is not sent, and ends where nothing more is', () => {
		assert.deepEqual(new Link({ step: 0, bitrates: [50_000, 50_000, 50_000, 500_000, 0] }).run(60).steps, [3]);
		assert.deepEqual(new Link({ step: 2, bitrates: [0, 0, 0, 0, 0] }).run(60).steps, [2]);
	});

	it('what has priority rises first; of equals what has less', () => {
		const byPriority = new Link({ step: 2 }, { step: 3, priority: 9 });
		assert.equal(byPriority.run(5).told[0], '4.5 b 4');
		assert.equal(new Link({ step: 3 }, { step: 2 }).run(5).told[0], '4.5 b 3');
	});
});

describe('When a link narrows', () => {
	it('a stream falls at once to what fits, and tries no more for twenty seconds', () => {
		const link = new Link({}).run(20);
		link.capacity = 400_000;
		link.run(2);
		assert.deepEqual(link.steps, [2]);
		assert.deepEqual(link.told, ['20.5 a 2']);
		link.run(17);
		assert.deepEqual(link.told.length, 1);
	});

	it('each failed attempt is followed by a longer wait, up to four minutes', () => {
		const link = new Link({});
		link.capacity = 400_000;
		link.run(1800);
		const attempts = link.told.filter((line) => line.endsWith('a 3')).map((line) => Number.parseFloat(line));
		const waits = attempts.map((at, index) => at - (attempts[index - 1] ?? 0));
		for (const [index, wait] of waits.entries()) {
			const hold = Math.min(20 * 2 ** index, 240);
			assert.ok(wait >= hold && wait < hold + 8, `attempt ${index} after ${wait} s`);
		}
		assert.ok(attempts.length > 8);
		assert.deepEqual(link.steps, [2]);
	});

	it('and widens, a stream rises again, within the wait', () => {
		const link = new Link({});
		link.capacity = 400_000;
		link.run(10);
		link.capacity = 3_000_000;
		link.run(25);
		assert.deepEqual(link.steps, [4]);
	});

	it('an attempt that succeeds makes the next wait short again', () => {
		const link = new Link({});
		link.capacity = 400_000;
		link.run(120);
		link.capacity = 3_000_000;
		link.run(120);
		assert.deepEqual(link.steps, [4]);
		link.capacity = 400_000;
		link.run(5);
		link.capacity = 3_000_000;
		link.run(35);
		assert.deepEqual(link.steps, [4]);
	});

	it('it does not fall twice for one report', () => {
		const link = new Link({});
		link.loss = 0.11;
		link.run(1.5);
		assert.deepEqual(link.steps, [3]);
	});

	it('what has the least priority falls first, as far as needed; of equals the larger', () => {
		const byPriority = new Link({ priority: 2 }, { priority: 1 }, { priority: 3 });
		byPriority.capacity = 3_600_000;
		assert.deepEqual(byPriority.run(1).steps, [4, 3, 4]);
		const further = new Link({ priority: 2 }, { priority: 1 });
		further.capacity = 700_000;
		assert.deepEqual(further.run(1).steps, [3, 2]);
		const bySize = new Link({ step: 3 }, { step: 4 });
		bySize.capacity = 1_700_000;
		assert.deepEqual(bySize.run(1).steps, [3, 3]);
	});

	it('a stream loses its frame rate last, and only when its lowest resolution does not get through', () => {
		const link = new Link({});
		link.capacity = 20_000;
		link.run(1);
		assert.deepEqual(link.steps, [2]);
		link.run(3);
		assert.deepEqual(link.steps, [0]);
	});

	it('the lowest layers stay, whatever is lost', () => {
		const link = new Link({ step: 0 });
		link.loss = 0.9;
		assert.deepEqual(link.run(300).steps, [0]);
		assert.deepEqual(link.told, []);
	});
});

describe('When a link is overloaded', () => {
	it('a stream falls at once, and what is reported of the time before counts no more', () => {
		const link = new Link({}).run(20);
		const changes = link.control.fall({ at: link.now, throughput: 200_000 }, link.streams);
		assert.deepEqual(changes, new Map([['a', 2]]));
		link.streams = [{ ...link.streams[0]!, step: 2 }];
		link.loss = 0.9;
		link.run(1);
		link.loss = 0;
		link.run(18);
		assert.deepEqual(link.steps, [2], 'nor does it rise for a while');
		assert.deepEqual(link.told, []);
		link.run(25);
		assert.deepEqual(link.steps, [4]);
	});
});

describe('Loss', () => {
	it('from 2 to 10 % changes nothing', () => {
		for (const loss of [0.03, 0.06, 0.1]) {
			const link = new Link({ step: 3 });
			link.loss = loss;
			assert.deepEqual(link.run(120).told, [], String(loss));
		}
	});

	it('below 2 % is none', () => {
		const link = new Link({ step: 3 });
		link.loss = 0.015;
		assert.deepEqual(link.run(10).steps, [4]);
	});

	it('of a few packets says nothing', () => {
		const control = new LossBasedController(1_000_000);
		const streams = [{ id: 'a', priority: 1, step: 2, fullFrameRateStep: 2, bitrates, leastBitrates: bitrates }];
		const decide = (at: number, packets: number, lost: number) =>
			control.decide({ at, packets, lost, bitrate: 150_000, streams }).size;
		assert.equal(decide(500, 5, 1), 0);
		assert.equal(decide(1000, 5, 1), 0);
		assert.equal(decide(1500, 10, 1), 1, 'they are counted together');
	});

	it('that was taken back is none: a packet came late, or twice', () => {
		const control = new LossBasedController(1_000_000);
		const streams = [{ id: 'a', priority: 1, step: 2, fullFrameRateStep: 2, bitrates, leastBitrates: bitrates }];
		assert.equal(control.decide({ at: 500, packets: 50, lost: -20, bitrate: 150_000, streams }).size, 0);
		assert.equal(control.decide({ at: 1000, packets: 50, lost: 10, bitrate: 150_000, streams }).size, 1);
	});

	it('of nobody changes nothing', () => {
		const report = { at: 0, packets: 100, lost: 50, bitrate: 0, streams: [] };
		assert.equal(new LossBasedController(1_000_000).decide(report).size, 0);
	});
});

describe('The beginning', () => {
	it('is the highest step that is known to fit, and full frame rate at least', () => {
		assert.equal(startingStep(bitrates, 2, 1_000_000), 3);
		assert.equal(startingStep(bitrates, 2, 2_000_000), 4);
		assert.equal(startingStep(bitrates, 2, 100), 2);
		assert.equal(startingStep([0, 0, 0, 0, 0], 2, 1_000_000), 2);
		assert.equal(startingStep([0, 0, 0, 500_000, 0], 2, 1_000_000), 3);
	});
});
