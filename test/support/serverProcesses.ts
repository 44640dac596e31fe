import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Commands } from '../cluster/serverProcess.js';
import type { Host } from './hosts.js';
import { mediaAddress } from './namespace.js';

/** What a server is started with. */
export interface ServerSettings {
	redisPort: number;
	/** Default: this host. */
	redisHost?: string | undefined;
	/** Asks this Sentinel of Redis where Redis is, if there is one. */
	sentinelPort?: number | undefined;
	name: string;
	workers: number;
	listenIp: string;
}

/** Where and how a server runs. */
export interface ServerPlace {
	/** Default: that of the test. */
	host?: Host;
	/** The folder of the version that runs. Default: this one. */
	folder?: string;
	redisHost?: string;
	sentinelPort?: number;
}

/** A command to a server. */
export interface ServerCall {
	id: number;
	command: keyof Commands;
	args: unknown[];
}

/** Something that has happened on a server. */
export interface Told {
	/** In ms since the epoch, by the clock of this machine. */
	at: number;
	/** Empty if it concerns no room. */
	roomId: string;
	text: string;
}

/** What a server sends. */
export type ServerAnswer =
	| { kind: 'ready' }
	| { kind: 'result'; id: number; result: unknown }
	| { kind: 'failed'; id: number; code: string | undefined; message: string }
	| ({ kind: 'told' } & Told)
	| { kind: 'logged'; level: string; message: string; details: string };

interface Pending {
	resolve: (result: never) => void;
	reject: (error: Error) => void;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = 'test/cluster/serverProcess.ts';

/** A command that takes longer has got stuck, in ms. */
const callTime = 30_000;

// What a test leaves behind that fails in an unforeseen way.
const running = new Set<ChildProcess>();
process.once('exit', () => {
	for (const child of running) child.kill('SIGKILL');
});

/** A server in a process of its own, with an Sfu that `Sfu.create()` has made, and a Redis as its bus. */
export class ServerProcess {
	readonly name: string;
	/** All that has happened there, in order. */
	readonly told: Told[] = [];
	/** The warnings and errors that it has logged. */
	readonly logged: string[] = [];
	/** How it has ended: with a status or by a signal. */
	readonly exited: Promise<number | string>;
	readonly #child: ChildProcess;
	readonly #pending = new Map<number, Pending>();
	readonly #listeners = new Set<() => void>();
	#lastId = 0;
	#isReady = false;
	#hasEnded = false;

	/** Resolves when it is in the cluster. */
	static async start(redisPort: number, name: string, place: ServerPlace = {}): Promise<ServerProcess> {
		const { host, redisHost, sentinelPort } = place;
		const listenIp = host?.address ?? mediaAddress;
		const server = new ServerProcess({ redisPort, redisHost, sentinelPort, name, workers: 1, listenIp }, place);
		await server.#until(() => server.#isReady, `${name} is ready`, 180_000);
		return server;
	}

	private constructor(settings: ServerSettings, { host, folder = root }: ServerPlace) {
		this.name = settings.name;
		const node = [process.execPath, '--import', 'tsx'] as const;
		const [execPath, ...execArgv] = host?.command(...node) ?? node;
		const child = fork(join(folder, script), [JSON.stringify(settings)], {
			execPath,
			execArgv,
			cwd: folder,
			serialization: 'advanced',
			stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
		});
		this.#child = child;
		running.add(child);
		child.on('message', (answer: ServerAnswer) => {
			this.#receive(answer);
		});
		this.exited = once(child, 'exit').then(([status, signal]: (number | string | null)[]) => {
			running.delete(child);
			this.#hasEnded = true;
			const ended = signal ?? status ?? 'unknown';
			for (const { reject } of this.#pending.values()) reject(new Error(`${this.name} has ended with ${ended}`));
			this.#pending.clear();
			for (const listener of this.#listeners) listener();
			return ended;
		});
	}

	get pid(): number {
		return this.#child.pid!;
	}

	/** Has it do something. Rejects with the error there, and its `code`. */
	call<Name extends keyof Commands>(
		command: Name,
		...args: Parameters<Commands[Name]>
	): Promise<Awaited<ReturnType<Commands[Name]>>> {
		if (this.#hasEnded) return Promise.reject(new Error(`${this.name} has ended`));
		const id = ++this.#lastId;
		let timer: NodeJS.Timeout | undefined;
		return new Promise<Awaited<ReturnType<Commands[Name]>>>((resolve, reject) => {
			timer = setTimeout(() => {
				this.#pending.delete(id);
				reject(
					new Error(
						`${this.name} has not done this within ${callTime} ms: ${command} ${JSON.stringify(args).slice(0, 200)}`,
					),
				);
			}, callTime);
			this.#pending.set(id, { resolve, reject });
			this.#child.send({ id, command, args } satisfies ServerCall, (error) => {
				if (error && this.#pending.delete(id)) reject(error);
			});
		}).finally(() => {
			clearTimeout(timer);
		});
	}

	/** What has happened in a room, in words. */
	story(roomId = '', since = 0): string[] {
		return this.told.filter((one) => one.roomId === roomId && one.at >= since).map(({ text }) => text);
	}

	/** Waits until something is told of a room. @returns when that was, in ms since the epoch */
	async untilTold(roomId: string, text: string, within = 5000): Promise<number> {
		const find = () => this.told.find((one) => one.roomId === roomId && one.text === text);
		await this.#until(() => find() !== undefined, `${this.name} tells of ${roomId}: ${text}`, within);
		return find()!.at;
	}

	/** Ends the process at once, as a machine does that loses its power. */
	async kill(): Promise<void> {
		this.#child.kill('SIGKILL');
		await this.exited;
	}

	#receive(answer: ServerAnswer): void {
		if (answer.kind === 'ready') this.#isReady = true;
		else if (answer.kind === 'told') this.told.push({ at: answer.at, roomId: answer.roomId, text: answer.text });
		else if (answer.kind === 'logged') this.logged.push(`${answer.level}: ${answer.message} ${answer.details}`);
		else this.#settle(answer);
		for (const listener of this.#listeners) listener();
	}

	#settle(answer: Extract<ServerAnswer, { id: number }>): void {
		const pending = this.#pending.get(answer.id);
		this.#pending.delete(answer.id);
		if (answer.kind === 'result') pending?.resolve(answer.result as never);
		else pending?.reject(Object.assign(new Error(`${this.name}: ${answer.message}`), { code: answer.code }));
	}

	async #until(condition: () => boolean, what: string, within: number): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		let listener: (() => void) | undefined;
		await new Promise<void>((resolve, reject) => {
			const fail = (why: string) => {
				reject(new Error(`${why}: ${what}\n${this.logged.slice(-20).join('\n')}`));
			};
			timer = setTimeout(() => {
				fail(`not within ${within} ms`);
			}, within);
			listener = () => {
				if (condition()) resolve();
				else if (this.#hasEnded) fail('the process has ended');
			};
			this.#listeners.add(listener);
			listener();
		}).finally(() => {
			clearTimeout(timer);
			this.#listeners.delete(listener!);
		});
	}
}

/** Ends all servers at once. */
export async function killServerProcesses(): Promise<void> {
	for (const child of running) {
		const exit = once(child, 'exit');
		child.kill('SIGKILL');
		await exit;
	}
}

/** Starts servers that share rooms. Resolves when all of them know each other. */
export async function startServerProcesses(
	redisPort: number,
	names: readonly string[],
	places: readonly ServerPlace[] = [],
): Promise<ServerProcess[]> {
	const servers = await Promise.all(names.map((name, index) => ServerProcess.start(redisPort, name, places[index])));
	await untilAcquainted(servers);
	return servers;
}

/** Waits until servers know each other, and no others. */
export const untilAcquainted = (servers: readonly ServerProcess[]): Promise<number> =>
	eventually(
		'all servers know each other',
		async () => {
			const names = servers.map(({ name }) => name).sort();
			for (const server of servers) {
				const { nodes } = await server.call('about');
				assert.deepEqual(Object.keys(nodes).sort(), names, server.name);
			}
		},
		20_000,
	);

/** Checks something again and again, until it holds. @returns how long that took, in ms */
export async function eventually(what: string, check: () => Promise<void>, within = 5000, pause = 20): Promise<number> {
	const started = performance.now();
	for (;;) {
		try {
			await check();
			return performance.now() - started;
		} catch (cause) {
			if (performance.now() - started > within) throw new Error(`not within ${within} ms: ${what}`, { cause });
		}
		await sleep(pause);
	}
}
