import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { cannotRun } from '../support/browsers.js';
import { cannotDropPackets, dropIncoming } from '../support/namespace.js';
import {
	type Demo,
	join,
	startChromium,
	startDemo,
	tile,
	tone,
	untilConnected,
	untilHeard,
	untilPlaying,
	withClass,
} from './demo.js';

describe("The demo's media", { skip: cannotRun('Chromium') }, () => {
	let browser: Browser;
	let demo: Demo;
	let endDemo: () => unknown;

	before(async () => {
		browser = await startChromium();
		demo = await startDemo({ after: (end) => (endDemo = end) });
	});

	after(async () => {
		await browser.close();
		await endDemo();
	});

	it("pulls by the server's offers, all on one RTCPeerConnection", async (t) => {
		const names = ['Ada', 'Grace', 'Alan'];
		const [ada] = await Promise.all(names.map((name) => join(t, browser, `${demo.url}/#offers`, name)));
		for (const name of ['Grace', 'Alan']) {
			await tile(ada!, name).waitFor();
			await untilPlaying(ada!, name);
		}
		assert.equal(await ada!.evaluate('connections.length'), 2);
		const pulls = await ada!.evaluate<object[]>(
			"sent.filter(({ method }) => method === 'pull').map(({ data }) => data)",
		);
		assert.deepEqual(
			pulls.map((data) => Object.keys(data).sort()),
			[['autoPull', 'roomId', 'userId']],
		);
		const offers = await ada!.evaluate(
			"received.filter(({ request, method }) => request && method === 'offer').length",
		);
		assert.ok(Number(offers) > 0);
	});

	it('shares a screen until it is stopped, by its button or by that of the browser', async (t) => {
		const ada = await join(t, browser, `${demo.url}/#screen`, 'Ada');
		const grace = await join(t, browser, `${demo.url}/#screen`, 'Grace');
		const screen = tile(grace, 'Screen of Ada');
		const stops = [
			() => ada.getByRole('button', { name: 'Stop sharing' }).click(),
			() => ada.evaluate("screens.at(-1).getVideoTracks()[0].dispatchEvent(new Event('ended'))"),
		];
		for (const stop of stops) {
			await ada.getByRole('button', { name: 'Share screen' }).click();
			await screen.waitFor();
			await untilPlaying(grace, 'Screen of Ada');
			await untilPlaying(grace, 'Ada');
			await tile(ada, 'Your screen').waitFor();
			await stop();
			await screen.waitFor({ state: 'detached' });
			await tile(ada, 'Your screen').waitFor({ state: 'detached' });
		}
		assert.equal(
			await ada.evaluate(
				"screens.every((screen) => screen.getTracks().every(({ readyState }) => readyState === 'ended'))",
			),
			true,
		);
		await untilPlaying(grace, 'Ada');
	});

	it('shows which simulcast layer arrives', async (t) => {
		const ada = await join(t, browser, `${demo.url}/#layers`, 'Ada');
		const grace = await join(t, browser, `${demo.url}/#layers`, 'Grace');
		for (const [page, name] of [
			[ada, 'Grace'],
			[grace, 'Ada'],
		] as const) {
			await tile(page, name)
				.getByText(/^Layer [123] of 3/)
				.waitFor();
		}
	});

	it('shows who speaks', async (t) => {
		const ada = await join(t, browser, `${demo.url}/#speaker`, 'Ada', { script: tone });
		const grace = await join(t, browser, `${demo.url}/#speaker`, 'Grace');
		await grace.getByRole('button', { name: 'Mute' }).click();
		await withClass(ada, 'speaking', 'Ada (you)').waitFor();
		await withClass(grace, 'speaking', 'Ada').waitFor();
		// Somebody who joins later is told, too.
		const alan = await join(t, browser, `${demo.url}/#speaker`, 'Alan');
		await withClass(alan, 'speaking', 'Ada').waitFor();
		await ada.getByRole('button', { name: 'Mute' }).click();
		for (const page of [ada, grace])
			await withClass(page, 'speaking', page === ada ? 'Ada (you)' : 'Ada').waitFor({ state: 'detached' });
	});

	it('shows that its connection is poor', { skip: cannotDropPackets }, async (t) => {
		const ada = await join(t, browser, `${demo.url}/#quality`, 'Ada');
		const loss = dropIncoming({ percent: 30, udpPort: await serverPort(ada) });
		t.after(() => {
			loss.stop();
		});
		await tile(ada, 'Ada (you)').getByText('Sending: poor').waitFor();
	});

	it('stays muted when it comes back', async (t) => {
		const first = await startDemo(t);
		const ada = await join(t, browser, `${first.url}/#muted`, 'Ada');
		const grace = await join(t, browser, `${first.url}/#muted`, 'Grace');
		await tile(grace, 'Ada').waitFor();
		await untilPlaying(grace, 'Ada');

		// The server cannot be told before the page is back.
		await ada.evaluate('sockets.at(-1).close(4002)');
		await ada.getByRole('button', { name: 'Mute' }).click();
		await ada.getByRole('button', { name: 'Stop video' }).click();
		await tile(grace, 'Ada').getByLabel('muted').waitFor();
		await withClass(grace, 'has-picture', 'Ada').waitFor({ state: 'detached' });

		assert.equal(await first.stop(), 0);
		await grace.getByText('Reconnecting…').first().waitFor();
		await startDemo(t, 'express', new URL(first.url).port);
		for (const page of [ada, grace]) await untilConnected(page);
		await tile(grace, 'Ada').getByLabel('muted').waitFor();
		await withClass(grace, 'has-picture', 'Ada').waitFor({ state: 'detached' });
		await ada.getByRole('button', { name: 'Unmute' }).click();
		await untilHeard(grace, 'Ada');
		await ada.getByRole('button', { name: 'Start video' }).click();
		await untilPlaying(grace, 'Ada');
	});
});

/** The UDP port of the server that a page sends to. */
async function serverPort(page: Page) {
	return Number(
		await page.evaluate(`(async () => {
			const uplink = connections.find((connection) => connection.getSenders().some(({ track }) => track));
			const reports = [...(await uplink.getStats()).values()];
			const { selectedCandidatePairId } = reports.find(({ type }) => type === 'transport');
			const { remoteCandidateId } = reports.find(({ id }) => id === selectedCandidatePairId);
			return reports.find(({ id }) => id === remoteCandidateId).port;
		})()`),
	);
}
