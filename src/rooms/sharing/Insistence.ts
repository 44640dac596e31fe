import type { AskNode } from '../../media/pipes/IncomingPipes.js';
import { SfuError } from '../../SfuError.js';

/** The time between two attempts, in ms. */
const retryInterval = 1000;
/** So many servers that are not there are remembered, and so much for each: one that is taken for dead may come back. */
const [mostNodes, mostOwed] = [100, 1000];

interface Owed {
	method: string;
	params: object;
	isBeingTold: boolean;
}

/** Tells other servers what they must not miss, again and again until they have heard it, even if they are gone for a while. */
export class Insistence {
	readonly #ask: AskNode;
	readonly #isThere: (nodeId: string) => boolean;
	/** What is to be told, by server and key. */
	readonly #owed = new Map<string, Map<string, Owed>>();
	#closed = false;

	/** @param isThere - whether a server is in the cluster */
	constructor(ask: AskNode, isThere: (nodeId: string) => boolean) {
		this.#ask = ask;
		this.#isThere = isThere;
	}

	/** @param key - of what is told: it takes the place of what has the same key, and was not heard yet */
	tell(nodeId: string, key: string, method: string, params: object): void {
		if (this.#closed) return;
		const owed = this.#owed.get(nodeId) ?? new Map<string, Owed>();
		this.#owed.delete(nodeId);
		this.#owed.set(nodeId, owed);
		owed.delete(key);
		owed.set(key, { method, params, isBeingTold: false });
		forgetFirst(owed, mostOwed);
		forgetFirst(this.#owed, mostNodes);
		this.returned(nodeId);
	}

	/** Tells a server what it may have missed, if it is there. */
	returned(nodeId: string): void {
		for (const [key, one] of this.#owed.get(nodeId) ?? []) if (!one.isBeingTold) void this.#tell(nodeId, key, one);
	}

	/** Tells nothing any more. */
	close(): void {
		this.#closed = true;
		this.#owed.clear();
	}

	async #tell(nodeId: string, key: string, one: Owed): Promise<void> {
		const isOwed = () => this.#owed.get(nodeId)?.get(key) === one;
		one.isBeingTold = true;
		while (isOwed() && this.#isThere(nodeId)) {
			try {
				await this.#ask(nodeId, one.method, one.params);
				this.#heard(nodeId, key, one);
				break;
			} catch (error) {
				// Any other error is an answer, or this server closes.
				if (!(error instanceof SfuError && error.code === 'unavailable')) this.#heard(nodeId, key, one);
			}
			if (isOwed()) await new Promise((resolve) => setTimeout(resolve, retryInterval).unref());
		}
		one.isBeingTold = false;
	}

	#heard(nodeId: string, key: string, one: Owed): void {
		const owed = this.#owed.get(nodeId);
		if (owed?.get(key) !== one) return;
		owed.delete(key);
		if (owed.size === 0) this.#owed.delete(nodeId);
	}
}

/** Forgets what is in a map for the longest time. */
function forgetFirst(map: Map<string, unknown>, most: number): void {
	for (const key of map.keys()) {
		if (map.size <= most) break;
		map.delete(key);
	}
}
