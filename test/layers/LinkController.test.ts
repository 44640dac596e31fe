import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startingStep, type VideoStream } from '../../src/layers/LayerPolicy.js';
import { LinkController } from '../../src/layers/LinkController.js';

/** Held, three frame rates of the lowest resolution, and two more resolutions. */
const layers = [0, 50_000, 90_000, 150_000, 500_000, 1_500_000];

/** At the lowest frame rate. */
const leastLayers = [0, 50_000, 50_000, 50_000, 200_000, 600_000];

/** One stream of that bitrate, and nothing. */
const single = { isLayered: false, fullFrameRateStep: 1, limit: 1, step: 1, bitrates: [0, 1_500_000] };

function stream(id: string, more: Partial<VideoStream> = {}): VideoStream {
	const made = {
		id,
		priority: 1,
		rank: -1,
		isLayered: true,
		step: 5,
		limit: 5,
		fullFrameRateStep: 3,
		bitrates: layers,
		leastBitrates: leastLayers,
		demanded: Infinity,
		shownFrom: -Infinity,
		...more,
	};
	return { ...made, limit: more.limit ?? made.step, leastBitrates: more.bitrates ?? made.leastBitrates };
}

/**
 * A link, and what goes over it: a look every half second, and a report every second, by a clock of its own. What is too much waits in a queue, and
 * what is too much for the queue is lost.
 */
class Simulation {
	readonly control: LinkController;
	readonly told: string[] = [];
	streams: VideoStream[];
	/** In bit/s. */
	capacity = Infinity;
	/** In ms. */
	longestQueue = 1000;
	/** Of what is lost in any case. */
	loss = 0;
	limit = Infinity;
	/** Whether nothing arrives, neither there nor here. */
	isCut = false;
	/** Whether mediasoup sends nothing of what it may, as long as it chooses. */
	isStarved = false;
	estimate: number | undefined;
	/** Whether the senders send less when asked. */
	obeys = true;
	now = 0;
	delay = 0;
	longestDelay = 0;
	/** The seconds in which all streams flowed. */
	flowing = 0;
	/** What has not been reported yet. */
	#unreported = { packets: 0, lost: 0, since: 0 };

	constructor(streams: VideoStream[], { isEstimated = false } = {}) {
		this.control = new LinkController({ isEstimated, initialBitrate: 1_000_000 });
		this.streams = streams;
	}

	get steps() {
		return this.streams.map(({ step }) => step);
	}

	get bitrate() {
		if (this.isStarved && this.control.isLeftToWorker) return 0;
		return this.streams.reduce((sum, { step, bitrates }) => sum + (bitrates[step] ?? 0), 0);
	}

	run(seconds: number): this {
		for (const end = this.now + seconds * 1000; this.now < end;) {
			this.now += 500;
			const { bitrate } = this;
			const packets = Math.round(bitrate / 8000 / 2);
			const queue = this.delay + (bitrate / this.capacity - 1) * 500;
			this.delay = Math.min(Math.max(queue, 0), this.longestQueue);
			this.longestDelay = Math.max(this.longestDelay, this.delay);
			const dropped = Math.max(0, queue - this.longestQueue) / 500 / Math.max(bitrate / this.capacity, 1);
			const unreported = this.#unreported;
			unreported.packets += packets;
			unreported.lost += packets * (this.isCut ? 1 : Math.max(Math.min(dropped, 1), this.loss));
			const { now: at, limit, estimate, streams } = this;
			const isReported = !this.isCut && bitrate > 0 && at % 1000 === 0;
			const report = {
				at,
				bitrate,
				limit,
				estimate,
				streams,
				packets: isReported ? unreported.packets : 0,
				lost: isReported ? Math.round(unreported.lost) : 0,
				covered: isReported ? at - unreported.since : undefined,
				roundTripTimes: isReported ? [40 + this.delay] : [],
			};
			if (isReported || bitrate === 0) this.#unreported = { packets: 0, lost: 0, since: at };
			const fed = this.control.feed(report, streams);
			const changes = fed.size > 0 ? fed : this.control.decide(report);
			this.streams = this.streams.map((one) => {
				// Only mediasoup sends less than it may.
				const step = changes.get(one.id) ?? (this.control.isLeftToWorker ? one.step : one.limit);
				const demand = this.control.demandOf(one.id) ?? Infinity;
				const [, sent = 0] = single.bitrates;
				// A sender follows within a second or so.
				const follows = !one.isLayered && this.obeys;
				const target = follows ? Math.min(demand, sent) : sent;
				const before = one.bitrates[1] ?? 0;
				const bitrates = one.isLayered ? one.bitrates : [0, target < before ? (target + before) / 2 : target];
				return {
					...one,
					step,
					limit: changes.get(one.id) ?? one.limit,
					bitrates,
					demanded: follows ? demand : Infinity,
				};
			});
			if (!this.steps.includes(0)) this.flowing += 0.5;
			for (const [id, step] of changes) this.told.push(`${this.now / 1000} ${id} ${step}`);
		}
		return this;
	}
}

const simulate = (...streams: Partial<VideoStream>[]) =>
	new Simulation(streams.map((more, index) => stream('abc'[index]!, more)));

describe('On a link without loss and delay', () => {
	it('a stream rises step by step, and stays at the top', () => {
		const link = simulate({ step: 3 }).run(60);
		assert.deepEqual(link.steps, [5]);
		assert.equal(link.told.length, 2);
	});

	it('it passes over what is not sent, and ends where nothing more is', () => {
		assert.deepEqual(simulate({ step: 1, bitrates: [0, 50_000, 50_000, 50_000, 500_000, 0] }).run(60).steps, [4]);
		assert.deepEqual(simulate({ step: 3, bitrates: [0, 0, 0, 0, 0, 0] }).run(60).steps, [3]);
	});

	it('what has priority rises first; then the more important source; of equals what has less', () => {
		const first = (...streams: Partial<VideoStream>[]) =>
			simulate(...streams)
				.run(5)
				.told[0]?.split(' ')
				.slice(1);
		assert.deepEqual(first({ step: 3 }, { step: 4, priority: 9 }), ['b', '5']);
		assert.deepEqual(first({ step: 3 }, { step: 4, rank: 1 }), ['b', '5']);
		assert.deepEqual(first({ step: 4 }, { step: 3 }), ['b', '4']);
	});
});

describe('A link on which all flows in full', () => {
	for (const [what, more] of [
		['with layers', {}],
		['without layers', single],
	] as const) {
		it(`is quiet after some seconds, ${what}, until there is trouble`, () => {
			const link = simulate(more).run(3);
			assert.equal(link.control.isQuiet, false);
			assert.equal(link.run(10).control.isQuiet, true);
			link.capacity = 500_000;
			assert.equal(link.run(2).control.isQuiet, false);
			assert.equal(link.run(20).control.isQuiet, false, 'it does not flow in full');
		});
	}
});

describe('When a link narrows', () => {
	for (const longestQueue of [100, 300, 1000]) {
		it(`with a queue of ${longestQueue} ms, a stream falls to what fits within three seconds`, () => {
			const link = simulate({}).run(20);
			Object.assign(link, { capacity: 400_000, longestQueue });
			link.run(3);
			assert.deepEqual(link.steps, [3]);
		});
	}

	it('several streams fall, and the queue is gone after three more seconds', () => {
		const link = simulate({}, {}, {}).run(20);
		link.capacity = 1_000_000;
		link.run(6.5);
		assert.ok(link.bitrate <= 1_000_000, `${link.bitrate} bit/s`);
		assert.ok(link.delay < 100, `${link.delay} ms`);
	});

	it('the first step up comes within eight seconds after a fall below what fits', () => {
		const link = simulate({}, {}, {}).run(20);
		link.capacity = 1_000_000;
		link.run(30);
		const falls = link.told.map((line) => line.split(' ').map(Number));
		const fell = falls[0]![0]!;
		const rose = link.told.map((line) => Number.parseFloat(line)).find((at) => at > fell + 3);
		assert.ok(rose !== undefined && rose - fell <= 11, link.told.join());
	});

	it('each failed attempt is followed by a longer wait', () => {
		const link = simulate({});
		link.capacity = 400_000;
		link.run(1800);
		const attempts = link.told.filter((line) => line.endsWith('a 4')).map((line) => Number.parseFloat(line));
		const waits = attempts.slice(1).map((at, index) => at - attempts[index]!);
		assert.ok(attempts.length > 3 && attempts.length < 30, `${attempts.length} attempts`);
		assert.ok(waits.at(-1)! > 60, waits.join());
	});

	it('and widens, a stream rises again', () => {
		const link = simulate({});
		link.capacity = 400_000;
		link.run(10);
		link.capacity = 3_000_000;
		assert.deepEqual(link.run(40).steps, [5]);
	});

	it('what has the least priority falls first, as far as needed; then the less important source; of equals the larger', () => {
		const fallen = (throughput: number, ...streams: Partial<VideoStream>[]) => {
			const { control, streams: all } = simulate(...streams);
			const changes = control.fall({ at: 0, throughput, passed: throughput, share: 1 }, all);
			return all.map(({ id, step }) => changes.get(id) ?? step);
		};
		assert.deepEqual(fallen(3_600_000, { priority: 2 }, { priority: 1 }, { priority: 3 }), [5, 4, 5]);
		assert.deepEqual(fallen(700_000, { priority: 2 }, { priority: 1 }), [4, 3]);
		assert.deepEqual(fallen(1_700_000, { ...single, rank: 1 }, single), [1, 0], 'a screen share stays');
		assert.deepEqual(fallen(1_700_000, { step: 4 }, { step: 5 }), [4, 4]);
	});

	it('a stream loses its frame rate last, and is held when nothing of it gets through', () => {
		const link = simulate({ step: 3 });
		link.capacity = 20_000;
		link.run(10);
		assert.deepEqual(link.steps, [0]);
	});
});

describe('Random loss', () => {
	for (const loss of [0.08, 0.1, 0.11, 0.15, 0.2, 0.3]) {
		it(`of ${Math.round(loss * 100)} % lowers no stream for long, and never its frame rate`, () => {
			const link = simulate({}).run(10);
			link.loss = loss;
			link.run(20);
			assert.deepEqual(link.steps, [5], link.told.join());
			const lowest = Math.min(...link.told.map((line) => Number(line.split(' ')[2])), 5);
			assert.ok(lowest >= 3, link.told.join());
			const { length } = link.told;
			assert.equal(link.run(120).told.length, length, 'it does not fall again for the same loss');
		});
	}

	it('with an estimate is not taken for a full link by mediasoup either', () => {
		const link = new Simulation([stream('a')], { isEstimated: true });
		link.estimate = 2_000_000;
		link.run(10);
		const least = () => link.control.leastEstimate;
		assert.equal(least(), 0);
		link.loss = 0.2;
		link.run(1);
		// mediasoup lowers the layers by its estimate.
		link.streams = [{ ...link.streams[0]!, step: 3 }];
		link.estimate = 300_000;
		link.run(10);
		assert.deepEqual([link.steps, link.control.isLeftToWorker], [[5], false]);
		assert.ok(least() > 1_500_000);
		Object.assign(link, { loss: 0, estimate: 2_500_000 });
		link.run(40);
		assert.deepEqual([link.steps, least(), link.control.isLeftToWorker], [[5], 0, true]);
	});

	it('of a video without layers changes nothing', () => {
		const link = simulate(single).run(10);
		link.loss = 0.2;
		assert.deepEqual(link.run(60).told, []);
		assert.ok([undefined, Infinity].includes(link.control.demandOf('a')));
	});

	it('that was taken back is none: a packet came late, or twice', () => {
		const { control, streams } = simulate({ step: 4 });
		const decide = (at: number, lost: number) =>
			control.decide({
				...{ at, lost, streams, packets: 50, bitrate: 150_000, limit: Infinity, estimate: undefined },
				covered: 1000,
				roundTripTimes: [],
			});
		assert.equal(decide(500, -20).size, 0);
		assert.equal(decide(1000, 10).size, 1);
	});

	it('of nobody changes nothing', () => {
		const { control } = simulate();
		const link = { covered: 1000, bitrate: 0, limit: Infinity, estimate: undefined };
		assert.equal(control.decide({ ...link, at: 0, packets: 100, lost: 50, streams: [], roundTripTimes: [] }).size, 0);
	});
});

describe('A video without layers on a link that is too narrow', () => {
	it('is held, and comes back as soon as its sender sends less', () => {
		const link = simulate(single).run(10);
		link.capacity = 500_000;
		link.run(60);
		assert.deepEqual(link.steps, [1]);
		assert.ok(link.bitrate < 600_000 && link.bitrate > 200_000, `${link.bitrate} bit/s`);
		assert.ok(link.flowing > 55, `flowed for ${link.flowing} of 70 s`);
		assert.ok(link.told.length <= 8, link.told.join());
	});

	it('is asked for in full again when the link is wide', () => {
		const link = simulate(single).run(10);
		link.capacity = 500_000;
		link.run(30);
		link.capacity = Infinity;
		link.run(60);
		assert.deepEqual([link.steps, link.bitrate, link.control.demandOf('a')], [[1], 1_500_000, Infinity]);
	});

	it('is held for longer and longer if its sender does not send less', () => {
		const link = simulate(single).run(10);
		Object.assign(link, { capacity: 500_000, obeys: false });
		link.run(300);
		const times = link.told.map((line) => Number.parseFloat(line));
		assert.ok(times.length < 24, `${times.length} changes in 300 s`);
		assert.ok(link.flowing < 60, `flowed for ${link.flowing} s`);
	});

	it('shares it with others', () => {
		const link = simulate(single, single, single).run(10);
		link.capacity = 1_000_000;
		link.run(60);
		assert.ok(link.bitrate < 1_200_000 && link.bitrate > 300_000, `${link.bitrate} bit/s`);
		assert.ok(link.steps.filter((step) => step === 1).length >= 2, link.steps.join());
	});
});

describe('A receiver that was cut off', () => {
	for (const [what, more] of [
		['with layers', {}],
		['without layers', single],
	] as const) {
		for (const seconds of [3, 5, 10, 60]) {
			it(`for ${seconds} s gets its video ${what} back within seven seconds, whatever is reported as lost`, () => {
				const link = simulate(more).run(20);
				const { steps } = link;
				link.isCut = true;
				link.run(seconds);
				link.isCut = false;
				assert.deepEqual(link.run(7).steps, steps, link.told.join());
			});
		}
	}

	it('by a link that bears nothing for a while is shown its video again', () => {
		const link = simulate(single).run(20);
		link.capacity = 1;
		link.run(20);
		assert.match(link.told[0] ?? '', / a 0$/);
		link.capacity = Infinity;
		assert.deepEqual(link.run(60).steps, [1], link.told.join());
	});
});

describe('Video of which mediasoup sends nothing', () => {
	const starved = (more: Partial<VideoStream> = {}) => {
		const link = new Simulation([stream('a'), stream('b', more)], { isEstimated: true });
		Object.assign(link, { estimate: 52_000, isStarved: true });
		return link.run(3);
	};

	it('is sent after some seconds, the most important first, until the estimate knows better', () => {
		const link = starved({ rank: 1 }).run(1);
		assert.deepEqual([link.steps, link.control.isLeftToWorker], [[0, 3], false]);
		assert.ok(link.control.leastEstimate >= 150_000 && link.control.leastEstimate < 250_000);
		Object.assign(link, { estimate: 5_000_000, isStarved: false });
		assert.deepEqual([link.run(40).steps, link.control.isLeftToWorker, link.control.leastEstimate], [[5, 5], true, 0]);
	});

	it('falls again if the link does not bear it', () => {
		const link = starved().run(1);
		link.capacity = 30_000;
		link.run(9);
		assert.deepEqual(link.steps, [0, 0], link.told.join());
	});

	it('is left alone as long as its source sends nothing', () => {
		const nothing = [0, 0, 0, 0, 0, 0];
		const link = new Simulation([stream('a', { bitrates: nothing })], { isEstimated: true });
		assert.deepEqual([link.run(20).told, link.control.isLeftToWorker], [[], true]);
	});
});

describe('A limit', () => {
	it('bounds what is sent, without any loss', () => {
		const link = simulate({}, {});
		link.limit = 700_000;
		link.run(60);
		assert.ok(link.bitrate <= 770_000, `${link.bitrate} bit/s`);
		assert.deepEqual(link.steps.toSorted(), [3, 4]);
	});

	it('bounds a video without layers, whose sender is asked for no more', () => {
		const link = simulate(single);
		link.limit = 700_000;
		link.run(60);
		assert.deepEqual(link.steps, [1]);
		assert.ok(link.bitrate <= 770_000 && link.bitrate > 300_000, `${link.bitrate} bit/s`);
	});

	it('says nothing of the link: what it leaves flows at once when it is widened, and all when it is gone', () => {
		for (const streams of [single, {}]) {
			const link = simulate(streams);
			const all = link.bitrate;
			link.limit = 300_000;
			link.run(20);
			assert.ok(link.bitrate <= 330_000, `${link.bitrate} bit/s`);
			link.limit = 700_000;
			link.run(5);
			assert.ok(link.bitrate <= 770_000 && link.bitrate >= 500_000, `${link.bitrate} bit/s`);
			link.limit = Infinity;
			link.run(8);
			assert.equal(link.bitrate, all);
		}
	});

	it('that leaves nothing for a moment bounds what is sent all the same', () => {
		for (const nothing of [0, -100_000]) {
			const link = simulate(single);
			link.limit = nothing;
			link.run(3);
			link.limit = 400_000;
			for (let second = 0; second < 20; second++) {
				link.run(1);
				const demand = link.control.demandOf('a')!;
				assert.ok(demand > 0 && demand <= 440_000, `${demand} bit/s are asked for`);
			}
			assert.ok(link.bitrate > 200_000 && link.bitrate <= 440_000, `${link.bitrate} bit/s`);
		}
	});

	it('that is gone leaves what the link itself does not bear', () => {
		const link = simulate(single);
		link.limit = 1_000_000;
		link.run(10);
		link.capacity = 500_000;
		link.run(20);
		link.limit = Infinity;
		link.run(8);
		assert.ok(link.bitrate <= 600_000, `${link.bitrate} bit/s`);
	});
});

describe('A stream with an estimate that is held back', () => {
	const held = (estimate: number | undefined) => {
		const link = new Simulation([stream('a')], { isEstimated: true });
		link.estimate = estimate;
		link.run(5);
		const changes = link.control.fall({ at: link.now, throughput: 1, passed: 1, share: 1 }, link.streams);
		link.streams = [stream('a', { step: changes.get('a')! })];
		return link;
	};

	it('falls not below its full frame rate at once, and rises step by step', () => {
		const link = held(10_000_000);
		assert.deepEqual(link.steps, [3]);
		link.run(60);
		assert.deepEqual([link.told.map((line) => line.slice(-1)), link.steps], [['4', '5'], [5]]);
	});

	it('rises no further than the estimate allows at the lowest frame rate', () => {
		assert.deepEqual(held(199_999).run(60).steps, [3]);
		assert.deepEqual(held(300_000).run(60).steps, [4]);
	});
});

describe('The beginning', () => {
	it('is the highest step that is known to fit, and full frame rate at least', () => {
		assert.equal(startingStep(layers, 3, 1_000_000), 4);
		assert.equal(startingStep(layers, 3, 2_000_000), 5);
		assert.equal(startingStep(layers, 3, 100), 3);
		assert.equal(startingStep([0, 0, 0, 0, 0, 0], 3, 1_000_000), 3);
	});

	it('expects of a resolution that is not sent yet that it takes three times as much', () => {
		const lowest = [0, 50_000, 75_000, 100_000, 0, 0];
		assert.equal(startingStep(lowest, 3, 1_000_000), 5);
		assert.equal(startingStep(lowest, 3, 500_000), 4);
		assert.equal(startingStep(lowest, 3, 200_000), 3);
	});
});
