import type { SfuErrorCode } from '../SfuError.js';

/** What each error is on the wire; the numbers follow HTTP (RFC 9110, section 15; RFC 6585). */
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
