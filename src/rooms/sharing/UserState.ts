import type { Quality } from '../../stats/quality.js';
import type { PauseOrigin } from '../../tracks/Pauses.js';
import { pusherState, type PusherState } from '../../tracks/PusherState.js';
import type { Permissions } from '../Permissions.js';
import type { Tickets } from '../Tickets.js';
import type { User } from '../User.js';

/** What a server tells the others of a user. It can be serialised as JSON. */
export interface UserState {
	userName: string;
	metadata?: unknown;
	appData?: unknown;
	/** On whose behalf the name or the metadata have changed last. Default: the app's. */
	changedBy?: PauseOrigin;
	permissions: Permissions;
	quality?: Quality;
	pushers: PusherState[];
	/** Why pushers have closed lately, by their ids. */
	ended?: (readonly [pusherId: string, reason: string])[];
	/** What vouches for the user's client when it comes to another server. */
	tickets: Pick<Tickets, 'hashes' | 'lost'>;
}

/**
 * Describes a user to other servers.
 *
 * @param ended - why its pushers have closed lately, by their ids
 */
export function userState(
	{ userName, metadata, appData, changedBy, permissions, quality, pushers, tickets }: User,
	ended: ReadonlyMap<string, string>,
): UserState {
	return {
		userName,
		...(metadata !== undefined && { metadata }),
		...(appData !== undefined && { appData }),
		...(changedBy !== 'app' && { changedBy }),
		// A function decides on the user's own server alone.
		permissions: { ...permissions, pull: permissions.pull !== false },
		...(quality !== undefined && { quality }),
		pushers: [...pushers.values()].map(pusherState),
		...(ended.size > 0 && { ended: [...ended] }),
		tickets: { hashes: tickets.hashes, lost: tickets.lost },
	};
}
