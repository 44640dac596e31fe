import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SimulatedLink } from './SimulatedLink.js';

/** When the receivers report, which nobody can choose. */
const allPhases = [
	[0, 300, 600],
	[0, 0, 0],
	[100, 500, 900],
	[200, 450, 0],
];

const narrowedAt = 15;

/** Three videos of 1.5 Mbit/s each on a link that narrows after a while. */
function narrow(
	capacity: number,
	options: ConstructorParameters<typeof SimulatedLink>[0],
	more: Partial<SimulatedLink> = {},
) {
	const link = Object.assign(new SimulatedLink(options), more).run(narrowedAt);
	assert.deepEqual(link.changes, []);
	link.capacity = capacity;
	return link;
}

/** Asserts that the client is told of no video more than once in ten seconds. */
function assertSteady({ told, flows }: SimulatedLink) {
	for (const { id } of flows) {
		const times = told.filter((one) => one.id === id).map(({ at }) => at);
		const short = times.filter((at, index) => at - (times[index - 1] ?? -Infinity) < 10);
		assert.deepEqual(short, [], `${id}: ${JSON.stringify(told)}`);
	}
}

/** The share of the audio that is lost after the first three seconds, which it takes to notice. */
const audioLost = ({ course }: SimulatedLink) => {
	const seconds = course.filter(({ at }) => at > narrowedAt + 3);
	return seconds.reduce((sum, one) => sum + one.audioLost, 0) / seconds.length;
};

const layers = [150_000, 500_000, 1_500_000];

for (const [what, offers, options] of [
	['without layers', 'client', {}],
	['without layers', 'server', { isEstimated: true }],
	['with layers', 'client', { layers }],
] as const) {
	describe(`Three videos ${what} on a link that is too narrow for them, when the ${offers} offers`, () => {
		for (const phases of allPhases) {
			it(`all flow again after six seconds, and no client is told of a short break (${phases.join()})`, () => {
				const link = narrow(1_000_000, { ...options, phases });
				for (const second of link
					.run(6)
					.run(54)
					.course.filter(({ at }) => at > narrowedAt + 6)) {
					assert.ok(!second.steps.includes(0), JSON.stringify(second));
				}
				assert.deepEqual(link.told, []);
				assert.ok(audioLost(link) <= 0.02, `${audioLost(link)} of the audio is lost`);
				const queue = link.longestQueue(150, narrowedAt + 4);
				assert.ok(queue <= 4, `packets wait for ${queue} s`);
			});

			it(`what does not fit is held, and changes no more than once in ten seconds (${phases.join()})`, () => {
				for (const capacity of [250_000, 400_000, 600_000]) {
					const link = narrow(capacity, { ...options, phases }).run(120);
					assertSteady(link);
					assert.ok(audioLost(link) <= 0.02, `${audioLost(link)} of the audio is lost`);
				}
			});
		}
	});
}

describe('Three videos without layers whose senders do not send less', () => {
	for (const isEstimated of [false, true]) {
		it(`do not flicker either, when the ${isEstimated ? 'server' : 'client'} offers`, () => {
			const link = narrow(1_000_000, { isEstimated }, { obeys: false }).run(240);
			assertSteady(link);
			assert.ok(audioLost(link) <= 0.02, `${audioLost(link)} of the audio is lost`);
		});
	}
});

describe('When the link is wide again', () => {
	for (const isEstimated of [false, true]) {
		for (const seconds of [2, 10, 30]) {
			it(`after ${seconds} s, all are back within ten seconds, when the ${isEstimated ? 'server' : 'client'} offers`, () => {
				const link = narrow(500_000, { isEstimated }).run(seconds);
				link.capacity = Infinity;
				assert.ok(!link.run(10.5).course.at(-1)!.steps.includes(0), JSON.stringify(link.changes));
				assertSteady(link);
			});
		}
	}
});
