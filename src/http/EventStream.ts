import { randomUUID } from 'node:crypto';

// Proxies close a connection on which nothing comes for a minute.
const heartbeatInterval = 15_000;

const encoder = new TextEncoder();

/**
 * Events for one client (WHATWG, server-sent events). Of each kind the last one waits for a slow reader, or for one that
 * comes back, so that it takes little whatever happens.
 */
export class EventStream {
	/** Its id. It is unique. */
	readonly streamId = randomUUID();
	readonly #events: ReadonlySet<string>;
	readonly #pending = new Map<string, string>();
	readonly #heartbeat: NodeJS.Timeout;
	#controller: ReadableStreamDefaultController<Uint8Array> | undefined;
	/** Ends the wait of the reader. */
	#wake: (() => void) | undefined;

	/** @param events - the kinds of events that the client wants */
	constructor(events: readonly string[]) {
		this.#events = new Set(events);
		this.#heartbeat = setInterval(() => {
			if (this.#wake) this.#give(':\n\n');
		}, heartbeatInterval);
		this.#heartbeat.unref();
	}

	/** Tells an event, if the client wants it. */
	send(event: string, data: unknown): void {
		if (!this.#events.has(event)) return;
		// One that comes again goes to the end, so that the order of the last ones holds.
		this.#pending.delete(event);
		this.#pending.set(event, JSON.stringify(data));
		if (this.#wake) this.#flush();
	}

	/** Opens it for reading. A reader before is dismissed. */
	open(): ReadableStream<Uint8Array> {
		this.#dismiss();
		return new ReadableStream<Uint8Array>({
			start: (controller) => {
				this.#controller = controller;
			},
			pull: (controller) =>
				new Promise<void>((resolve) => {
					if (this.#controller !== controller) {
						resolve();
						return;
					}
					this.#wake = resolve;
					if (this.#pending.size > 0) this.#flush();
				}),
			cancel: () => {
				this.#wake = undefined;
				this.#controller = undefined;
			},
		});
	}

	/** Ends it. */
	close(): void {
		clearInterval(this.#heartbeat);
		this.#pending.clear();
		this.#dismiss();
	}

	#flush(): void {
		const events = [...this.#pending].map(([event, data]) => `event: ${event}\ndata: ${data}\n\n`);
		this.#pending.clear();
		this.#give(events.join(''));
	}

	#give(text: string): void {
		const wake = this.#wake;
		this.#wake = undefined;
		this.#controller?.enqueue(encoder.encode(text));
		wake?.();
	}

	#dismiss(): void {
		const [controller, wake] = [this.#controller, this.#wake];
		this.#controller = undefined;
		this.#wake = undefined;
		controller?.close();
		wake?.();
	}
}
