import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// Debian has servers there, which the PATH of an ordinary user may lack.
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };

function missing(program: string): string | false {
	try {
		execFileSync(program, ['--version'], { env, stdio: 'ignore' });
		return false;
	} catch {
		return `needs ${program}, which is not installed: node scripts/clients.mjs`;
	}
}

/** For node:test's `skip`: why there is no Redis here, or false. */
export const noRedis = missing('redis-server');

/** For node:test's `skip`: why there is no NATS here, or false. */
export const noNats = missing('nats-server');

// What a test leaves behind that fails in an unforeseen way.
const running = new Set<ChildProcess>();
process.once('exit', () => {
	for (const child of running) child.kill('SIGKILL');
});

/** A port of loopback on which nobody listens. */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

/** A server in a process of its own, with a port and a temporary folder. */
export class Server {
	readonly port: number;
	readonly #address: string;
	readonly #folder: string;
	readonly #command: [program: string, ...args: string[]];
	#process: ChildProcess | undefined;

	/** @param address - where it listens. Default: loopback */
	static async start(
		command: (port: number) => [program: string, ...args: string[]],
		address = '127.0.0.1',
	): Promise<Server> {
		const port = await freePort();
		const server = new Server(port, address, await mkdtemp(join(tmpdir(), 'sfu-server-')), command(port));
		await server.start();
		return server;
	}

	private constructor(port: number, address: string, folder: string, command: [program: string, ...args: string[]]) {
		this.port = port;
		this.#address = address;
		this.#folder = folder;
		this.#command = command;
	}

	/** Starts the process again after {@link Server.kill}, on the same port. */
	async start(): Promise<void> {
		const [program, ...args] = this.#command;
		const child = spawn(program, args, { cwd: this.#folder, env, stdio: 'ignore' });
		running.add(child);
		child.once('exit', () => running.delete(child));
		this.#process = child;
		for (;;) {
			const socket = connect(this.port, this.#address);
			const connected = await once(socket, 'connect').then(
				() => true,
				() => false,
			);
			socket.destroy();
			if (connected) return;
			if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
			await sleep(20);
		}
	}

	/** Stops the process, as a machine does that is busy with something else. */
	stop(): void {
		this.#process?.kill('SIGSTOP');
	}

	/** Lets a stopped process go on. */
	resume(): void {
		this.#process?.kill('SIGCONT');
	}

	/** Ends the process at once. */
	async kill(): Promise<void> {
		const child = this.#process;
		this.#process = undefined;
		if (child?.exitCode !== null) return;
		const exit = once(child, 'exit');
		child.kill('SIGKILL');
		await exit;
	}

	/** Removes what the process has kept on disk. It must have ended. */
	async forget(): Promise<void> {
		await rm(this.#folder, { recursive: true, force: true });
		await mkdir(this.#folder);
	}

	/** Ends the process, and removes its folder. */
	async end(): Promise<void> {
		await this.kill();
		await rm(this.#folder, { recursive: true, force: true });
	}
}

/** A Redis that keeps nothing on disk. */
export const startRedis = (...options: string[]): Promise<Server> =>
	Server.start((port) => {
		const memoryOnly = ['--save', '', '--appendonly', 'no'];
		return ['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', ...memoryOnly, ...options];
	});

/** A NATS without JetStream. */
export const startNats = (): Promise<Server> =>
	Server.start((port) => ['nats-server', '--addr', '127.0.0.1', '--port', `${port}`]);
