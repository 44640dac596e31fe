import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Identity, Remote } from './Server.js';

/** What the clients of a load have counted since they began. The delays are those since {@link Load.forget}, in ms. */
export interface Told {
	connected: number;
	failed: number;
	received: number;
	/** What the client has received that has received least. */
	least: number;
	/** The missing sequence numbers. */
	lost: number;
	/** What the kernel dropped because it was not read in time. */
	drops: number;
	sent: number;
	/** The profile of SRTP. */
	profile: string;
	p50: number;
	p95: number;
	p99: number;
	delays: number;
}

/** What a pusher sends. */
export interface Media {
	/** Packets of audio in a second, and the bytes of their payload. */
	audio: { rate: number; payload: number };
	/** Frames of video in a second, the packets of a frame, and the bytes of their payload. */
	video: { rate: number; packets: number; payload: number };
}

/** Builds the load generator, which needs a C compiler, OpenSSL and libsrtp: `apt-get install gcc libssl-dev libsrtp2-dev`. */
export function buildLoad(): { binary: string; remove: () => void } {
	// So that all load ends with this process.
	for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
	process.setMaxListeners(0);
	const folder = mkdtempSync(join(tmpdir(), 'sfu-rooms-load-'));
	const sources = fileURLToPath(new URL('load/', import.meta.url));
	const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
	const binary = join(folder, 'load');
	execFileSync('cc', ['-O2', '-o', binary, ...files, '-lsrtp2', '-lssl', '-lcrypto'], {
		cwd: sources,
		stdio: 'inherit',
	});
	return {
		binary,
		remove: () => {
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** A process with WebRTC clients: see load/main.c. */
export class Load {
	readonly #process: ChildProcessByStdio<Writable, Readable, null>;
	readonly #lines: AsyncIterator<string>;
	#fingerprint = '';
	#last: Promise<unknown> = Promise.resolve();
	#clients = 0;

	static async start(binary: string): Promise<Load> {
		const load = new Load(binary);
		const { fingerprint } = (await load.#read()) as { fingerprint: string };
		load.#fingerprint = fingerprint;
		return load;
	}

	private constructor(binary: string) {
		// Also when it is stopped.
		process.once('exit', () => {
			this.end();
		});
		this.#process = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] });
		this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
	}

	get pid(): number {
		return this.#process.pid ?? 0;
	}

	/** The identity of the next client. */
	identity(): Identity {
		const [usernameFragment, password] = [randomBytes(4).toString('hex'), randomBytes(12).toString('hex')];
		return { usernameFragment, password, fingerprint: this.#fingerprint };
	}

	async connect({ usernameFragment: own }: Identity, remote: Remote): Promise<void> {
		const { usernameFragment, password, port, transportCc } = remote;
		this.#clients++;
		await this.#ask(`add ${own} ${usernameFragment} ${password} ${port} ${transportCc}`);
	}

	/** Waits until all clients have finished the DTLS handshake. */
	async connected(timeout = 30_000): Promise<void> {
		const end = performance.now() + timeout;
		for (;;) {
			const { connected, failed } = await this.tell();
			if (connected === this.#clients) return;
			if (failed > 0 || performance.now() > end) {
				throw new Error(`of ${this.#clients} clients ${connected} have connected, and ${failed} have failed`);
			}
			await sleep(50);
		}
	}

	/** Has the last client send, from now on, or at another rate than before. */
	async send({ audio, video }: Media, ssrcs: { audio: number; video: number }): Promise<void> {
		const numbers = [ssrcs.audio, ssrcs.video, audio.rate, audio.payload, video.rate, video.payload, video.packets];
		await this.#ask(`send ${numbers.join(' ')}`);
	}

	async tell(): Promise<Told> {
		return (await this.#ask('tell')) as Told;
	}

	/** Forgets the delays. */
	async forget(): Promise<void> {
		await this.#ask('forget');
	}

	/** Stops the whole process, so that it takes no time of a processor. The kernel drops what it is sent. */
	freeze(): void {
		this.#process.kill('SIGSTOP');
	}

	end(): void {
		this.#process.kill('SIGKILL');
	}

	#ask(command: string): Promise<object> {
		const answer = this.#last.then(() => {
			this.#process.stdin.write(`${command}\n`);
			return this.#read();
		});
		this.#last = answer.catch(() => undefined);
		return answer;
	}

	async #read(): Promise<object> {
		const line = await this.#lines.next();
		if (line.done) throw new Error('the load generator has ended');
		const answer = JSON.parse(line.value) as { error?: string };
		if (answer.error !== undefined) throw new Error(answer.error);
		return answer;
	}
}
