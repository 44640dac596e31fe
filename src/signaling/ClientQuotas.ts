import { SharedQuota } from '../index.js';
import { Quota } from '../Quota.js';
import { RateLimit } from '../RateLimit.js';
import type { ClientLimits } from './limits.js';

/** What one client may use, over all of its sockets and joins. */
export class ClientQuota {
	readonly offers: RateLimit;
	readonly joins: RateLimit;
	/** The open rooms that it has opened. */
	readonly rooms: Quota;
	/** Its users whose socket is lost. */
	readonly lost: Quota;
	/** What its users share in the core. */
	readonly shared: SharedQuota;
	/** Its open sockets. */
	sockets = 0;

	constructor(limits: Readonly<ClientLimits>) {
		const { offerBurst, offersPerSecond, joinBurst, joinsPerSecond, roomsPerClient, lostPerClient } = limits;
		this.offers = new RateLimit(offerBurst, offersPerSecond);
		this.joins = new RateLimit(joinBurst, joinsPerSecond);
		this.rooms = new Quota(roomsPerClient, 'open rooms that one client has opened');
		this.lost = new Quota(lostPerClient, 'users of one client whose socket is lost');
		this.shared = new SharedQuota({
			users: limits.usersPerClient,
			connections: limits.connectionsPerClient,
			pullersPerPusher: limits.pullersPerPusher,
		});
	}

	/** Whether it is as good as a new one. */
	get unused(): boolean {
		const { sockets, rooms, lost, shared, offers, joins } = this;
		return sockets + rooms.taken + lost.taken + shared.users === 0 && offers.full && joins.full;
	}
}

/** The quotas of the clients, by the keys that the app gives. */
export class ClientQuotas {
	readonly #limits: Readonly<ClientLimits>;
	readonly #byKey = new Map<string, ClientQuota>();
	/** At how many quotas the unused ones are forgotten. */
	#sweepAt = 1000;

	constructor(limits: Readonly<ClientLimits>) {
		this.#limits = limits;
	}

	/** How many are remembered. */
	get size(): number {
		return this.#byKey.size;
	}

	/** The quota of a client. Without a key, each socket has one of its own. */
	of(key: string | undefined): ClientQuota {
		const quota = (key === undefined ? undefined : this.#byKey.get(key)) ?? new ClientQuota(this.#limits);
		if (key === undefined) return quota;
		if (this.#byKey.size >= this.#sweepAt) this.#sweep();
		this.#byKey.set(key, quota);
		return quota;
	}

	#sweep(): void {
		for (const [key, quota] of this.#byKey) if (quota.unused) this.#byKey.delete(key);
		this.#sweepAt = Math.max(1000, this.#byKey.size * 2);
	}
}
