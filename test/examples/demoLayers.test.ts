import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { cannotRun } from '../support/browsers.js';
import { join, startChromium, startDemo, tile, untilConnected, untilPlaying } from './demo.js';

/** Waits until the page sends these layers of its camera, and no others. */
async function untilActive(page: Page, expected: string) {
	const deadline = Date.now() + 30_000;
	for (;;) {
		const active = await page.evaluate<string>(
			`connections.filter(({ connectionState }) => connectionState === 'connected')
				.flatMap((connection) => connection.getSenders())
				.flatMap((sender) => sender.getParameters().encodings)
				.filter(({ rid, active }) => rid && active).map(({ rid }) => rid).join('')`,
		);
		if (active === expected) return;
		assert.ok(Date.now() < deadline, `the layers ${active} are sent, not ${expected}`);
		await sleep(200);
	}
}

describe("The demo's camera", { skip: cannotRun('Chromium') }, () => {
	it('is sent in its lowest layer alone while nobody watches, also by a page whose socket was lost', async (t) => {
		const browser = await startChromium();
		t.after(() => browser.close());
		const demo = await startDemo(t);
		const ada = await join(t, browser, `${demo.url}/#layers`, 'Ada');
		await untilActive(ada, 'q');
		const grace = await join(t, browser, `${demo.url}/#layers`, 'Grace');
		await untilActive(ada, 'qhf');
		await tile(grace, 'Ada').waitFor();
		await untilPlaying(grace, 'Ada');
		await grace.close();
		await untilActive(ada, 'q');
		// As if that had been told while there was no socket.
		await ada.evaluate(`Promise.all(connections.flatMap((connection) => connection.getSenders()).map((sender) => {
			const parameters = sender.getParameters();
			for (const encoding of parameters.encodings) encoding.active = true;
			return sender.setParameters(parameters);
		}))`);
		await untilActive(ada, 'qhf');
		await ada.evaluate('sockets.at(-1).close()');
		await untilActive(ada, 'q');
		await untilConnected(ada);
	});
});
