// Takes 120 s.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { cannotRun } from '../support/browsers.js';
import { noRedis } from '../support/redis.js';
import { DemoCluster, join, type DemoPage } from './cluster.js';

describe('The demo on three servers', { skip: noRedis || cannotRun('Chromium') }, () => {
	it('lets people on different servers see and hear each other', { skip: cannotRun('Firefox') }, async (t) => {
		const cluster = await DemoCluster.start(t);
		const [first, second] = cluster.urls as [string, string];
		const ada = await join(t, 'Chromium', `${first}/#two`, 'Ada');
		const grace = await join(t, 'Firefox', `${second}/#two`, 'Grace');
		for (const [page, other] of pairs(ada, grace)) {
			await page.untilPlaying(other.name);
			await page.untilHeard(other.name);
			await page.untilOn(other.name, other === ada ? first : second);
			await page.untilOn(`${page.name} (you)`, page === ada ? first : second);
		}
		assert.equal(await cluster.stop('SIGINT'), 0);
	});

	it('goes on with another server when one is killed', async (t) => {
		const cluster = await DemoCluster.start(t);
		const [first, second, third] = cluster.urls as [string, string, string];
		const ada = await join(t, 'Chromium', `${first}/#kill`, 'Ada');
		const grace = await join(t, 'Chromium', `${second}/#kill`, 'Grace');
		const alan = await join(t, 'Chromium', `${third}/#kill`, 'Alan');
		for (const [page, other] of pairs(ada, grace, alan)) await page.untilPlaying(other.name);
		const connections = await Promise.all([grace, alan].map((page) => page.evaluate('connections.length')));

		const killed = cluster.kill(first);
		await ada.untilOn('Ada (you)', second);
		for (const page of [grace, alan]) await page.untilOn('Ada', second);
		for (const [page, other] of pairs(ada, grace, alan)) await page.untilPlaying(other.name);
		const now = Date.now();
		await tellSteps(t, [ada, grace, alan], killed, now);
		for (const [page, other] of pairs(ada, grace, alan)) {
			const { gap, since } = await page.longestGap(other.name, killed, now);
			const back = since + gap - killed;
			t.diagnostic(`${page.name} sees ${other.name}: no frame for ${gap} ms, the next one ${back} ms after the kill`);
			// Less than five seconds, and less than two, where nothing else runs.
			if (page === ada || other === ada) assert.ok(back < 15_000, `${page.name} sees ${other.name} after ${back} ms`);
			else assert.ok(gap < 6000, `${page.name} sees ${other.name}: no frame for ${gap} ms`);
		}
		// What went over other servers is as it was.
		assert.deepEqual(await Promise.all([grace, alan].map((page) => page.evaluate('connections.length'))), connections);
	});

	it('goes on while all servers are replaced, one after the other', async (t) => {
		const cluster = await DemoCluster.start(t);
		const [first, second] = cluster.urls as [string, string];
		const ada = await join(t, 'Chromium', `${first}/#update`, 'Ada');
		const grace = await join(t, 'Chromium', `${second}/#update`, 'Grace');
		for (const [page, other] of pairs(ada, grace)) await page.untilPlaying(other.name);

		const times = await cluster.update();
		for (const [page, other] of pairs(ada, grace)) await page.untilPlaying(other.name);
		times[times.length - 1] = Date.now();
		for (const [index, begun] of times.slice(0, -1).entries()) {
			const ended = times[index + 1]!;
			t.diagnostic(`Server ${index + 1} is replaced, in ${ended - begun} ms`);
			for (const [page, other] of pairs(ada, grace)) {
				const { gap, since } = await page.longestGap(other.name, begun, ended);
				t.diagnostic(`  ${page.name} sees ${other.name}: no frame for ${gap} ms, since ${since - begun} ms`);
				// Less than a second where nothing else runs.
				assert.ok(gap < 5000, `${page.name} sees ${other.name}: no frame for ${gap} ms`);
			}
			await tellSteps(t, [ada, grace], begun, begun + 4000);
		}
	});
});

/** Each page with each other one. */
const pairs = (...pages: DemoPage[]): [DemoPage, DemoPage][] =>
	pages.flatMap((page) => pages.filter((other) => other !== page).map((other): [DemoPage, DemoPage] => [page, other]));

/** Says what has happened in some pages, and when. */
async function tellSteps(t: TestContext, pages: DemoPage[], from: number, to: number) {
	for (const page of pages) {
		const notes = (await page.notes()).filter(({ at }) => at >= from && at < to);
		t.diagnostic(`  ${page.name}: ${notes.map(({ at, what }) => `${at - from} ${what}`).join(', ')}`);
	}
}
