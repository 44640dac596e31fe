/**
 * What went wrong, as a word to switch on.
 *
 * | code | meaning |
 * | --- | --- |
 * | `closed` | the object, or its owner, has been closed |
 * | `not_found` | there is no such room, user, pusher or puller |
 * | `invalid_argument` | an argument is malformed; the message names it |
 * | `unsupported` | the SDP has nothing that the server can take; the message says what was offered |
 * | `forbidden` | not allowed |
 * | `conflict` | not in this state, for example a user id that is in the room already |
 * | `limit_exceeded` | a configured number of things is reached |
 * | `too_large` | a single input is larger than its configured limit |
 * | `timeout` | something took longer than its configured time |
 * | `unavailable` | there is no media worker at the moment; trying again later may help |
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
	invalid_argument: 400,
	forbidden: 403,
	not_found: 404,
	unsupported: 406,
	conflict: 409,
	closed: 409,
	too_large: 413,
	limit_exceeded: 429,
	internal: 500,
	unavailable: 503,
	timeout: 503,
} as const satisfies Record<SfuErrorCode, number>;
