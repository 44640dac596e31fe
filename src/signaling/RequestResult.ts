import type { SfuError } from '../index.js';

/** The result of a client's request: the data of its success, or the error that it failed with. */
export type RequestResult =
	| {
			/** The data of the success. */
			data: object;
	  }
	| {
			/** The error that the request failed with. */
			error: SfuError;
	  };

/**
 * Sends the response to a request. The session calls it exactly once. If it sends at once, the response is in the right
 * order with the notifications.
 *
 * @param result - the result of the request
 */
export type Respond = (result: RequestResult) => void;
