import { setTimeout as sleep } from 'node:timers/promises';
import type { AskNode } from '../../media/pipes/IncomingPipes.js';
import { SfuError } from '../../SfuError.js';

/** The time between two attempts, in ms. */
const retryInterval = 1000;

/** Tells other servers what they must not miss, again and again until they have heard it or have gone. */
export class Insistence {
	readonly #ask: AskNode;
	readonly #isThere: (nodeId: string) => boolean;
	/** What is being told at the moment, by server and key. */
	readonly #latest = new Map<string, object>();

	/** @param isThere - whether a server is in the cluster */
	constructor(ask: AskNode, isThere: (nodeId: string) => boolean) {
		this.#ask = ask;
		this.#isThere = isThere;
	}

	/** @param key - of what is told: it takes the place of what has the same key, and was not heard yet */
	tell(nodeId: string, key: string, method: string, params: object): void {
		void this.#tell(nodeId, `${nodeId} ${key}`, method, params);
	}

	async #tell(nodeId: string, key: string, method: string, params: object): Promise<void> {
		this.#latest.set(key, params);
		while (this.#latest.get(key) === params && this.#isThere(nodeId)) {
			try {
				await this.#ask(nodeId, method, params);
				break;
			} catch (error) {
				// Any other error is an answer, or this server closes.
				if (!(error instanceof SfuError && error.code === 'unavailable')) break;
			}
			await sleep(retryInterval, undefined, { ref: false });
		}
		if (this.#latest.get(key) === params) this.#latest.delete(key);
	}
}
