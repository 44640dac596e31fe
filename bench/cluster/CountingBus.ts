import type { Bus } from '../../src/cluster/Bus.js';

/** What was published, and what Redis would have delivered of it. The bytes are those of the sealed messages. */
export interface Count {
	published: number;
	delivered: number;
	bytesIn: number;
	bytesOut: number;
}

type Listener = (message: Uint8Array) => void;

/** What a sealed message is longer than its text. */
const seal = 40;
const mark = '{"$":';
const kindAt = /"body":\{"kind":"(\w+)"/;
const roomAt = /"roomId":"([^"]*)"/;

/**
 * All buses of a simulated cluster. Messages have a mark in place of each user state, so that a hundred thousand users fit into
 * one process. The bytes are counted as if the states were there.
 */
export class Exchange {
	/** By what it is for. */
	counts = new Map<string, Count>();
	/** Which messages get through. */
	passes: (kind: string) => boolean = () => true;
	readonly #subjects = new Map<string, Set<Listener>>();
	readonly #stateSizes: readonly number[];
	readonly #groups: ReadonlyMap<string, string>;

	/**
	 * @param stateSizes - how long the JSON of the state `{ $: index }` would be
	 * @param groups - what to count a room as, by its subject and by its id
	 */
	constructor(stateSizes: readonly number[], groups: ReadonlyMap<string, string>) {
		this.#stateSizes = stateSizes;
		this.#groups = groups;
	}

	/** Forgets what it has counted. @returns that */
	take(): Map<string, Count> {
		const { counts } = this;
		this.counts = new Map();
		return counts;
	}

	publish(subject: string, message: Uint8Array): void {
		const text = Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1');
		const kind = kindAt.exec(text)?.[1] ?? '';
		if (!this.passes(kind)) return;
		const listeners = [...(this.#subjects.get(subject) ?? [])];
		const group = this.#groups.get(subject) ?? this.#groups.get(roomAt.exec(text)?.[1] ?? '');
		const bytes = message.length + seal + this.#missing(text);
		const key = group === undefined ? kind : `${kind} ${group}`;
		const count = this.counts.get(key) ?? { published: 0, delivered: 0, bytesIn: 0, bytesOut: 0 };
		this.counts.set(key, count);
		count.published++;
		count.delivered += listeners.length;
		count.bytesIn += bytes;
		count.bytesOut += bytes * listeners.length;
		queueMicrotask(() => {
			for (const listener of listeners) listener(message);
		});
	}

	subscribe(subject: string, listener: Listener): () => void {
		const listeners = this.#subjects.get(subject) ?? new Set();
		this.#subjects.set(subject, listeners.add(listener));
		return () => {
			listeners.delete(listener);
		};
	}

	/** So many bytes the states have more than their marks. */
	#missing(text: string): number {
		let missing = 0;
		for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
			missing += this.#stateSizes[Number(text[at + mark.length])]! - mark.length - 2;
		}
		return missing;
	}
}

/** The bus of one server. */
export class CountingBus implements Bus {
	connected = true;
	readonly #exchange: Exchange;
	readonly #watchers = new Set<(connected: boolean) => void>();

	constructor(exchange: Exchange) {
		this.#exchange = exchange;
	}

	publish(subject: string, message: Uint8Array): Promise<void> {
		if (!this.connected) return Promise.reject(new Error('the bus is gone'));
		this.#exchange.publish(subject, message);
		return Promise.resolve();
	}

	subscribe(subject: string, listener: Listener): Promise<() => void> {
		const own = (message: Uint8Array) => {
			if (this.connected) listener(message);
		};
		return Promise.resolve(this.#exchange.subscribe(subject, own));
	}

	onConnected(listener: (connected: boolean) => void): () => void {
		this.#watchers.add(listener);
		return () => this.#watchers.delete(listener);
	}

	/** Loses the connection, or has it back. */
	setConnected(connected: boolean): void {
		this.connected = connected;
		for (const watcher of this.#watchers) watcher(connected);
	}

	close(): Promise<void> {
		this.connected = false;
		return Promise.resolve();
	}
}
