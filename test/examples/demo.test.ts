// Takes 60 s.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { cannotRun } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';

const root = path.join(import.meta.dirname, '../..');
const skip = cannotRun('Chromium');

const flags = [
	'--no-sandbox',
	'--headless=new',
	'--use-fake-device-for-media-stream',
	'--disable-background-networking',
	'--disable-features=WebRtcHideLocalIpsWithMdns',
	'--autoplay-policy=no-user-gesture-required',
];

interface Demo {
	url: string;
	process: ChildProcess;
	/** What it has written to stderr so far. */
	errors: () => string;
	/** Ends it as a terminal or a service manager does, and resolves to its exit code. */
	stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

function spawnDemo(framework: string, port: string) {
	return spawn(process.execPath, ['--import', 'tsx', `examples/${framework}/server.ts`], {
		cwd: root,
		env: { ...process.env, PORT: port, LISTEN_IP: mediaAddress },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
}

/** Ends a server, however it is. */
async function end(child: ChildProcess) {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exit = once(child, 'exit');
	child.kill('SIGTERM');
	const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
	await exit;
	clearTimeout(timer);
}

/** Runs a server that is expected to run, until it has printed its URL. */
async function startDemo(t: { after: (end: () => unknown) => void }, framework = 'express', port = '0'): Promise<Demo> {
	const child = spawnDemo(framework, port);
	t.after(() => end(child));
	let errors = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
	for await (const line of createInterface(child.stdout)) {
		const url = /http:\S+/.exec(line)?.[0];
		if (!url) continue;
		return {
			url,
			process: child,
			errors: () => errors,
			async stop(signal = 'SIGTERM') {
				child.kill(signal);
				await once(child, 'exit');
				return child.exitCode;
			},
		};
	}
	return assert.fail(`examples/${framework}/server.ts printed no URL: ${errors}`);
}

/** Runs a server that is expected not to start, and resolves to what it says about that. */
async function failingDemo(t: TestContext, framework: string, port: string) {
	const child = spawnDemo(framework, port);
	t.after(() => end(child));
	let errors = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
	await once(child, 'exit');
	assert.equal(child.exitCode, 1);
	return errors.trim();
}

/** Opens the page in a browser profile of its own, and joins. Nothing may go wrong in it. */
async function join(t: TestContext, browser: Browser, url: string, userName: string) {
	const context = await browser.newContext();
	// Servers take long to start where everything runs at once.
	context.setDefaultTimeout(60_000);
	t.after(() => context.close());
	const page = await context.newPage();
	page.on('pageerror', (error) => {
		assert.fail(error);
	});
	await page.addInitScript(`
		globalThis.sockets = [];
		WebSocket = class extends WebSocket {
			constructor(...args) {
				super(...args);
				sockets.push(this);
			}
		};
	`);
	await page.goto(url);
	await page.getByLabel('Your name').fill(userName);
	await page.getByRole('button', { name: 'Join' }).click();
	await page.getByText('Connected', { exact: true }).waitFor();
	return page;
}

const tile = (page: Page, name: string) => page.locator('.tile').filter({ has: page.getByText(name, { exact: true }) });

const frames = (page: Page, name: string) =>
	tile(page, name)
		.locator('video')
		.evaluate((video: unknown) => {
			const element = video as { getVideoPlaybackQuality(): { totalVideoFrames: number } };
			return element.getVideoPlaybackQuality().totalVideoFrames;
		});

/** Waits until ten more frames of somebody have been shown. */
async function untilPlaying(page: Page, name: string) {
	const enough = (await frames(page, name)) + 10;
	const deadline = Date.now() + 30_000;
	while ((await frames(page, name)) < enough) {
		assert.ok(Date.now() < deadline, `${name} does not play`);
		await sleep(100);
	}
	// Shown, and not covered by the initials.
	await page.locator('.tile.has-picture').filter({ hasText: name }).waitFor();
}

/** Waits until the frame around somebody who speaks has been there. */
const untilHeard = (page: Page, name: string) => page.locator('.tile.speaking').filter({ hasText: name }).waitFor();

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
		await sleep(1500);
		for (let look = 0; look < 20; look++) {
			assert.equal(await grace.locator('.tile.speaking').filter({ hasText: 'Ada' }).count(), 0);
			await sleep(100);
		}
		await ada.getByRole('button', { name: 'Unmute' }).click();
		await untilHeard(grace, 'Ada');

		await ada.getByRole('button', { name: 'Stop video' }).click();
		await grace.locator('.tile:not(.has-picture)').filter({ hasText: 'Ada' }).waitFor();
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
		await grace.getByText('Connected', { exact: true }).waitFor();
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
		for (const page of [ada, grace]) await page.getByText('Connected', { exact: true }).waitFor();
		await tile(ada, 'Grace').waitFor();
		await untilPlaying(ada, 'Grace');
		await untilPlaying(grace, 'Ada');
	});
});

describe("The demo's server", () => {
	for (const framework of ['express', 'fastify']) {
		for (const signal of ['SIGINT', 'SIGTERM'] as const) {
			it(`ends on ${signal}, on ${framework}`, async (t) => {
				const { url, stop, errors } = await startDemo(t, framework);
				assert.equal((await fetch(url)).status, 200);
				assert.equal((await fetch(`${url}/main.js`)).headers.get('content-type')?.split(';')[0], 'text/javascript');
				assert.equal(await stop(signal), 0);
				assert.equal(errors(), '');
			});
		}

		it(`says so when PORT is none, on ${framework}`, async (t) => {
			for (const port of ['http', '65536']) {
				assert.equal(await failingDemo(t, framework, port), `PORT must be a number from 0 to 65535, and is "${port}".`);
			}
		});

		it(`says so when the port is taken, on ${framework}`, async (t) => {
			const other = createServer().listen(0, '0.0.0.0');
			t.after(() => other.close());
			await once(other, 'listening');
			const port = String((other.address() as AddressInfo).port);
			const message = await failingDemo(t, framework, port);
			assert.match(message, /^The server cannot run: listen EADDRINUSE: address already in use .*$/);
		});
	}
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
