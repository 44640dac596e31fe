import { consoleLogger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import type { Bus } from './Bus.js';

/** Several servers in one process: a bus without a network, for tests and for trying out. */
export class MemoryBus implements Bus {
	readonly #listeners: Map<string, Set<(message: Uint8Array) => void>>;
	readonly #own = new Set<() => void>();
	#closed = false;

	/** @param other - a bus whose messages this one shares */
	constructor(other?: MemoryBus) {
		this.#listeners = other ? other.#listeners : new Map<string, Set<(message: Uint8Array) => void>>();
	}

	get connected(): boolean {
		return !this.#closed;
	}

	async publish(subject: string, message: Uint8Array): Promise<void> {
		this.#assertOpen();
		const copy = Uint8Array.from(message);
		const listeners = [...(this.#listeners.get(subject) ?? [])];
		await Promise.resolve();
		for (const listener of listeners) {
			if (!this.#listeners.get(subject)?.has(listener)) continue;
			try {
				listener(copy);
			} catch (error) {
				consoleLogger.error('a listener of the bus failed', { subject, error });
			}
		}
	}

	async subscribe(subject: string, listener: (message: Uint8Array) => void): Promise<() => void> {
		await Promise.resolve();
		this.#assertOpen();
		// The same function may subscribe twice.
		const own = (message: Uint8Array) => {
			listener(message);
		};
		const listeners = this.#listeners.get(subject) ?? new Set();
		this.#listeners.set(subject, listeners.add(own));
		const unsubscribe = () => {
			this.#own.delete(unsubscribe);
			listeners.delete(own);
			if (listeners.size === 0 && this.#listeners.get(subject) === listeners) this.#listeners.delete(subject);
		};
		this.#own.add(unsubscribe);
		return unsubscribe;
	}

	/** Never calls `listener`. */
	onConnected(): () => void {
		return () => undefined;
	}

	close(): Promise<void> {
		this.#closed = true;
		for (const unsubscribe of [...this.#own]) unsubscribe();
		return Promise.resolve();
	}

	#assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the bus has been closed');
	}
}
