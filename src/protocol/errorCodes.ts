/**
 * The kind of an error, as a word to switch on.
 *
 * | code | meaning |
 * | --- | --- |
 * | `closed` | the object or its owner has been closed |
 * | `not_found` | there is no such room, user, pusher or puller |
 * | `invalid_argument` | an argument is malformed; the message names it |
 * | `unsupported` | the server can take nothing of the SDP; the message lists what was offered |
 * | `forbidden` | the action is not allowed |
 * | `conflict` | the state does not allow it, for example a user id that is in the room already |
 * | `limit_exceeded` | a configured number is reached |
 * | `too_large` | a single input is larger than its configured limit |
 * | `timeout` | something took longer than its configured time |
 * | `unavailable` | there is no media worker, or no client to ask, at the moment; trying again later may help |
 * | `internal` | a fault of the server; `cause` has the details |
 */
export type SfuErrorCode =
	| 'closed'
	| 'not_found'
	| 'invalid_argument'
	| 'unsupported'
	| 'forbidden'
	| 'conflict'
	| 'limit_exceeded'
	| 'too_large'
	| 'timeout'
	| 'unavailable'
	| 'internal';

/** The `errorCode` of a failure for each {@link SfuErrorCode}. The numbers follow HTTP (RFC 9110, section 15; RFC 6585). */
export const errorCodes = {
	/** An argument is malformed. */
	invalid_argument: 400,
	/** The action is not allowed. */
	forbidden: 403,
	/** There is no such room, user, pusher or puller. */
	not_found: 404,
	/** The server can take nothing of the SDP. */
	unsupported: 406,
	/** The state does not allow it. */
	conflict: 409,
	/** The object or its owner has been closed. */
	closed: 409,
	/** An input is larger than its limit. */
	too_large: 413,
	/** A configured number is reached. */
	limit_exceeded: 429,
	/** The server has a fault. */
	internal: 500,
	/** There is no media worker at the moment. */
	unavailable: 503,
	/** Something took longer than its configured time. */
	timeout: 503,
} as const satisfies Record<SfuErrorCode, number>;
