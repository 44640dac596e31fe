import type { Bus } from './Bus.js';

/** Several servers in one process: a bus without a network, for tests and for trying out. */
export class MemoryBus implements Bus {
	readonly connected = true;
	readonly #listeners: Map<string, Set<(message: Uint8Array) => void>>;
	readonly #own = new Set<() => void>();

	/** @param other - a bus whose messages this one shares */
	constructor(other?: MemoryBus) {
		this.#listeners = other ? other.#listeners : new Map<string, Set<(message: Uint8Array) => void>>();
	}

	publish(subject: string, message: Uint8Array): Promise<void> {
		for (const listener of this.#listeners.get(subject) ?? []) {
			queueMicrotask(() => {
				if (this.#listeners.get(subject)?.has(listener)) listener(message);
			});
		}
		return Promise.resolve();
	}

	subscribe(subject: string, listener: (message: Uint8Array) => void): Promise<() => void> {
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
		return Promise.resolve(unsubscribe);
	}

	/** Never calls `listener`. */
	onConnected(): () => void {
		return () => undefined;
	}

	close(): Promise<void> {
		for (const unsubscribe of [...this.#own]) unsubscribe();
		return Promise.resolve();
	}
}
