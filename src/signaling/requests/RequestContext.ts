import { SfuError } from '../../index.js';
import { quoted } from '../../schemas.js';
import type { AuthorizeAction } from '../authorize.js';
import type { Member } from '../Member.js';
import type { MemberSession } from '../SignalingClient.js';
import type { MemberData } from '../../protocol/index.js';

/**
 * Makes the data of a success at the moment of sending, so that no notification comes between the state that it describes
 * and itself. It may throw.
 */
export type Reply<Data extends object = object> = () => Data;

/** The outcome of a request: its reply, or one that may take long, so that others are handled meanwhile. */
export type Outcome = Reply | { later: Promise<Reply> };

/** What the handler of a request gets from its session. */
export interface RequestContext {
	session: MemberSession<unknown>;
	/**
	 * The user that joined in the session. A message speaks for that one, and for no other.
	 *
	 * @throws {@link SfuError} `conflict` when nobody has joined, `forbidden` when `data` names another room or user
	 */
	memberOf: (data: MemberData) => Member<unknown>;
	/** @throws {@link SfuError} (rejects) `forbidden`, `closed` when the socket was closed meanwhile, what the app throws */
	authorize: (action: AuthorizeAction) => Promise<void>;
}

/** Handles a request. An error that it throws is answered with a failure. */
export type RequestHandler = (data: unknown, context: RequestContext) => Outcome | Promise<Outcome>;

/** @throws {@link SfuError} `not_found` */
export function find<Item>(items: ReadonlyMap<string, Item>, id: string, kind: 'pusher' | 'puller'): Item {
	const item = items.get(id);
	if (!item) throw new SfuError('not_found', `the user has no ${kind} ${quoted(id)}`);
	return item;
}
