import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { chromium } from 'playwright-core';
import { isNotInstalled, startGStreamer } from '../clients/processClients.js';
import { until } from '../media/setup.js';
import { cannotRun, chromiumFlags, executables } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';

const patience = 60_000;

it(
	'examples/whip plays in a page what is pushed by WHIP with the token',
	{ skip: cannotRun('Chromium') || isNotInstalled('GStreamer') },
	async (t) => {
		const server = spawn(process.execPath, ['--import', 'tsx', 'examples/whip/server.ts'], {
			env: { ...process.env, PORT: '0', LISTEN_IP: mediaAddress, TOKEN: 'secret' },
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		t.after(() => server.kill());
		const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
		const url = /^Open (\S+)$/.exec(line)![1]!.replace('localhost', mediaAddress);
		const encoder = startGStreamer();
		t.after(() => encoder.stop());
		const { id, offer } = await encoder.createPusher({ codec: 'VP8' });
		const push = (token: string) =>
			fetch(`${url}/rtc/whip/stage/alice`, {
				method: 'POST',
				headers: { 'content-type': 'application/sdp', authorization: `Bearer ${token}` },
				body: offer,
			});
		assert.equal((await push('wrong')).status, 403);
		const pushed = await push('secret');
		assert.equal(pushed.status, 201);
		await encoder.acceptAnswer(id, await pushed.text());

		const browser = await chromium.launch({ executablePath: executables.Chromium, args: chromiumFlags });
		t.after(() => browser.close());
		const page = await browser.newPage();
		await page.goto(url);
		const frames = async () =>
			Number(await page.evaluate("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"));
		await until(async () => (await frames()) > 5, 'the page plays', patience);
		assert.match(String(await page.textContent('#state')), /connected/);
		await browser.close();
		server.kill();
		assert.deepEqual(await once(server, 'exit'), [0, null]);
	},
);
