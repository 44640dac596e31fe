import type { SharedRoom } from './SharedRoom.js';

/** Servers that do not answer for so long are not waited for when a room opens, in ms. */
const openTimeout = 1000;

/** A room that is open on this server, and its subscription. */
export class OpenRoom {
	readonly room: SharedRoom<unknown>;
	readonly #subscribe: () => Promise<() => void>;
	/** The servers that have not said yet whether they have the room open. */
	readonly #awaited: Set<string>;
	#unsubscribe: (() => void) | undefined;
	#isSubscribing = false;
	#closed = false;
	#complete: () => void = () => undefined;

	/** @param awaited - the servers that are asked whether they have it open */
	constructor(room: SharedRoom<unknown>, awaited: Iterable<string>, subscribe: () => Promise<() => void>) {
		this.room = room;
		this.#awaited = new Set(awaited);
		this.#subscribe = subscribe;
	}

	/** Whether it hears what others say of the room, or is about to. */
	get isSubscribed(): boolean {
		return this.#isSubscribing || this.#unsubscribe !== undefined;
	}

	/** Hears what others say of the room. Rejects if the bus fails. Then it may be called again. */
	async subscribe(): Promise<void> {
		this.#isSubscribing = true;
		try {
			const unsubscribe = await this.#subscribe();
			if (this.#closed) unsubscribe();
			else this.#unsubscribe = unsubscribe;
		} finally {
			this.#isSubscribing = false;
		}
	}

	/** A server has said whether it has the room open, or has gone. */
	answered(nodeId: string): void {
		if (this.#awaited.delete(nodeId) && this.#awaited.size === 0) this.#complete();
	}

	/** Resolves when all have answered, or when they take too long. */
	async answers(): Promise<void> {
		if (this.#awaited.size === 0 || this.#closed) return;
		let timer: NodeJS.Timeout | undefined;
		await new Promise<void>((resolve) => {
			this.#complete = resolve;
			timer = setTimeout(resolve, openTimeout);
		});
		clearTimeout(timer);
	}

	close(): void {
		this.#closed = true;
		this.#unsubscribe?.();
		this.#complete();
	}
}
