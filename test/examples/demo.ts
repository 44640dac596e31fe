import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumFlags, executables } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';

const root = path.join(import.meta.dirname, '../..');

export interface Demo {
	url: string;
	process: ChildProcess;
	/** What it has written to stderr so far. */
	errors: () => string;
	/** Sends it a signal and resolves to its exit code, `null` when the signal has ended it. */
	stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/** The environment that a demo runs in: HTTP on every address, and media where the browsers of the tests reach it. */
export const demoEnvironment = (port: string) => ({
	...process.env,
	PORT: port,
	LISTEN_IP: '0.0.0.0',
	ANNOUNCED_ADDRESS: mediaAddress,
});

/** Starts a command in a process group of its own. */
export function spawnCommand([program = '', ...args]: string[], environment: NodeJS.ProcessEnv) {
	return spawn(program, args, { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
}

export const serverCommand = (framework: string) => [
	process.execPath,
	'--import',
	'tsx',
	`examples/${framework}/server.ts`,
];

/** Whether a process group still has a process. */
export function groupExists(child: ChildProcess) {
	assert.ok(child.pid);
	try {
		process.kill(-child.pid, 0);
		return true;
	} catch {
		return false;
	}
}

/** Ends all processes of a command, by force if needed. */
export async function end(child: ChildProcess) {
	for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
		if (!groupExists(child)) return;
		process.kill(-child.pid!, signal);
		for (let wait = 0; wait < 50 && groupExists(child); wait++) await sleep(100);
	}
}

/** Runs a command until it has printed the URL of the demo. */
export async function startCommand(
	t: { after: (end: () => unknown) => void },
	command: string[],
	environment: NodeJS.ProcessEnv,
): Promise<Demo> {
	const child = spawnCommand(command, environment);
	t.after(() => end(child));
	const exit = once(child, 'exit');
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
				await exit;
				return child.exitCode;
			},
		};
	}
	return assert.fail(`${command.join(' ')} printed no URL: ${errors}`);
}

/** Runs a demo. */
export const startDemo = (t: { after: (end: () => unknown) => void }, framework = 'express', port = '0') =>
	startCommand(t, serverCommand(framework), demoEnvironment(port));

const flags = [
	...chromiumFlags,
	// A shared screen is the page itself. Ten frames a second are enough to see that a video plays, at half the cost.
	'--use-fake-device-for-media-stream=display-media-type=browser,fps=10',
];

/** Starts a browser with a fake camera and microphone; without `permissions` it refuses to give them to a page. */
export const startChromium = ({ permissions = true } = {}) =>
	chromium.launch({
		executablePath: executables.Chromium,
		args: [...flags, ...(permissions ? ['--use-fake-ui-for-media-stream'] : [])],
	});

/** Keeps what the page uses, for the tests to look at. */
const recorder = `
	Object.assign(globalThis, { sockets: [], connections: [], screens: [], sent: [], received: [], notices: [] });
	addEventListener('DOMContentLoaded', () => {
		new MutationObserver((records) => {
			for (const { addedNodes } of records) notices.push(...[...addedNodes].map(({ textContent }) => textContent));
		}).observe(document.getElementById('notices'), { childList: true });
	});
	WebSocket = class extends WebSocket {
		constructor(...args) {
			super(...args);
			sockets.push(this);
			this.addEventListener('message', ({ data }) => received.push(JSON.parse(data)));
		}
		send(text) {
			sent.push(JSON.parse(text));
			super.send(text);
		}
	};
	RTCPeerConnection = class extends RTCPeerConnection {
		constructor(...args) {
			super(...args);
			connections.push(this);
		}
	};
	const getDisplayMedia = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getDisplayMedia = async (options) => {
		const screen = await getDisplayMedia(options);
		screens.push(screen);
		return screen;
	};
`;

/** A microphone with a tone that never ends. The fake one beeps now and then. */
export const tone = `
	const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = async (constraints) => {
		const stream = await getUserMedia(constraints);
		const context = new AudioContext();
		const oscillator = context.createOscillator();
		const destination = context.createMediaStreamDestination();
		oscillator.connect(destination);
		oscillator.start();
		for (const track of stream.getAudioTracks()) stream.removeTrack(track);
		stream.addTrack(destination.stream.getAudioTracks()[0]);
		return stream;
	};
`;

/** Opens the page in a browser profile of its own, and joins. Nothing may go wrong in it. */
export async function join(
	t: TestContext,
	browser: Browser,
	url: string,
	userName: string,
	{ script = '' }: { script?: string } = {},
) {
	const context = await browser.newContext();
	// Servers take long to start where everything runs at once.
	context.setDefaultTimeout(60_000);
	t.after(() => context.close());
	const page = await context.newPage();
	page.on('pageerror', (error) => {
		assert.fail(error);
	});
	await page.addInitScript(`${recorder}${script}`);
	await page.goto(url);
	await page.getByLabel('Your name').fill(userName);
	await page.getByRole('button', { name: 'Join' }).click();
	await untilConnected(page);
	return page;
}

/** Waits until the page has joined and its media is connected. */
export const untilConnected = (page: Page) => page.getByText('Connected', { exact: true }).waitFor();

/** The tile with exactly that name. */
export const tile = (page: Page, name: string) =>
	page.locator('.tile').filter({ has: page.getByText(name, { exact: true }) });

const frames = (page: Page, name: string) =>
	tile(page, name)
		.locator('video')
		.evaluate((video: unknown) => {
			const element = video as { getVideoPlaybackQuality(): { totalVideoFrames: number } };
			return element.getVideoPlaybackQuality().totalVideoFrames;
		});

/** Waits until ten more frames of a tile have been shown. */
export async function untilPlaying(page: Page, name: string) {
	const enough = (await frames(page, name)) + 10;
	const deadline = Date.now() + 30_000;
	while ((await frames(page, name)) < enough) {
		assert.ok(Date.now() < deadline, `${name} does not play`);
		await sleep(100);
	}
	// The initials do not cover the video.
	await withClass(page, 'has-picture', name).waitFor();
}

/** The tile with exactly that name, if it has the class. */
export const withClass = (page: Page, name: string, user: string) => tile(page, user).and(page.locator(`.${name}`));

/** Waits until the sound of somebody has been there. */
export const untilHeard = (page: Page, name: string) => withClass(page, 'heard', name).waitFor();

/** How much energy all the audio has had that the page has received. */
export function audioEnergy(page: Page) {
	return page.evaluate<number>(`(async () => {
		let energy = 0;
		for (const connection of connections) {
			for (const report of (await connection.getStats()).values()) {
				if (report.type === 'inbound-rtp' && report.kind === 'audio') energy += report.totalAudioEnergy;
			}
		}
		return energy;
	})()`);
}
