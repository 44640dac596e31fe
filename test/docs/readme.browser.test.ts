import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import WebSocket from 'ws';
import { cannotRun, chromiumFlags, executables } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';
import { recordSockets } from '../support/recordSockets.js';
import { readPage, root } from './markdown.js';

const skip = cannotRun('Chromium');
const flags = [...chromiumFlags, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** Something to play, as the page has it. */
interface Video {
	title: string;
	paused: boolean;
	getVideoPlaybackQuality(): { totalVideoFrames: number };
}

describe('The server and the page of the README', { skip }, () => {
	let directory: string;
	let server: ChildProcess | undefined;
	let browser: Browser | undefined;
	let origin: string;

	before(async () => {
		const { blocks } = readPage('README.md');
		const serverCode = blocks.find(({ language, code }) => language === 'ts' && code.includes("'express'"));
		const pageCode = blocks.find(({ language }) => language === 'html');
		assert.ok(serverCode && pageCode);
		directory = await mkdtemp(join(root, '.docs-'));
		await mkdir(join(directory, 'public'));
		await writeFile(join(directory, 'server.ts'), serverCode.code);
		await writeFile(join(directory, 'public/index.html'), pageCode.code);
		await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
		await writeFile(join(directory, 'tsconfig.json'), '{ "extends": "../tsconfig.json" }');
		const port = await freePort();
		origin = `http://localhost:${port}`;
		server = spawn(process.execPath, ['--import', 'tsx', 'server.ts'], {
			cwd: directory,
			env: { ...process.env, PORT: String(port), LISTEN_IP: mediaAddress },
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		const [line] = (await once(createInterface(server.stdout!), 'line')) as [string];
		assert.equal(line, `Open ${origin}`);
		browser = await chromium.launch({ executablePath: executables.Chromium, args: flags });
	});

	after(async () => {
		await browser?.close();
		if (server?.exitCode === null && server.signalCode === null) {
			server.kill();
			await once(server, 'exit');
		}
		await rm(directory, { recursive: true });
	});

	/** Opens the page in a profile of its own, and signs in. */
	async function signIn(t: TestContext, userId: string, password: string) {
		const context = await browser!.newContext();
		context.setDefaultTimeout(60_000);
		t.after(() => context.close());
		const page = await context.newPage();
		page.on('pageerror', (error) => {
			assert.fail(error);
		});
		await page.addInitScript(recordSockets);
		await page.goto(origin);
		await page.getByPlaceholder('alice').fill(userId);
		await page.locator('[type=password]').fill(password);
		await page.getByRole('button', { name: 'Sign in' }).click();
		return page;
	}

	/** Waits until the page plays new frames of somebody. */
	async function sees(page: Page, userId: string) {
		const video = page.locator(`video[title=${userId}]`);
		const frames = () => video.evaluate((element) => (element as Video).getVideoPlaybackQuality().totalVideoFrames);
		await video.waitFor();
		const before = await frames();
		const deadline = performance.now() + 30_000;
		while ((await frames()) <= before) {
			assert.ok(performance.now() < deadline, `no frame of ${userId} came`);
			await page.waitForTimeout(100);
		}
	}

	const count = (page: Page, list: 'sockets' | 'connections') => page.evaluate<number>(`${list}.length`);

	it('refuse a wrong password', async (t) => {
		const page = await signIn(t, 'alice', 'two');
		await page.getByText('Wrong name or password').waitFor();
	});

	it('refuse a socket without a session, and one of another origin', async (t) => {
		const url = `${origin.replace('http', 'ws')}/webrtc`;
		const refused = async (headers: Record<string, string>) => {
			const socket = new WebSocket(url, { headers });
			const [error] = (await once(socket, 'error')) as [Error];
			return error.message;
		};
		assert.match(await refused({ origin }), /403/);
		const page = await signIn(t, 'alice', 'one');
		await page.getByRole('button', { name: 'Mute' }).waitFor();
		const cookies = await page.context().cookies();
		const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
		assert.match(await refused({ cookie, origin: 'http://elsewhere.example' }), /403/);
		assert.match(await refused({ cookie }), /403/);
		const socket = new WebSocket(url, { headers: { cookie, origin } });
		await once(socket, 'open');
		const join = { roomId: 'lobby', userId: 'bob', userName: 'bob' };
		socket.send(JSON.stringify({ request: true, id: 1, method: 'join', data: join }));
		const [response] = (await once(socket, 'message')) as [Buffer];
		assert.equal((JSON.parse(response.toString()) as { errorCode: number }).errorCode, 403);
		socket.close();
	});

	it('refuse the page of another site in the browser of somebody who is signed in', async (t) => {
		const own = await signIn(t, 'alice', 'one');
		await own.getByRole('button', { name: 'Mute' }).waitFor();
		const site = createHttpServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>Win!</p>'));
		t.after(() => {
			site.closeAllConnections();
			site.close();
		});
		await once(site.listen(0, 'localhost'), 'listening');
		const foreign = `http://localhost:${(site.address() as AddressInfo).port}`;
		const page = await own.context().newPage();
		await page.goto(foreign);
		// Ports do not part cookies: the browser sends the one of the session along.
		const session = (await own.context().cookies(origin)).map(({ name }) => name);
		assert.ok(session.length > 0);
		assert.deepEqual(
			(await own.context().cookies(foreign)).map(({ name }) => name),
			session,
		);
		const open = (from: Page) =>
			from.evaluate(`new Promise((resolve) => {
				const socket = new WebSocket(${JSON.stringify(`${origin.replace('http', 'ws')}/webrtc`)});
				socket.onopen = () => resolve('open');
				socket.onclose = () => resolve('refused');
			})`);
		assert.equal(await open(page), 'refused');
		assert.equal(await open(own), 'open');
	});

	it('let two people see each other, and come back after a cut', async (t) => {
		const alice = await signIn(t, 'alice', 'one');
		const bob = await signIn(t, 'bob', 'two');
		await Promise.all([sees(alice, 'bob'), sees(bob, 'alice')]);
		assert.equal(await alice.locator('audio[title=bob]').count(), 1);

		// A lost socket: media goes on over the same connections.
		const before = await count(alice, 'connections');
		await alice.evaluate('sockets.at(-1).close(4001)');
		await alice.waitForFunction('sockets.length === 2 && sockets[1].readyState === WebSocket.OPEN');
		await Promise.all([sees(alice, 'bob'), sees(bob, 'alice')]);
		assert.equal(await count(alice, 'connections'), before);

		// A lost socket, and lost media: new connections.
		await alice.evaluate('for (const each of [...connections, sockets.at(-1)]) each.close()');
		await alice.waitForFunction('sockets.length >= 3 && sockets.at(-1).readyState === WebSocket.OPEN');
		await alice.waitForFunction(`connections.length > ${before}`);
		await Promise.all([sees(alice, 'bob'), sees(bob, 'alice')]);
	});

	it('mute and unmute, and let one window of a user replace the other', async (t) => {
		const alice = await signIn(t, 'alice', 'one');
		const bob = await signIn(t, 'bob', 'two');
		await sees(alice, 'bob');
		await alice.evaluate(`
			globalThis.received = [];
			sockets.at(-1).addEventListener('message', ({ data }) => received.push(JSON.parse(data).method));
		`);
		await bob.getByRole('button', { name: 'Mute' }).click();
		await alice.waitForFunction(`received.includes('pusherPaused')`);
		await bob.getByRole('button', { name: 'Mute' }).click();
		await alice.waitForFunction(`received.includes('pusherResumed')`);

		const second = await bob.context().newPage();
		await second.goto(origin);
		await bob.getByText('joined in another window').waitFor();
		await sees(second, 'alice');
	});
});

async function freePort(): Promise<number> {
	const server = createServer().listen(0);
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}
