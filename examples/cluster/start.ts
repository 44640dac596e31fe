/**
 * Three servers that share their rooms, and a Redis between them, on this machine:
 *
 *     node --import tsx examples/cluster/start.ts
 *
 * Open the printed addresses in several windows, with the same room. Below each picture is the server of that person.
 *
 * - `kill -9` one of the processes: its pages go on with another server, and it starts again.
 * - `kill -USR2` this process: a rolling update. One server after the other sends its pages away, stops, and starts again.
 * - Ctrl-C ends everything.
 *
 * - PORT: of the first server. Default 3001. The others have the ports after it.
 * - REDIS_URL: of a Redis that is there already. Default: `redis-server` is started.
 * - LISTEN_IP, ANNOUNCED_ADDRESS: as in examples/express/server.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { PORT = '3001', LISTEN_IP = '127.0.0.1' } = process.env;
const hostname = ['127.0.0.1', '0.0.0.0', '::'].includes(LISTEN_IP) ? 'localhost' : LISTEN_IP;
const hosts = [0, 1, 2].map((index) => `${hostname}:${Number(PORT) + index}`);
const folder = mkdtempSync(path.join(tmpdir(), 'sfu-cluster-'));
const redisSocket = path.join(folder, 'redis.sock');

const environment = {
	...process.env,
	CLUSTER_SECRET: process.env.CLUSTER_SECRET ?? randomBytes(32).toString('base64'),
	REDIS_URL: process.env.REDIS_URL ?? redisSocket,
	// A page of one server opens WebSockets to the others.
	ORIGIN: hosts.map((host) => `http://${host}`).join(' '),
};

const servers = new Map<string, ChildProcess>();
const children = new Set<ChildProcess>();
let ending = false;
process.once('exit', () => {
	for (const child of children) child.kill('SIGKILL');
	rmSync(folder, { recursive: true, force: true });
});

function run(command: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
	const child = spawn(command, args, { env, cwd: path.join(import.meta.dirname, '../..'), stdio: 'inherit' });
	children.add(child);
	child.once('exit', () => children.delete(child));
	child.once('error', ({ message }) => {
		console.error(message);
		process.exit(1);
	});
	return child;
}

/** Runs a server until everything ends. */
async function keep(host: string): Promise<void> {
	while (!ending) {
		const env = { ...environment, NODE_HOST: host, PORT: new URL(`http://${host}`).port };
		const server = run(process.execPath, ['--import', 'tsx', 'examples/express/server.ts'], env);
		console.log(`http://${host} is process ${server.pid}`);
		servers.set(host, server);
		const [code] = (await once(server, 'exit')) as [number | null];
		// It has said why.
		if (code) process.exit(code);
		await sleep(2000);
	}
}

async function answers(host: string): Promise<boolean> {
	return fetch(`http://${host}`).then(
		({ ok }) => ok,
		() => false,
	);
}

/** Replaces the servers, one after the other. */
async function update(): Promise<void> {
	for (const host of hosts) {
		const before = servers.get(host);
		console.log(`${host} is replaced`);
		before?.kill('SIGTERM');
		while (!ending && (servers.get(host) === before || !(await answers(host)))) await sleep(100);
	}
	console.log('All servers have been replaced');
}

async function end(): Promise<void> {
	ending = true;
	for (const server of servers.values()) server.kill('SIGINT');
	while ([...servers.values()].some((server) => children.has(server))) await sleep(50);
	process.exit();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());
process.on('SIGUSR2', () => void update());

if (!process.env.REDIS_URL) {
	const memoryOnly = ['--save', '', '--appendonly', 'no', '--loglevel', 'warning'];
	run('redis-server', ['--port', '0', '--unixsocket', redisSocket, ...memoryOnly], process.env);
	while (!existsSync(redisSocket)) await sleep(20);
}
await Promise.all(hosts.map(keep));
