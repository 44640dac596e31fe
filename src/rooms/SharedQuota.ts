import { Quota, type GiveBack } from '../Quota.js';
import { count, strict, validator } from '../schemas.js';

/** The limits of a {@link SharedQuota}. Default of each: no limit. */
export interface SharedLimits {
	/** The most users at a time, with those who wait in a lobby. */
	users?: number;
	/** The most RTCPeerConnections of all the users. */
	connections?: number;
	/** The most pullers of one pusher. */
	pullersPerPusher?: number;
}

/** A user, as far as it is counted. */
interface Leaving {
	readonly closed: boolean;
	once(event: 'closed', listener: () => void): unknown;
}

const checkLimits = validator<SharedLimits>(
	strict({ users: count, connections: count, pullersPerPusher: count }),
	'limits',
);

/**
 * Limits that users share, in all rooms: those of one account, or of one address.
 *
 * @example
 * ```ts
 * const ofAlice = new SharedQuota({ users: 5, connections: 10 });
 * await room.join({ userId: 'alice-phone', sharedQuota: ofAlice });
 * await room.join({ userId: 'alice-laptop', sharedQuota: ofAlice });
 * ```
 */
export class SharedQuota {
	readonly #users: Quota;
	readonly #connections: Quota;
	readonly #pullersPerPusher: number;
	/** By pusher id, those that have pullers. */
	readonly #pullers = new Map<string, Quota>();

	/** @throws {@link SfuError} `invalid_argument`; the message names the limit */
	constructor(limits: SharedLimits) {
		const { users = Infinity, connections = Infinity, pullersPerPusher = Infinity } = checkLimits(limits);
		this.#users = new Quota(users, 'users of one client');
		this.#connections = new Quota(connections, 'connections of one client');
		this.#pullersPerPusher = pullersPerPusher;
	}

	/** How many users share it at the moment. */
	get users(): number {
		return this.#users.taken;
	}

	/**
	 * @internal Counts a user from its join, with the wait in a lobby, until it has left.
	 * @throws {@link SfuError} `limit_exceeded`, and what `join` throws
	 */
	async countUser<Joined extends Leaving>(join: () => Promise<Joined>): Promise<Joined> {
		const giveBack = this.#users.take();
		try {
			const user = await join();
			if (user.closed) giveBack();
			else user.once('closed', giveBack);
			return user;
		} catch (error) {
			giveBack();
			throw error;
		}
	}

	/** @internal @throws {@link SfuError} `limit_exceeded` */
	takeConnection(): GiveBack {
		return this.#connections.take();
	}

	/** @internal @throws {@link SfuError} `limit_exceeded` */
	takePuller(pusherId: string): GiveBack {
		const quota =
			this.#pullers.get(pusherId) ?? new Quota(this.#pullersPerPusher, 'pullers of one pusher of one client');
		const giveBack = quota.take();
		this.#pullers.set(pusherId, quota);
		return () => {
			giveBack();
			if (quota.taken === 0) this.#pullers.delete(pusherId);
		};
	}
}
