import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkHealth, type Verdict } from '../../src/layers/LinkHealth.js';

/** Reports, one each second: the loss of 100 packets, and the round trip time. */
function judge(health: LinkHealth, reports: readonly [loss: number, roundTripTime: number][], from = 0) {
	return reports.map(([loss, roundTripTime], index): Verdict | undefined =>
		health.add({
			at: from + index * 1000,
			packets: 100,
			lost: Math.round(loss * 100),
			covered: 1000,
			roundTripTimes: [roundTripTime],
		}),
	);
}

describe('A link', () => {
	it('is clear without loss and delay, and uncertain with a little', () => {
		const calm: [number, number][] = [
			[0, 40],
			[0.01, 60],
			[0.05, 40],
			[0, 140],
		];
		assert.deepEqual(judge(new LinkHealth(), calm), ['clear', 'clear', 'uncertain', 'uncertain']);
	});

	it('is lossy when packets are lost, and do not wait', () => {
		assert.deepEqual(
			judge(new LinkHealth(), [
				[0, 40],
				[0.2, 40],
				[0.2, 60],
			]),
			['clear', 'lossy', 'lossy'],
		);
	});

	it('is full when its queue grows, or stays long', () => {
		const growing: [number, number][] = [
			[0, 40],
			[0, 250],
			[0, 500],
			[0, 500],
		];
		assert.deepEqual(judge(new LinkHealth(), growing), ['clear', 'uncertain', 'full', 'full']);
	});

	it('is not full while its queue drains, nor by a single report', () => {
		const draining: [number, number][] = [
			[0, 40],
			[0, 1000],
			[0, 600],
			[0, 300],
			[0, 40],
		];
		assert.deepEqual(
			judge(new LinkHealth(), draining).filter((verdict) => verdict === 'full'),
			[],
		);
	});

	it('is full when packets of a short queue are lost, or most packets are', () => {
		assert.equal(
			judge(new LinkHealth(), [
				[0, 40],
				[0.2, 100],
			]).at(-1),
			'full',
		);
		assert.equal(
			judge(new LinkHealth(), [
				[0, 40],
				[0.6, 40],
			]).at(-1),
			'full',
		);
	});

	it('is judged by the middle of the round trips of several connections', () => {
		const health = new LinkHealth();
		judge(health, [[0, 40]]);
		const roundTripTimes = [900, 45, 42];
		for (const at of [1000, 2000]) {
			assert.equal(health.add({ at, packets: 100, covered: 1000, lost: 0, roundTripTimes }), 'clear');
		}
	});

	it('is not judged by a few packets', () => {
		const health = new LinkHealth();
		const few = (at: number, lost: number) => health.add({ at, packets: 9, lost, covered: 1000, roundTripTimes: [] });
		assert.deepEqual([few(0, 1), few(500, 1), few(1000, 1)], [undefined, undefined, 'lossy'], 'they count together');
		assert.equal(health.loss, 3 / 27);
	});

	it('that got a longer way is clear again after half a minute', () => {
		const health = new LinkHealth();
		judge(health, [[0, 40]]);
		const longer = Array.from({ length: 45 }, (): [number, number] => [0, 240]);
		assert.equal(judge(health, longer, 1000).at(-1), 'clear');
	});

	it('grows its queue by what it gets too much', () => {
		const health = new LinkHealth();
		judge(health, [
			[0, 40],
			[0, 540],
		]);
		assert.equal(health.growth, 0.5);
	});
});

describe('Loss that is accepted as that of the link', () => {
	const lossy = () => {
		const health = new LinkHealth();
		judge(health, [
			[0, 40],
			[0.2, 40],
		]);
		health.accept();
		return health;
	};

	it('leaves the link clear, and what is chance beside it does too', () => {
		assert.deepEqual(
			judge(
				lossy(),
				[
					[0.2, 40],
					[0.23, 40],
					[0.17, 40],
				],
				2000,
			),
			['clear', 'clear', 'clear'],
		);
	});

	it('does not hide more loss, nor a queue', () => {
		assert.deepEqual(judge(lossy(), [[0.5, 40]], 2000), ['lossy']);
		assert.deepEqual(
			judge(
				lossy(),
				[
					[0.2, 300],
					[0.2, 500],
				],
				2000,
			).at(-1),
			'full',
		);
	});

	it('is forgotten when it ends', () => {
		const health = lossy();
		const clean = Array.from({ length: 25 }, (): [number, number] => [0, 40]);
		assert.ok(judge(health, clean, 2000).every((verdict) => verdict === 'clear'));
		assert.equal(health.ownLoss, 0);
		assert.equal(judge(health, [[0.2, 40]], 30_000).at(0), 'lossy');
	});
});
