import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import manifest from '../../package.json' with { type: 'json' };
import { cannotRun, chromiumFlags, executables, fakeDevices } from '../support/browsers.js';
import { mediaAddress } from '../support/namespace.js';
import { ProtooClient } from '../support/protooClient.js';
import { recordSockets } from '../support/recordSockets.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const resolve = createRequire(import.meta.url).resolve;
const tsx = pathToFileURL(resolve('tsx')).href;

/** What a client gets. */
interface Message {
	ok?: boolean;
	method?: string;
	data?: { message?: string };
}

describe('The examples of the adapters, with the packed library', () => {
	let project: string;

	before(async () => {
		project = await mkdtemp(join(tmpdir(), 'sfu-rooms-adapters-'));
		const modules = join(project, 'node_modules');
		await mkdir(modules);
		const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root });
		// All that the examples need, but not the sources of the library.
		for (const name of await readdir(join(root, 'node_modules'))) {
			if (!name.startsWith('.') && name !== manifest.name) {
				await symlink(join(root, 'node_modules', name), join(modules, name));
			}
		}
		await run('tar', ['xzf', stdout.trim()], { cwd: project });
		await cp(join(project, 'package'), join(modules, manifest.name), { recursive: true });
		for (const name of ['socket.io', 'fastify', 'login', 'express', 'cluster', 'tcp', 'bundleClient.ts']) {
			await cp(join(root, 'examples', name), join(project, 'examples', name), { recursive: true });
		}
		await writeFile(join(project, 'package.json'), '{ "type": "module" }');
		const compilerOptions = {
			module: 'nodenext',
			target: 'es2022',
			strict: true,
			exactOptionalPropertyTypes: true,
			types: ['node'],
			noEmit: true,
			skipLibCheck: true,
		};
		await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['examples'] }));
	});

	after(() => rm(project, { recursive: true, force: true }));

	/** Runs an example until the test ends, and resolves to its URL. */
	async function start(t: TestContext, name: string, ip = '127.0.0.1') {
		const child = spawn(process.execPath, ['--import', tsx, `examples/${name}/server.ts`], {
			cwd: project,
			env: { ...process.env, PORT: '0', LISTEN_IP: ip },
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		t.after(() => child.kill('SIGKILL'));
		const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
		const url = /\b(?:http|tcp):\S+/.exec(line)?.[0];
		assert.ok(url, line);
		return {
			url,
			stop: async () => {
				child.kill('SIGTERM');
				assert.deepEqual(await once(child, 'exit'), [0, null]);
			},
		};
	}

	async function connect(t: TestContext, url: string, headers: Record<string, string> = {}) {
		const socket = new WebSocket(`${url.replace('http', 'ws')}/webrtc`, { headers });
		t.after(() => {
			socket.terminate();
		});
		return ProtooClient.overWebSocket(socket);
	}

	it('compile', async () => {
		const tsc = join(dirname(resolve('typescript/package.json')), 'bin/tsc');
		const compiling = run(process.execPath, [tsc, '-p', project]);
		assert.equal((await compiling.catch((error: unknown) => error as { stdout: string })).stdout, '');
	});

	it('run on Fastify', async (t) => {
		const { url, stop } = await start(t, 'fastify');
		const alice = await connect(t, url);
		await alice.join('room', 'alice');
		await assert.rejects(connect(t, url, { origin: 'https://elsewhere.example' }), /403/);
		await stop();
		assert.equal(await alice.closed, 1001);
	});

	it('run on Express, where the demo is', async (t) => {
		const { url, stop } = await start(t, 'express');
		assert.match(await (await fetch(url)).text(), /<!doctype html>/i);
		const alice = await connect(t, url);
		await alice.join('room', 'alice');
		await assert.rejects(connect(t, url, { origin: 'https://elsewhere.example' }), /403/);
		await stop();
		assert.equal(await alice.closed, 1001);
	});

	it('run on Express, with a session', async (t) => {
		const { url, stop } = await start(t, 'login');
		await assert.rejects(connect(t, url), /403/);
		const response = await fetch(`${url}/login/alice`, { method: 'POST' });
		const [cookie = ''] = response.headers.getSetCookie().map((text) => text.split(';')[0]!);
		const alice = await connect(t, url, { cookie });
		await assert.rejects(alice.join('room', 'bob'), { errorCode: 403 });
		await alice.join('room', 'alice');
		await stop();
		assert.equal(await alice.closed, 1001);
	});

	it('run on Socket.IO', async (t) => {
		const { url, stop } = await start(t, 'socket.io');
		const socket: Socket = io(`${url}/rooms`, { auth: { name: 'alice' }, reconnection: false });
		t.after(() => socket.disconnect());
		const join = async (userId: string) =>
			(await socket.timeout(10_000).emitWithAck('join', { roomId: 'room', userId, userName: userId })) as {
				ok: boolean;
			};
		assert.equal((await join('bob')).ok, false);
		assert.equal((await join('alice')).ok, true);
		const foreign = io(`${url}/rooms`, {
			extraHeaders: { origin: 'https://elsewhere.example' },
			transports: ['websocket'],
			reconnection: false,
			forceNew: true,
		});
		await new Promise((resolved) => foreign.once('connect_error', resolved));
		const closing = new Promise((resolved) => socket.once('closing', resolved));
		await stop();
		assert.deepEqual(await closing, { code: 1001, reason: 'the server is going away' });
	});

	it('run on TCP, by a socket of 15 lines', async (t) => {
		const { url, stop } = await start(t, 'tcp');
		const { hostname, port } = new URL(url);
		const open = async () => {
			const connection = connectTcp(Number(port), hostname);
			t.after(() => connection.destroy());
			await once(connection, 'connect');
			let unread = '';
			connection.setEncoding('utf8').on('data', (text: string) => (unread += text));
			const next = async () => {
				while (!unread.includes('\n')) await once(connection, 'data');
				const end = unread.indexOf('\n');
				const message = JSON.parse(unread.slice(0, end)) as Message;
				unread = unread.slice(end + 1);
				return message;
			};
			return { connection, next, send: (message: object) => connection.write(`${JSON.stringify(message)}\n`) };
		};
		const join = async (userId: string) => {
			const client = await open();
			client.send({ request: true, id: 1, method: 'join', data: { roomId: 'room', userId, userName: userId } });
			assert.equal((await client.next()).ok, true);
			return client;
		};
		const [alice, bob] = [await join('alice'), await join('bob')];
		assert.equal((await alice.next()).method, 'newUser');
		// One message in two parts, with what other readers take for the end of a line.
		const text = { roomId: 'room', userId: 'bob', message: 'one\u2028two ü' };
		const bytes = Buffer.from(`${JSON.stringify({ notification: true, method: 'textMessage', data: text })}\n`);
		bob.connection.write(bytes.subarray(0, -5));
		await new Promise((resolve) => setTimeout(resolve, 50));
		bob.connection.write(bytes.subarray(-5));
		const told = await alice.next();
		assert.deepEqual([told.method, told.data?.message], ['textMessage', text.message]);
		// Endless lines are cut, and refused.
		bob.connection.write(`${'x'.repeat(2_000_000)}\n`);
		assert.equal((await bob.next()).method, 'messageRefused');
		bob.connection.resetAndDestroy();
		const ended = once(alice.connection, 'end');
		await stop();
		await ended;
	});

	it(
		'let two pages see each other over Socket.IO, before and after a cut',
		{ skip: cannotRun('Chromium') },
		async (t) => {
			const { url } = await start(t, 'socket.io', mediaAddress);
			const browser = await chromium.launch({
				executablePath: executables.Chromium,
				// A page gets a camera from a secure origin only.
				args: [...chromiumFlags, ...fakeDevices, `--unsafely-treat-insecure-origin-as-secure=${url}`],
			});
			t.after(() => browser.close());
			const open = async (name: string) => {
				const page = await browser.newPage();
				page.setDefaultTimeout(60_000);
				await page.addInitScript(recordSockets);
				await page.goto(url);
				await page.getByPlaceholder('Your name').fill(name);
				await page.getByRole('button', { name: 'Join' }).click();
				return page;
			};
			const sees = async (page: Page, name: string) => {
				await page.locator(`video[title=${name}]`).waitFor();
				const frames = `document.querySelector('video[title=${name}]').getVideoPlaybackQuality().totalVideoFrames`;
				const seen = await page.evaluate<number>(frames);
				await page.waitForFunction(`${frames} > ${seen}`);
			};
			const [alice, bob] = await Promise.all([open('alice'), open('bob')]);
			await Promise.all([sees(alice, 'bob'), sees(bob, 'alice')]);
			const before = await alice.evaluate<number>('sockets.length');
			await alice.evaluate('sockets.at(-1).close()');
			await alice.waitForFunction(`sockets.length > ${before} && sockets.at(-1).readyState === WebSocket.OPEN`);
			await Promise.all([sees(alice, 'bob'), sees(bob, 'alice')]);
			// A closed page leaves at once.
			await bob.goto('about:blank');
			await alice.locator('video[title=bob]').waitFor({ state: 'detached' });
		},
	);
});
