import { quoted } from '../../quoted.js';
import { SfuError } from '../../SfuError.js';
import type { AuthorizeAction } from '../authorize.js';
import type { Member } from '../Member.js';
import type { Outcome, Peer } from '../../protoo/Peer.js';
import type { MemberData } from '../schemas.js';

/** What a request needs of the socket that it came on. */
export interface RequestContext {
	/** The socket. */
	peer: Peer;
	/**
	 * The user that joined on the socket. A message speaks for that one, and for no other.
	 *
	 * @throws {@link SfuError} `conflict` when nobody has joined, `forbidden` when `data` names another room or user
	 */
	memberOf: (data: MemberData) => Member;
	/** @throws {@link SfuError} (rejects) `forbidden`, `closed` when the socket was closed meanwhile, what the app throws */
	authorize: (action: AuthorizeAction) => Promise<void>;
}

/** Carries out a request; what it throws is answered with a failure. */
export type RequestHandler = (data: unknown, context: RequestContext) => Outcome | Promise<Outcome>;

/** @throws {@link SfuError} `not_found` */
export function find<Item>(items: ReadonlyMap<string, Item>, id: string, what: string): Item {
	const item = items.get(id);
	if (!item) throw new SfuError('not_found', `the user has no ${what} ${quoted(id)}`);
	return item;
}
