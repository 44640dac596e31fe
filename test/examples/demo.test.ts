// Takes 60 s.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { cannotRun } from '../support/browsers.js';
import { cannotDropPackets, dropIncoming } from '../support/namespace.js';
import {
	audioEnergy,
	type Demo,
	join,
	startDemo,
	tile,
	tone,
	untilConnected,
	untilHeard,
	untilPlaying,
	withClass,
} from './demo.js';

const skip = cannotRun('Chromium');

const flags = [
	'--no-sandbox',
	'--headless=new',
	// A shared screen is the page itself.
	'--use-fake-device-for-media-stream=display-media-type=browser',
	'--disable-background-networking',
	'--disable-features=WebRtcHideLocalIpsWithMdns',
	'--autoplay-policy=no-user-gesture-required',
];

describe('The demo', { skip }, () => {
	let browser: Browser;
	let demo: Demo;
	let endDemo: () => unknown;

	before(async () => {
		browser = await chromium.launch({
			executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
			args: [...flags, '--use-fake-ui-for-media-stream'],
		});
		demo = await startDemo({ after: (end) => (endDemo = end) });
	});

	after(async () => {
		await browser.close();
		await endDemo();
	});

	for (const framework of ['express', 'fastify']) {
		it(`lets two people see and hear each other, on ${framework}`, async (t) => {
			const { url } = framework === 'express' ? demo : await startDemo(t, framework);
			const ada = await join(t, browser, `${url}/?room=two`, 'Ada');
			await ada.getByText('Nobody else is here yet').waitFor();
			assert.equal(ada.url(), `${url}/#two`);
			const grace = await join(t, browser, ada.url(), 'Grace');
			for (const [page, name] of [
				[ada, 'Grace'],
				[grace, 'Ada'],
			] as const) {
				await page.getByText('2 people').waitFor();
				await tile(page, name).waitFor();
				await untilPlaying(page, name);
				await untilHeard(page, name);
			}
		});
	}

	it('shows a text message as text, and counts it while the chat is closed', async (t) => {
		const ada = await join(t, browser, `${demo.url}/#chat`, 'Ada');
		const grace = await join(t, browser, `${demo.url}/#chat`, 'Grace');
		await tile(grace, 'Ada').waitFor();
		await ada.getByRole('button', { name: 'Chat' }).click();
		await ada.keyboard.type('Hello <img src=x onerror=alert(1)>');
		await ada.keyboard.press('Enter');
		await grace.getByLabel('1 unread').waitFor();
		await grace.getByRole('button', { name: 'Chat' }).click();
		for (const [page, name] of [
			[ada, 'You'],
			[grace, 'Ada'],
		] as const) {
			const message = page.getByRole('log').getByRole('listitem');
			assert.equal(await message.locator('p').textContent(), 'Hello <img src=x onerror=alert(1)>');
			assert.equal(await message.locator('b').textContent(), name);
		}
		assert.equal(await grace.getByLabel('1 unread').count(), 0);
	});

	it('mutes the microphone and switches the camera off', async (t) => {
		const ada = await join(t, browser, `${demo.url}/#mute`, 'Ada');
		const grace = await join(t, browser, `${demo.url}/#mute`, 'Grace');
		await tile(grace, 'Ada').waitFor();
		await untilPlaying(grace, 'Ada');
		await untilHeard(grace, 'Ada');

		await ada.getByRole('button', { name: 'Mute' }).click();
		await tile(ada, 'Ada (you)').getByLabel('muted').waitFor();
		await tile(grace, 'Ada').getByLabel('muted').waitFor();
		await sleep(1500);
		const energy = await audioEnergy(grace);
		for (let look = 0; look < 20; look++) {
			assert.equal(await withClass(grace, 'heard', 'Ada').count(), 0);
			assert.equal(await withClass(grace, 'speaking', 'Ada').count(), 0);
			await sleep(100);
		}
		assert.equal(await audioEnergy(grace), energy);
		await ada.getByRole('button', { name: 'Unmute' }).click();
		await untilHeard(grace, 'Ada');

		await ada.getByRole('button', { name: 'Stop video' }).click();
		await withClass(grace, 'has-picture', 'Ada').waitFor({ state: 'detached' });
		await ada.getByRole('button', { name: 'Start video' }).click();
		await untilPlaying(grace, 'Ada');
	});

	it('removes who leaves, and who closes the page', async (t) => {
		const ada = await join(t, browser, `${demo.url}/#leave`, 'Ada');
		const grace = await join(t, browser, `${demo.url}/#leave`, 'Grace');
		const alan = await join(t, browser, `${demo.url}/#leave`, 'Alan');
		await ada.getByText('3 people').waitFor();

		await grace.getByRole('button', { name: 'Leave' }).click();
		await tile(ada, 'Grace').waitFor({ state: 'detached' });
		await grace.getByRole('button', { name: 'Join' }).waitFor();

		await alan.close();
		await tile(ada, 'Alan').waitFor({ state: 'detached' });
		await ada.getByText('Nobody else is here yet').waitFor();

		await grace.getByRole('button', { name: 'Join' }).click();
		await tile(ada, 'Grace').waitFor();
		await untilPlaying(ada, 'Grace');
	});

	it('sends a generated picture where the camera is forbidden', async (t) => {
		// Without the fake permission prompt, a headless Chromium refuses.
		const forbidding = await chromium.launch({
			executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
			args: flags,
		});
		t.after(() => forbidding.close());
		const ada = await join(t, browser, `${demo.url}/#picture`, 'Ada');
		const grace = await join(t, forbidding, `${demo.url}/#picture`, 'Grace');
		await grace.getByText('No camera and no microphone').waitFor();
		await tile(ada, 'Grace').waitFor();
		await untilPlaying(ada, 'Grace');
		await untilPlaying(grace, 'Ada');
	});

	it('plays on when a socket is lost, and shows who is gone meanwhile', async (t) => {
		const ada = await join(t, browser, `${demo.url}/#socket`, 'Ada');
		const grace = await join(t, browser, `${demo.url}/#socket`, 'Grace');
		await tile(ada, 'Grace').waitFor();
		await untilPlaying(ada, 'Grace');

		const reconnecting = tile(ada, 'Grace').getByText('Reconnecting…').waitFor();
		await grace.evaluate('sockets.at(-1).close(4002)');
		await reconnecting;
		await tile(ada, 'Grace').getByText('Reconnecting…').waitFor({ state: 'detached' });
		await untilConnected(grace);
		await untilPlaying(ada, 'Grace');
		await untilPlaying(grace, 'Ada');
	});

	it('pushes and pulls again when the media workers die', async (t) => {
		const { url, process: server } = await startDemo(t);
		const ada = await join(t, browser, `${url}/#worker`, 'Ada');
		const grace = await join(t, browser, `${url}/#worker`, 'Grace');
		await tile(ada, 'Grace').waitFor();
		await untilPlaying(ada, 'Grace');
		await untilPlaying(grace, 'Ada');

		for (const pid of workersOf(server)) process.kill(pid, 'SIGKILL');
		await sleep(500);
		await untilPlaying(ada, 'Grace');
		await untilPlaying(grace, 'Ada');
	});

	it('joins, pushes and pulls again when the server restarts', async (t) => {
		const first = await startDemo(t);
		const ada = await join(t, browser, `${first.url}/#restart`, 'Ada');
		const grace = await join(t, browser, `${first.url}/#restart`, 'Grace');
		await tile(ada, 'Grace').waitFor();
		await untilPlaying(ada, 'Grace');

		assert.equal(await first.stop(), 0);
		await ada.getByText('Reconnecting…').waitFor();
		await startDemo(t, 'express', new URL(first.url).port);
		for (const page of [ada, grace]) await untilConnected(page);
		await tile(ada, 'Grace').waitFor();
		await untilPlaying(ada, 'Grace');
		await untilPlaying(grace, 'Ada');
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
			const reports = [...(await connections[0].getStats()).values()];
			const { selectedCandidatePairId } = reports.find(({ type }) => type === 'transport');
			const { remoteCandidateId } = reports.find(({ id }) => id === selectedCandidatePairId);
			return reports.find(({ id }) => id === remoteCandidateId).port;
		})()`),
	);
}

/** The process ids of a server's media workers. */
function workersOf({ pid }: ChildProcess) {
	const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8')
		.trim()
		.split(' ');
	const workers = children.filter((child) =>
		readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('mediasoup-worker'),
	);
	assert.notEqual(workers.length, 0);
	return workers.map(Number);
}
