// Takes 60 s.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { cannotRun } from '../support/browsers.js';
import {
	audioEnergy,
	type Demo,
	join,
	startChromium,
	startDemo,
	tile,
	untilConnected,
	untilHeard,
	untilPlaying,
	withClass,
} from './demo.js';

const skip = cannotRun('Chromium');

describe('The demo', { skip }, () => {
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
		const forbidding = await startChromium({ permissions: false });
		t.after(() => forbidding.close());
		const ada = await join(t, browser, `${demo.url}/#picture`, 'Ada');
		const grace = await join(t, forbidding, `${demo.url}/#picture`, 'Grace');
		// It is shown for some seconds only.
		assert.match(String(await grace.evaluate('notices')), /No camera and no microphone/);
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
});

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
