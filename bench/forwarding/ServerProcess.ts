import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Counts, Identity, Remote, Server, ServerOptions, Ssrcs } from './Server.js';
import type { Request, Response } from './serve.js';

type Distributed<Type> = Type extends unknown ? Omit<Type, 'id'> : never;

/** A server in a process of its own. */
export class ServerProcess implements Server {
	readonly #process: ChildProcess;
	readonly #pending = new Map<number, (response: Response) => void>();
	#requests = 0;
	#workers: readonly number[] = [];

	static async start(options: ServerOptions, execArgv: readonly string[] = []): Promise<ServerProcess> {
		const server = new ServerProcess(execArgv);
		server.#workers = (await server.#ask({ method: 'start', data: options })) as number[];
		return server;
	}

	private constructor(execArgv: readonly string[]) {
		const path = fileURLToPath(new URL('serve.ts', import.meta.url));
		this.#process = fork(path, { execArgv: [...process.execArgv, ...execArgv] });
		this.#process.on('message', (response: Response) => {
			this.#pending.get(response.id)?.(response);
			this.#pending.delete(response.id);
		});
		this.#process.on('exit', () => {
			for (const [id, settle] of this.#pending) settle({ id, error: 'the server has ended' });
		});
	}

	get pid(): number {
		return this.#process.pid ?? 0;
	}

	get workers(): readonly number[] {
		return this.#workers;
	}

	push(client: Identity): Promise<Remote & { ssrcs: Ssrcs }> {
		return this.#ask({ method: 'push', data: client }) as Promise<Remote & { ssrcs: Ssrcs }>;
	}

	pull(client: Identity): Promise<Remote> {
		return this.#ask({ method: 'pull', data: client }) as Promise<Remote>;
	}

	counts(): Promise<Counts> {
		return this.#ask({ method: 'counts' }) as Promise<Counts>;
	}

	async end(): Promise<void> {
		if (this.#process.exitCode !== null) return;
		const ended = once(this.#process, 'exit');
		this.#process.disconnect();
		await ended;
	}

	#ask(request: Distributed<Request>): Promise<unknown> {
		const id = this.#requests++;
		return new Promise((resolve, reject) => {
			this.#pending.set(id, (response) => {
				if ('error' in response) reject(new Error(response.error));
				else resolve(response.result);
			});
			this.#process.send({ id, ...request });
		});
	}
}
