import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { chromiumFlags, executables, fakeDevices, firefoxOptions, type BrowserName } from '../support/browsers.js';
import { demoEnvironment, end, spawnCommand, tone } from './demo.js';

/** The three servers of examples/cluster/start.ts. */
export class DemoCluster {
	/** Their addresses, in the order in which a page goes from one to the next. */
	readonly urls: string[];
	readonly #child: ReturnType<typeof spawnCommand>;
	readonly #lines: { at: number; text: string }[] = [];
	#errors = '';

	static async start(t: TestContext, port = 3001): Promise<DemoCluster> {
		const cluster = new DemoCluster(port);
		t.after(() => end(cluster.#child));
		for (const { host } of cluster.urls.map((url) => new URL(url))) await cluster.line(`Open http://${host}`);
		return cluster;
	}

	private constructor(port: number) {
		this.urls = [0, 1, 2].map((index) => `http://localhost:${port + index}`);
		this.#child = spawnCommand(
			[process.execPath, '--import', 'tsx', 'examples/cluster/start.ts'],
			demoEnvironment(String(port)),
		);
		createInterface(this.#child.stdout).on('line', (text) => this.#lines.push({ at: Date.now(), text }));
		this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
	}

	/** When it has printed a line, in ms. Waits for it if need be. */
	async line(start: string): Promise<number> {
		const deadline = Date.now() + 90_000;
		for (;;) {
			const line = this.#lines.findLast(({ text }) => text.startsWith(start));
			if (line) return line.at;
			assert.ok(Date.now() < deadline, `no line “${start}”: ${this.#errors}`);
			assert.equal(this.#child.exitCode, null, this.#errors);
			await sleep(20);
		}
	}

	/** Ends a server as if its machine had gone. @returns when, in ms */
	kill(url: string): number {
		const start = `${url} is process `;
		const line = this.#lines.findLast(({ text }) => text.startsWith(start));
		assert.ok(line);
		process.kill(Number(line.text.slice(start.length)), 'SIGKILL');
		return Date.now();
	}

	/** Lets it replace all servers. @returns when each was told to stop, and when all had been replaced, in ms */
	async update(): Promise<number[]> {
		this.#child.kill('SIGUSR2');
		await this.line('All servers have been replaced');
		const hosts = this.urls.map((url) => new URL(url).host);
		return Promise.all([...hosts.map((host) => `${host} is replaced`), 'All servers'].map((start) => this.line(start)));
	}

	/** Sends a signal, and resolves to the exit code. */
	async stop(signal: NodeJS.Signals): Promise<number | null> {
		this.#child.kill(signal);
		while (this.#child.exitCode === null && this.#child.signalCode === null) await sleep(20);
		return this.#child.exitCode;
	}
}

/** Something that has happened in a page. */
export interface Note {
	at: number;
	what: string;
}

/** Notes in the page when each frame was shown, and what goes over the sockets. All times are those of the machine. */
const recorder = `
	Object.assign(globalThis, { shown: {}, notes: [], sockets: [], connections: [] });
	const note = (what) => notes.push({ at: Date.now(), what });
	const follow = (video) => {
		video.requestVideoFrameCallback(() => {
			const name = video.closest('.tile')?.querySelector('.tile-name').textContent;
			if (name) (shown[name] ??= []).push(Date.now());
			follow(video);
		});
	};
	new MutationObserver((records) => {
		for (const element of records.flatMap(({ addedNodes }) => [...addedNodes])) {
			for (const video of element.querySelectorAll?.('.tile video') ?? []) follow(video);
		}
	}).observe(document, { childList: true, subtree: true });
	globalThis.WebSocket = class extends WebSocket {
		constructor(...args) {
			super(...args);
			sockets.push(this);
			const asked = new Map();
			this.ask = ({ request, id, method }) => {
				if (!request || method === 'heartbeat') return;
				asked.set(id, method);
				note(method);
			};
			note('socket');
			this.addEventListener('open', () => note('open'));
			this.addEventListener('close', ({ code }) => note('close ' + code));
			this.addEventListener('message', ({ data }) => {
				const { id, ok, request, response, method } = JSON.parse(data);
				if (request) note(method + ' asked');
				else if (!response) note(method);
				else if (asked.has(id)) note(asked.get(id) + (ok ? ' answered' : ' refused'));
			});
		}
		send(text) {
			this.ask(JSON.parse(text));
			super.send(text);
		}
	};
	globalThis.RTCPeerConnection = class extends RTCPeerConnection {
		constructor(...args) {
			super(...args);
			connections.push(this);
			this.addEventListener('connectionstatechange', () => note('connection ' + this.connectionState));
		}
	};
`;

/** A small camera, so that several browsers and servers do not keep the processors busy, and a tone that never ends. */
const devices = `
	${tone}
	const captureTone = navigator.mediaDevices.getUserMedia;
	navigator.mediaDevices.getUserMedia = ({ audio, video }) =>
		captureTone({ audio, video: video && { width: 320, height: 180, frameRate: 20 } });
`;

/** A page of the demo that is in a call. */
export class DemoPage {
	readonly name: string;
	readonly #evaluate: (expression: string) => Promise<unknown>;

	constructor(name: string, evaluate: (expression: string) => Promise<unknown>) {
		this.name = name;
		this.#evaluate = evaluate;
	}

	evaluate<Result>(expression: string): Promise<Result> {
		return this.#evaluate(expression) as Promise<Result>;
	}

	/** Waits until an expression in the page is true. */
	async until(expression: string, what = expression): Promise<void> {
		const deadline = Date.now() + 30_000;
		while (!(await this.evaluate(`Boolean(${expression})`))) {
			assert.ok(Date.now() < deadline, `${this.name}: ${what}: ${JSON.stringify(await this.notes())}`);
			await sleep(50);
		}
	}

	/** The host of the server that a person is on. */
	nodeOf(name: string): Promise<string | null> {
		return this.evaluate(`${tile(name)}?.querySelector('.tile-node').textContent ?? null`);
	}

	async untilOn(name: string, url: string): Promise<void> {
		const { host } = new URL(url);
		await this.until(`${tile(name)}?.querySelector('.tile-node').textContent === '${host}'`, `${name} on ${host}`);
	}

	/** Waits until ten more frames of somebody have been shown. */
	async untilPlaying(name: string): Promise<void> {
		const before = (await this.shown(name)).length;
		await this.until(`(shown[${JSON.stringify(name)}] ?? []).length > ${before} + 10`, `${name} plays`);
	}

	/** Waits until somebody is loud enough to be marked. */
	untilHeard(name: string): Promise<void> {
		return this.until(`${tile(name)}?.classList.contains('heard')`, `${name} is heard`);
	}

	/** When each frame of somebody was shown, in ms. */
	shown(name: string): Promise<number[]> {
		return this.evaluate(`shown[${JSON.stringify(name)}] ?? []`);
	}

	notes(): Promise<Note[]> {
		return this.evaluate('notes');
	}

	/** The longest time without a new frame of somebody, in ms, and when it began. */
	async longestGap(name: string, from: number, to: number): Promise<{ gap: number; since: number }> {
		const times = [from, ...(await this.shown(name)).filter((at) => at > from && at < to), to];
		let longest = { gap: 0, since: from };
		for (const [index, at] of times.entries()) {
			const gap = (times[index + 1] ?? at) - at;
			if (gap > longest.gap) longest = { gap, since: at };
		}
		return longest;
	}
}

const tile = (name: string) =>
	`[...document.querySelectorAll('.tile')].find((one) => one.querySelector('.tile-name').textContent === '${name}')`;

/** Opens the page of a server in a browser of its own, and joins. Nothing may go wrong in it. */
export async function join(t: TestContext, browser: BrowserName, url: string, name: string): Promise<DemoPage> {
	const { evaluate, close } = await open[browser](url, (error) => {
		assert.fail(error);
	});
	t.after(close);
	const page = new DemoPage(name, evaluate);
	await page.evaluate(`(() => {
		document.getElementById('join-name').value = '${name}';
		document.getElementById('join-form').requestSubmit();
	})()`);
	await page.until(`document.getElementById('status').textContent === 'Connected'`, 'it is connected');
	return page;
}

interface OpenPage {
	evaluate: (expression: string) => Promise<unknown>;
	close: () => Promise<void>;
}

const open: Record<BrowserName, (url: string, failed: (error: Error) => void) => Promise<OpenPage>> = {
	async Chromium(url, failed) {
		const browser = await chromium.launch({
			executablePath: executables.Chromium,
			args: [...chromiumFlags, ...fakeDevices],
		});
		const page = await browser.newPage({ viewport: { width: 480, height: 360 } });
		page.on('pageerror', failed);
		await page.addInitScript(recorder + devices);
		await page.goto(url);
		return { evaluate: (expression) => page.evaluate(expression), close: () => browser.close() };
	},
	async Firefox(url, failed) {
		const browser = await puppeteer.launch(firefoxOptions);
		const page = await browser.newPage();
		page.on('pageerror', (error) => {
			// Firefox tells of WebSockets that could not be opened, too.
			if (!String(error).includes('ws://')) failed(error as Error);
		});
		await page.evaluateOnNewDocument(recorder);
		await page.goto(url);
		return { evaluate: (expression) => page.evaluate(expression), close: () => browser.close() };
	},
};
