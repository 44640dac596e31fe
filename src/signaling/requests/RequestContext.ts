import { SfuError, type Connection, type User } from '../../index.js';
import { quoted } from '../../quoted.js';
import type { Asked } from '../Authorizer.js';
import type { AuthorizeAction } from '../authorize.js';
import type { ClientLimits } from '../limits.js';
import type { Member } from '../Member.js';
import type { MemberSession } from '../SignalingClient.js';
import type { MemberData, TextMessage } from '../../protocol/index.js';

/**
 * Makes the data of a success. The session calls it just before it sends the response, so that the data is not older than
 * the notifications before it. It may throw.
 */
export type Reply<Data extends object = object> = () => Data;

/** The outcome of a request: its reply, or a later one. The session handles other messages until then. */
export type Outcome = Reply | { later: Promise<Reply> };

/** The part of a session that handlers of requests use. */
export interface RequestContext {
	/** The limits in force. */
	limits: Readonly<ClientLimits>;
	/** The session. */
	session: MemberSession<unknown>;
	/**
	 * Returns the user that joined in the session, after checking that `data` names it.
	 *
	 * @throws {@link SfuError} `conflict` if nobody has joined, `forbidden` if `data` names another room or user
	 */
	memberOf: (data: MemberData) => Member<unknown>;
	/** @throws {@link SfuError} `limit_exceeded` if the client has made too many offers */
	countOffer: () => void;
	/**
	 * Asks the app what a client wants to know.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` if nobody answers that name, `invalid_argument`, `too_large`, `timeout`,
	 *   `closed`, or the error of the app
	 */
	askApp: (user: User, name: string, data: unknown) => Promise<unknown>;
	/** Sends a text of the user to the others of its room. */
	sendText: (message: TextMessage) => void;
	/**
	 * Asks the app whether the client may do something.
	 *
	 * @param action - the action
	 * @param data - all of the data of the message
	 * @throws {@link SfuError} (rejects) `forbidden`, `timeout`, `closed` if the socket closed meanwhile, or the error of the app
	 */
	authorize: (action: Asked<Exclude<AuthorizeAction, { action: 'join' }>>, data: unknown) => Promise<void>;
}

/** Handles a request. If it throws, the response is a failure. */
export type RequestHandler = (data: unknown, context: RequestContext) => Outcome | Promise<Outcome>;

/**
 * Finds a pusher or puller.
 *
 * @throws {@link SfuError} `not_found`
 */
export function find<Item>(items: ReadonlyMap<string, Item>, id: string, kind: 'pusher' | 'puller'): Item {
	const item = items.get(id);
	if (!item) throw new SfuError('not_found', `the user has no ${kind} ${quoted(id)}`);
	return item;
}

/** Finds a connection of a user, if it is still there. */
export const findConnection = ({ connections }: User, id: string | undefined): Connection | undefined =>
	[...connections].find(({ connectionId }) => connectionId === id);
