import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { Downlink } from '../../src/layers/Downlink.js';
import type { LayerPolicy, Link, MeasuredStream, StepChanges } from '../../src/layers/LayerPolicy.js';
import { recorder, turns, until } from '../media/setup.js';
import { FakePuller } from './FakePuller.js';

/** A policy that does as it is told. */
function fakePolicy({
	look = {},
	fall = {},
	demand,
	isLeftToWorker = false,
}: {
	look?: Record<string, number>;
	fall?: Record<string, number>;
	demand?: number;
	isLeftToWorker?: boolean;
} = {}) {
	const looks: MeasuredStream[][] = [];
	const limits: number[] = [];
	const policy = {
		look: (streams: readonly MeasuredStream[], { limit }: { limit: number }): StepChanges | Promise<StepChanges> => {
			looks.push([...streams]);
			limits.push(limit);
			return new Map(Object.entries(look));
		},
		fall: () => new Map(Object.entries(fall)),
		demandOf: () => demand,
		forget: () => undefined,
		leastEstimate: 0,
		isQuiet: false,
		isLeftToWorker,
	};
	return { policy, looks, limits };
}

/** A link without an estimate and without a limit. */
const plainLink: Link = {
	isEstimated: false,
	limit: 0,
	measure: () => Promise.resolve({ bitrate: 0, estimate: undefined }),
	setLeastEstimate: () => Promise.resolve(),
};

function start(t: TestContext, policy: LayerPolicy, ids = ['a'], options: { isRelieved?: boolean; link?: Link } = {}) {
	const { logger, messages } = recorder();
	const link = new Downlink({ link: plainLink, policy, logger, ...options });
	const pullers = ids.map((id) => new FakePuller(id));
	for (const puller of pullers) link.add(puller);
	t.after(() => {
		for (const puller of pullers) link.delete(puller);
	});
	return { link, messages, pullers, first: pullers[0]! };
}

const overload = (puller: FakePuller) => {
	puller.isOverloaded = true;
	puller.nack();
};

describe('A downlink', () => {
	it('watches NACKs and requests for keyframes of each puller, until it is removed', (t) => {
		const { link, first } = start(t, fakePolicy().policy);
		assert.deepEqual(first.told, ['keyframes watched', 'traces nack']);
		assert.equal(link.isEmpty, false);
		link.delete(first);
		assert.deepEqual(first.told.slice(2), ['keyframes unwatched', 'traces ']);
		assert.equal(link.isEmpty, true);
		link.delete(first);
		assert.equal(first.told.length, 4, 'nothing is ended twice');
	});

	it('watches nothing when overloads are not to be relieved', async (t) => {
		const { first } = start(t, fakePolicy({ fall: { a: 1 } }).policy, ['a'], { isRelieved: false });
		overload(first);
		await sleep(150);
		assert.deepEqual(first.told, []);
	});

	it('hears no NACKs while they are counted, neither of a puller that is added then', async (t) => {
		const { link, first } = start(t, fakePolicy().policy);
		first.nack();
		first.nack();
		assert.deepEqual(first.only('traces'), ['traces nack', 'traces ']);
		const second = new FakePuller('b');
		link.add(second);
		t.after(() => {
			link.delete(second);
		});
		assert.deepEqual(second.only('traces'), []);
		await until(() => first.only('traces').length === 3, 'NACKs are heard again');
		assert.deepEqual(second.only('traces'), ['traces nack']);
	});

	it('measures all that flows, and not what is paused or removed meanwhile', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link, pullers } = start(t, policy, ['a', 'b', 'c', 'd', 'e']);
		pullers[1]!.paused = true;
		pullers[2]!.producerPaused = true;
		pullers[3]!.interrupt = () => {
			link.delete(pullers[3]!);
		};
		pullers[4]!.interrupt = () => {
			pullers[4]!.paused = true;
		};
		await link.look();
		assert.deepEqual(
			looks[0]!.map(({ puller: { connectionId }, counters, ...stream }) => ({
				...stream,
				connectionId,
				packets: counters?.packets,
			})),
			[
				{
					id: 'a',
					priority: 1,
					rank: -1,
					isLayered: true,
					step: 3,
					limit: 3,
					fullFrameRateStep: 1,
					bitrates: [0, 100_000, 500_000, 1_500_000],
					leastBitrates: [0, 100_000, 500_000, 1_500_000],
					demanded: Infinity,
					shownFrom: -Infinity,
					connectionId: 'connection',
					packets: 6,
				},
			],
		);
	});

	it('passes over a connection that is cut, and does not look when all of them are', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link, pullers } = start(t, policy, ['a', 'b']);
		pullers[0]!.isCut = true;
		await link.look();
		assert.deepEqual(
			looks[0]!.map(({ id }) => id),
			['b'],
		);
		pullers[1]!.isCut = true;
		await link.look();
		assert.equal(looks.length, 1);
	});

	it('measures the steps as they are when the measurement is done', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link, first } = start(t, policy);
		first.interrupt = () => {
			first.selection.preferred = { spatialLayer: 1, temporalLayer: 0 };
		};
		await link.look();
		assert.deepEqual([looks[0]![0]!.step, looks[0]![0]!.bitrates], [2, [0, 100_000, 500_000]]);
	});
});

describe('Changes that are applied to a downlink', () => {
	it('are all set at once, and those of no other puller are', async (t) => {
		const { link, pullers } = start(t, fakePolicy().policy, ['a', 'b', 'c']);
		const applied = link.apply(
			new Map([
				['a', 1],
				['c', 2],
				['gone', 2],
			]),
		);
		assert.deepEqual(
			pullers.map(({ selection }) => selection.step),
			[1, 3, 2],
		);
		await applied;
		assert.deepEqual(
			pullers.map((puller) => puller.only('layer')),
			[['layer 0'], [], ['layer 1']],
		);
	});

	it('go on when those of one puller fail, which may be tried again', async (t) => {
		const { link, pullers, messages } = start(t, fakePolicy().policy, ['a', 'b']);
		pullers[0]!.interrupt = () => Promise.reject(new Error('no'));
		const changes: StepChanges = new Map([
			['a', 1],
			['b', 1],
		]);
		await link.apply(changes);
		assert.deepEqual(messages, ['layers were not changed']);
		assert.deepEqual(pullers[1]!.only('layer'), ['layer 0']);
		pullers[0]!.interrupt = () => undefined;
		await link.apply(changes);
		assert.deepEqual(pullers[0]!.only('layer'), ['layer 0']);
	});
});

describe('A look at a downlink', () => {
	it('applies what its policy chooses', async (t) => {
		const { link, pullers } = start(t, fakePolicy({ look: { b: 2 } }).policy, ['a', 'b']);
		await link.look();
		assert.deepEqual([pullers[0]!.only('layer'), pullers[1]!.only('layer')], [[], ['layer 1']]);
	});

	it('logs what fails, and the next one goes on', async (t) => {
		const { policy } = fakePolicy();
		const { link, first, messages } = start(t, policy);
		policy.look = () => Promise.reject(new Error('no'));
		await link.look();
		assert.deepEqual(messages, ['layers could not be chosen']);
		policy.look = () => new Map([['a', 2]]);
		await link.look();
		assert.deepEqual(first.only('layer'), ['layer 1']);
	});

	it('passes over a source that has gone, and counts what was not sent as nothing', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link, first } = start(t, policy);
		first.interrupt = (step) => (step === 'getStats' ? Promise.reject(new Error('closed')) : undefined);
		await link.look();
		assert.equal(looks[0]![0]!.counters, undefined);
		first.interrupt = (step) => (step === 'source.getStats' ? Promise.reject(new Error('closed')) : undefined);
		await link.look();
		assert.deepEqual(looks[1], []);
	});

	for (const step of ['source.getStats', 'getStats', 'setPreferredLayers', 'estimate']) {
		it(`ends quietly when its puller is removed during ${step}`, async (t) => {
			const interrupt = async (name: string) => {
				if (name !== step) return;
				link.delete(first);
				first.closed = true;
				return Promise.reject(new Error('closed'));
			};
			const measure = async () => {
				await interrupt('estimate');
				return { bitrate: 0, estimate: 0 };
			};
			const { link, first, messages } = start(t, fakePolicy({ look: { a: 2 } }).policy, ['a'], {
				link: { ...plainLink, isEstimated: true, measure },
			});
			first.interrupt = interrupt;
			await link.look();
			assert.equal(first.closed, true);
			assert.deepEqual([first.only('layer'), messages], [[], []]);
		});
	}
});

describe('When a downlink is overloaded', () => {
	it('what has to fall stops, and starts again on lower layers; all else flows on', async (t) => {
		const { pullers, messages } = start(t, fakePolicy({ fall: { a: 1 } }).policy, ['a', 'b']);
		const [first, second] = [pullers[0]!, pullers[1]!];
		overload(first);
		await until(() => first.told.includes('released'), 'it is relieved');
		assert.deepEqual(first.only('suspended', 'layer', 'released'), ['suspended', 'layer 0', 'released']);
		assert.equal(first.selection.step, 1);
		assert.deepEqual(second.only('suspended', 'layer', 'released'), []);
		assert.deepEqual(messages, []);
	});

	it('it stops until the pusher would take another request for a keyframe', async (t) => {
		const { first } = start(t, fakePolicy({ fall: { a: 1 } }).policy);
		let heldAt = 0;
		first.interrupt = (step) => {
			if (step !== 'setPreferredLayers') return;
			heldAt = performance.now();
			first.requestKeyframe();
		};
		overload(first);
		await until(() => first.told.includes('released'), 'it flows again');
		const held = performance.now() - heldAt;
		assert.ok(held > 300 && held < 600, `held for ${held} ms`);
	});

	it('nothing happens for a while after a step up, whose keyframe may be too much', async (t) => {
		const { first } = start(t, fakePolicy({ fall: { a: 1 } }).policy);
		first.sendLayer(1);
		overload(first);
		await sleep(400);
		assert.deepEqual(first.only('suspended'), []);
		await until(() => first.told.includes('released'), 'it is relieved later');
	});

	it('it is not relieved twice for what was sent before', async (t) => {
		const { first } = start(t, fakePolicy({ fall: { a: 1 } }).policy);
		overload(first);
		await until(() => first.told.includes('released'), 'it is relieved');
		overload(first);
		await sleep(500);
		assert.deepEqual(first.only('suspended'), ['suspended']);
	});

	it('what a look had measured before counts no more', async (t) => {
		const { policy, looks } = fakePolicy({ look: { a: 3 }, fall: { a: 1 } });
		const { link, first } = start(t, policy);
		let measured: () => void = () => undefined;
		first.interrupt = (step) => {
			if (step !== 'source.getStats') return undefined;
			first.interrupt = () => undefined;
			return new Promise<void>((resolve) => (measured = resolve));
		};
		const looking = link.look();
		overload(first);
		await until(() => first.told.includes('released'), 'it is relieved');
		measured();
		await looking;
		assert.deepEqual([first.selection.step, looks], [1, []]);
	});

	for (const step of ['suspend', 'setPreferredLayers', 'release']) {
		it(`the others go on when ${step} fails for one`, async (t) => {
			const { pullers, messages } = start(t, fakePolicy({ fall: { a: 1, b: 1 } }).policy, ['a', 'b']);
			const [first, second] = [pullers[0]!, pullers[1]!];
			first.interrupt = (name) => (name === step ? Promise.reject(new Error('no')) : undefined);
			overload(first);
			await until(() => first.told.includes('released') && second.told.includes('released'), 'both flow again');
			await turns(3);
			assert.deepEqual(second.only('suspended', 'layer', 'released'), ['suspended', 'layer 0', 'released']);
			assert.deepEqual(messages, ['layers were not changed']);
			await until(() => first.only('traces').length === 3, 'NACKs are heard again');
		});

		it(`it ends quietly when a puller is removed during ${step}`, async (t) => {
			const { link, first, messages } = start(t, fakePolicy({ fall: { a: 1 } }).policy);
			first.interrupt = (name) => {
				if (name !== step) return;
				link.delete(first);
				first.closed = true;
			};
			overload(first);
			await until(() => first.told.includes('released'), 'it is not held for good');
			await sleep(50);
			assert.deepEqual([first.only('traces').at(-1), messages], ['traces ', []]);
		});
	}

	for (const failing of ['fall', 'getStats', 'source.getStats']) {
		it(`NACKs are heard again when ${failing} fails`, async (t) => {
			const { policy } = fakePolicy({ fall: { a: 1 } });
			const fail = () => {
				throw new Error('no');
			};
			if (failing === 'fall') policy.fall = fail;
			const { first, messages } = start(t, policy);
			first.interrupt = async (step) => Promise.resolve(step === failing && first.isOverloaded ? fail() : undefined);
			overload(first);
			await sleep(200);
			first.isOverloaded = false;
			await until(() => first.only('traces').at(-1) === 'traces nack', 'NACKs are heard again');
			assert.deepEqual(messages, failing === 'fall' ? ['an overloaded link was not relieved'] : []);
		});
	}
});

describe('A stream that the link does not bear', () => {
	it('is stopped, measured all the same, and begins again with the layers that are chosen then', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link, first } = start(t, policy);
		await link.apply(new Map([['a', 0]]));
		assert.deepEqual([first.only('suspended', 'layer'), first.selection.isHeld], [['suspended'], true]);
		await link.look();
		assert.deepEqual([looks[0]![0]!.step, looks[0]![0]!.shownFrom], [0, -Infinity]);
		await link.apply(new Map([['a', 1]]));
		assert.deepEqual(first.only('suspended', 'released', 'layer'), ['suspended', 'layer 0', 'released']);
		assert.deepEqual([first.selection.isHeld, first.only('held', 'resumed')], [false, []], 'nobody is told');
	});

	it('is told to be held after a while, and is not to come back at once then', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link, first } = start(t, policy);
		const before = performance.now();
		await link.apply(new Map([['a', 0]]));
		while (first.only('held').length === 0) {
			assert.ok(performance.now() - before < 20_000);
			await sleep(100);
			await link.look();
		}
		const told = performance.now() - before;
		assert.ok(told >= 4000, `told after ${told} ms`);
		await link.look();
		assert.ok(looks.at(-1)![0]!.shownFrom > performance.now());
		await link.apply(new Map([['a', 1]]));
		assert.deepEqual(first.only('held', 'resumed', 'released'), ['held', 'resumed', 'released']);
	});

	it('stays stopped when the layers before had just begun again', async (t) => {
		const { policy } = fakePolicy({ fall: { a: 1 } });
		const { link, first } = start(t, policy);
		first.interrupt = async (step) => {
			if (step !== 'setPreferredLayers') return;
			first.interrupt = () => undefined;
			await link.apply(new Map([['a', 0]]));
		};
		overload(first);
		await until(() => first.only('suspended').length >= 3, 'it is stopped again');
		assert.deepEqual(first.only('released'), []);
	});

	it('is held no longer when somebody else has paused it, and is not measured', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link, first } = start(t, policy);
		await link.apply(new Map([['a', 0]]));
		first.isPausedByOthers = true;
		await link.look();
		assert.deepEqual([looks, first.only('suspended', 'released')], [[[]], ['suspended', 'released']]);
	});
});

describe('A stream without layers', () => {
	it('is demanded of its source as the policy says, until it is removed or paused', async (t) => {
		const { link, first } = start(t, fakePolicy({ demand: 300_000 }).policy, []);
		assert.equal(first, undefined);
		const puller = new FakePuller('a', 0);
		link.add(puller);
		await link.look();
		assert.equal(puller.source.demand.bitrate, 300_000);
		puller.isPausedByOthers = true;
		await link.look();
		assert.equal(puller.source.demand.bitrate, Infinity);
		puller.isPausedByOthers = false;
		await link.look();
		link.delete(puller);
		assert.equal(puller.source.demand.bitrate, Infinity);
	});

	it('has two steps: all of it, and nothing', async (t) => {
		const { policy, looks } = fakePolicy();
		const { link } = start(t, policy, []);
		const puller = new FakePuller('a', 0);
		link.add(puller);
		await link.look();
		const { step, fullFrameRateStep, bitrates, isLayered } = looks[0]![0]!;
		assert.deepEqual([step, fullFrameRateStep, bitrates, isLayered], [1, 1, [0, 2_100_000], false]);
		assert.deepEqual(puller.only('layer'), []);
	});
});

describe('A downlink with a limit', () => {
	it('leaves to video what nothing else takes', async (t) => {
		const { policy, limits } = fakePolicy();
		const measure = () => Promise.resolve({ bitrate: 1_540_000, estimate: undefined });
		const { link } = start(t, policy, ['a'], { link: { ...plainLink, limit: 1_000_000, measure } });
		await link.look();
		assert.deepEqual(limits, [960_000]);
	});

	it('is not limited without one', async (t) => {
		const { policy, limits } = fakePolicy();
		await start(t, policy).link.look();
		assert.deepEqual(limits, [Infinity]);
	});
});

describe('A downlink with an estimate', () => {
	it('tells the worker the least that it may estimate, once for each change', async (t) => {
		const { policy } = fakePolicy();
		const told: number[] = [];
		const setLeastEstimate = (bitrate: number) => Promise.resolve(void told.push(bitrate));
		const { link } = start(t, policy, ['a'], { link: { ...plainLink, isEstimated: true, setLeastEstimate } });
		await link.look();
		policy.leastEstimate = 700_000;
		await link.look();
		await link.look();
		policy.leastEstimate = 0;
		await link.look();
		assert.deepEqual(told, [700_000, 0]);
	});

	it('counts the layers that the worker has chosen, and lifts its own limit while nothing is held back', async (t) => {
		const { policy, looks } = fakePolicy({ isLeftToWorker: true });
		const { link, first } = start(t, policy);
		first.sendLayer(1);
		await link.look();
		assert.deepEqual([looks[0]![0]!.step, looks[0]![0]!.limit], [2, 3]);
		first.selection.allowed = { spatialLayer: 0, temporalLayer: 0 };
		first.selection.allowed = { spatialLayer: 2, temporalLayer: 0 };
		assert.equal(first.selection.step, 3);
	});
});
