import { SharedQuota } from '../index.js';
import { RateLimit } from '../RateLimit.js';
import type { HttpLimits } from './options.js';

/** What one client may use, over all of its requests. */
export interface Client {
	readonly offers: RateLimit;
	readonly requests: RateLimit;
	/** Its sessions, which are users of the core. */
	readonly sessions: SharedQuota;
}

/** The clients that are remembered, by their keys: those that came last, and those that have sessions. */
export class Clients {
	readonly #limits: Readonly<HttpLimits>;
	/** The one that came last is at the end. */
	readonly #byKey = new Map<string, Client>();
	/** All for whom there was no room. */
	readonly #others: Client;

	constructor(limits: Readonly<HttpLimits>) {
		this.#limits = limits;
		this.#others = this.#create();
	}

	/** How many are remembered. */
	get size(): number {
		return this.#byKey.size;
	}

	/** The client with a key. All without a key are one. */
	of(key: string | undefined): Client {
		if (key === undefined) return this.#others;
		const known = this.#byKey.get(key);
		if (!known && this.#byKey.size >= this.#limits.clients && !this.#forgetOne()) return this.#others;
		const client = known ?? this.#create();
		this.#byKey.delete(key);
		this.#byKey.set(key, client);
		return client;
	}

	/** Forgets the one that has been idle for longest, if one of the first has no session. */
	#forgetOne(): boolean {
		let looked = 0;
		for (const [key, client] of this.#byKey) {
			if (client.sessions.users === 0) return this.#byKey.delete(key);
			// Whoever has a session moves to the end, so that the next look finds others.
			this.#byKey.delete(key);
			this.#byKey.set(key, client);
			looked++;
			if (looked === 20) return false;
		}
		return false;
	}

	#create(): Client {
		const { offerBurst, offersPerSecond, requestBurst, requestsPerSecond, sessionsPerClient } = this.#limits;
		return {
			offers: new RateLimit(offerBurst, offersPerSecond),
			requests: new RateLimit(requestBurst, requestsPerSecond),
			sessions: new SharedQuota({ users: sessionsPerClient }),
		};
	}
}
