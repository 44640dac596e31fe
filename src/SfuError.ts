import type { SfuErrorCode } from './protocol/errorCodes.js';

export type { SfuErrorCode };

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
