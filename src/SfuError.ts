/**
 * What went wrong, as a word to switch on.
 *
 * | code | meaning |
 * | --- | --- |
 * | `closed` | the object, or what owns it, has been closed |
 * | `not_found` | no such room, user, pusher or puller |
 * | `invalid_argument` | an argument is malformed; the message names it |
 * | `unsupported` | nothing in an SDP that we can take; the message says what was offered |
 * | `forbidden` | not allowed |
 * | `conflict` | not in this state, for example a user id that is in the room already |
 * | `limit_exceeded` | a configured number of things is reached |
 * | `too_large` | a single input is larger than its configured limit |
 * | `timeout` | something took longer than its configured time |
 * | `unavailable` | no media worker at the moment; trying again later may help |
 * | `internal` | a fault of ours; `cause` has the details |
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

/** The error that this library throws and rejects with. There is no other. */
export class SfuError extends Error {
	/** What went wrong, as a word to switch on. */
	readonly code: SfuErrorCode;

	/**
	 * @param code - what went wrong
	 * @param message - the reason, in words that may be shown to a client
	 * @param options - `cause`: the error beneath, never shown to a client
	 */
	constructor(code: SfuErrorCode, message: string, options?: ErrorOptions) {
		super(message, options);
		this.name = 'SfuError';
		this.code = code;
	}
}
