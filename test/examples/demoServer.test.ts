import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { constants } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { demoEnvironment, end, groupExists, serverCommand, spawnCommand, startCommand, startDemo } from './demo.js';

/** Runs a server that is expected not to start, and resolves to what it says about that. */
async function failingDemo(t: TestContext, framework: string, port: string) {
	const child = spawnCommand(serverCommand(framework), demoEnvironment(port));
	t.after(() => end(child));
	let errors = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
	await once(child, 'exit');
	assert.equal(child.exitCode, 1);
	return errors.trim();
}

/** Opens a connection to a server, sends a text, and does nothing more. */
async function sendAndWait(t: TestContext, url: string, text: string) {
	const { port } = new URL(url);
	const socket = connect(Number(port), '127.0.0.1');
	t.after(() => socket.destroy());
	socket.on('error', () => undefined);
	await once(socket, 'connect');
	socket.write(text);
	return socket;
}

/** Whether a TCP connection can be opened. */
async function accepts(host: string, port: number) {
	const socket = connect(port, host);
	const accepted = await Promise.race([
		once(socket, 'connect').then(() => true),
		once(socket, 'error').then(() => false),
	]).catch(() => false);
	socket.destroy();
	return accepted;
}

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

		it(`refuses the WebSocket of a foreign page, with whatever cookie, on ${framework}`, async (t) => {
			const { url } = await startDemo(t, framework);
			const attempt = async (headers: Record<string, string>) => {
				const socket = new WebSocket(`${url.replace('http', 'ws')}/webrtc`, { headers });
				t.after(() => {
					socket.terminate();
				});
				const opened = once(socket, 'open').then(() => 'open');
				return Promise.race([opened, once(socket, 'error').then(([error]) => (error as Error).message)]).catch(
					(error: unknown) => (error as Error).message,
				);
			};
			const { origin, host } = new URL(url);
			const cookie = 'session=of-the-victim';
			for (const foreign of [
				'https://elsewhere.example',
				`http://${host}.elsewhere.example`,
				`http://${host}@elsewhere.example`,
				'null',
				'',
			]) {
				assert.match(await attempt({ cookie, origin: foreign }), /403/, foreign);
			}
			assert.equal(await attempt({ cookie, origin }), 'open');
			assert.equal(await attempt({ cookie }), 'open', 'a program that is no browser');
		});

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

		it(`ends though clients do not close their connections, on ${framework}`, async (t) => {
			const { url, stop, errors } = await startDemo(t, framework);
			await sendAndWait(t, url, 'GET / HTTP/1.1\r\nHost: localhost\r\n');
			const socket = await sendAndWait(
				t,
				url,
				'GET /webrtc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
					'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
			);
			await once(socket, 'data');
			const begun = Date.now();
			assert.equal(await stop(), 0);
			assert.equal(errors(), '');
			assert.ok(Date.now() - begun < 20_000);
		});

		it(`listens on LISTEN_IP alone, on ${framework}`, async (t) => {
			const environment = { ...process.env, PORT: '0', LISTEN_IP: '127.0.0.2' };
			const { url } = await startCommand(t, serverCommand(framework), environment);
			const { hostname, port } = new URL(url);
			assert.equal(hostname, '127.0.0.2');
			assert.equal(await accepts('127.0.0.2', Number(port)), true);
			assert.equal(await accepts('127.0.0.1', Number(port)), false);
		});

		it(`ends on a signal while it starts, on ${framework}`, async (t) => {
			const child = spawnCommand(serverCommand(framework), demoEnvironment('0'));
			t.after(() => end(child));
			const exit = once(child, 'exit');
			await sleep(500 + 2500 * Math.random());
			child.kill('SIGINT');
			await exit;
		});
	}

	const commands = [
		['npm', 'run', 'demo'],
		['node_modules/.bin/tsx', 'examples/express/server.ts'],
	];
	for (const command of commands) {
		for (const signal of ['SIGINT', 'SIGTERM'] as const) {
			for (const toGroup of [false, true]) {
				it(`ends on ${signal} to ${toGroup ? 'the process group of ' : ''}${command.join(' ')}`, async (t) => {
					const { url, process: child } = await startCommand(t, command, demoEnvironment('0'));
					const exit = once(child, 'exit');
					// A terminal sends Ctrl-C to the group.
					process.kill(toGroup ? -child.pid! : child.pid!, signal);
					await exit;
					// tsx may report the signal by its exit status, as a shell does.
					const statuses: unknown[] = [0, 128 + constants.signals[signal]];
					const { exitCode, signalCode } = child;
					assert.ok(signalCode === signal || statuses.includes(exitCode), `${exitCode} ${signalCode}`);
					for (let wait = 0; wait < 100 && groupExists(child); wait++) await sleep(100);
					assert.equal(groupExists(child), false);
					assert.equal(await accepts('127.0.0.1', Number(new URL(url).port)), false);
				});
			}
		}
	}
});
