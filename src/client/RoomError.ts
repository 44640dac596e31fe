import { errorCodes, type SfuErrorCode } from '../protocol/index.js';

/** The `errorCode` of a failure that no server has sent: there was no connection. */
const NO_CONNECTION = 0;

/** The server has refused a request, or could not be asked. */
export class RoomError extends Error {
	/** Always `RoomError`. */
	override readonly name = 'RoomError';
	/** The kind of the error, as a word to switch on. `closed` if there is no connection to the server. */
	readonly code: SfuErrorCode;

	/**
	 * @param method - the request that failed
	 * @param status - the `errorCode` of the failure, as in HTTP; 0 if the server could not be asked
	 * @param reason - for people to read
	 */
	constructor(
		/** The request that failed, such as `join` or `push`. */
		readonly method: string,
		/** The `errorCode` of the failure, as in HTTP. 0 if the server could not be asked. */
		readonly status: number = NO_CONNECTION,
		reason = 'no connection',
	) {
		super(reason);
		this.code = codeOf(status);
	}
}

/** Whether another attempt may succeed. */
export function isPassing({ status }: RoomError): boolean {
	return status === NO_CONNECTION || status === errorCodes.limit_exceeded || status >= errorCodes.internal;
}

/** Takes whatever was thrown for an error of a request. */
export function toRoomError(error: unknown, method: string): RoomError {
	if (error instanceof RoomError) return error;
	return new RoomError(method, errorCodes.internal, error instanceof Error ? error.message : String(error));
}

function codeOf(status: number): SfuErrorCode {
	if (status === NO_CONNECTION) return 'closed';
	// The first of those that have the same number is the more general one.
	const known = (Object.keys(errorCodes) as SfuErrorCode[]).find((code) => errorCodes[code] === status);
	return known ?? 'internal';
}
