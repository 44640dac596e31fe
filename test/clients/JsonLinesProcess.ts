import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

interface Pending {
	resolve: (result: unknown) => void;
	reject: (error: Error) => void;
}

/** A process that takes calls as lines of JSON, as json_lines.py says, and ends with its input. */
export class JsonLinesProcess {
	readonly #child: ChildProcessWithoutNullStreams;
	readonly #pending = new Map<number, Pending>();
	#lastId = 0;
	#errors = '';
	#ended = false;

	constructor(command: string, args: string[]) {
		this.#child = spawn(command, args);
		this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
			this.#errors = (this.#errors + text).slice(-4000);
		});
		this.#child.stdin.on('error', () => undefined);
		this.#child.on('error', (error) => {
			this.#end(error.message);
		});
		this.#child.on('close', (status, signal) => {
			this.#end(`it ended with ${String(signal ?? status)}`);
		});
		createInterface({ input: this.#child.stdout }).on('line', (line) => {
			const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
			const call = this.#pending.get(id);
			this.#pending.delete(id);
			if (error === undefined) call?.resolve(result);
			else call?.reject(new Error(error));
		});
	}

	call(method: string, ...args: unknown[]): Promise<unknown> {
		if (this.#ended) return Promise.reject(new Error(`${method}: the process has ended\n${this.#errors}`));
		this.#lastId++;
		const id = this.#lastId;
		this.#child.stdin.write(`${JSON.stringify({ id, method, arguments: args })}\n`);
		return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
	}

	/** Lets the process end, and kills it when it does not. */
	async stop(): Promise<void> {
		if (this.#ended) return;
		const closed = once(this.#child, 'close');
		this.#child.stdin.end();
		const late = sleep(3000, undefined, { ref: false }).then(() => this.#child.kill('SIGKILL'));
		await Promise.race([closed, late]);
		await closed;
	}

	#end(reason: string): void {
		this.#ended = true;
		for (const { reject } of this.#pending.values()) reject(new Error(`${reason}\n${this.#errors}`));
		this.#pending.clear();
	}
}
