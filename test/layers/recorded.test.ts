import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { LinkController } from '../../src/layers/LinkController.js';

interface Recorded {
	/** In ms. */
	at: number;
	packets: number;
	lost: number;
	covered?: number;
	roundTripTimes: number[];
	bitrate: number;
	step: number;
	bitrates: number[];
}

/** Feeds a controller with what receivers reported in a run of bench/networks. @returns its changes, in seconds */
function replay(name: string) {
	const file = new URL(`../fixtures/links/${name}.json`, import.meta.url);
	const { reports } = JSON.parse(readFileSync(file, 'utf8')) as { reports: Recorded[] };
	const control = new LinkController({ isEstimated: false, initialBitrate: 1_000_000 });
	let before = reports[0]!;
	let expected: number | undefined;
	return reports.flatMap((recorded) => {
		const { step, bitrates, covered, ...report } = recorded;
		const stream = {
			...{
				id: 'video',
				priority: 1,
				rank: -1,
				isLayered: true,
				fullFrameRateStep: 3,
				demanded: Infinity,
				shownFrom: -Infinity,
			},
			...{ step, limit: step, bitrates, leastBitrates: bitrates },
		};
		// The overload relief had the stream fall between two reports, by NACKs that are not recorded.
		if (step < (expected ?? before.step)) {
			const overload = { at: before.at + 1, throughput: 1, passed: report.bitrate, share: 1 };
			control.fall(overload, [{ ...stream, step: before.step, limit: before.step }]);
		}
		const changes = control.decide({ ...report, covered, limit: Infinity, estimate: undefined, streams: [stream] });
		[expected] = changes.values();
		before = recorded;
		return [...changes.values()].map((to) => ({ second: report.at / 1000, from: step, to }));
	});
}

describe('By the reports of a real receiver', () => {
	it('random loss lowers the resolution once for each rate, and not for long', () => {
		const changes = replay('lossy').filter(({ second }) => second > 14);
		const falls = changes.filter(({ from, to }) => to < from);
		assert.equal(falls.length, 2, JSON.stringify(changes));
		for (const { second, to } of falls) {
			assert.equal(to, 4);
			const back = changes.find((change) => change.second > second && change.to === 5);
			assert.ok(back && back.second - second <= 6, JSON.stringify(changes));
		}
	});

	it('a link that narrows is not tried above what it bears more than once in its half minute', () => {
		const narrow = replay('narrow').filter(({ second }) => second > 15 && second < 45);
		const tries = narrow.filter(({ from, to }) => to > from && to === 5);
		assert.ok(tries.length <= 1, JSON.stringify(narrow));
		assert.ok(
			narrow.every(({ to }) => to > 0),
			`the video is never held: ${JSON.stringify(narrow)}`,
		);
	});
});
