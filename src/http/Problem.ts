import { STATUS_CODES } from 'node:http';
import type { SfuError, SfuErrorCode } from '../index.js';
import { errorCodes } from '../protocol/index.js';

interface ProblemOptions {
	/** The kind of the error, as everywhere else in the library. */
	code?: SfuErrorCode | undefined;
	headers?: Record<string, string>;
}

/** A request that is answered with an error: a problem of RFC 9457. */
export class Problem extends Error {
	readonly status: number;
	readonly #code: SfuErrorCode | undefined;
	readonly #headers: Record<string, string>;

	/** @param detail - the reason, in words that the client may read */
	constructor(status: number, detail: string, { code, headers = {} }: ProblemOptions = {}) {
		super(detail);
		this.name = 'Problem';
		this.status = status;
		this.#code = code;
		this.#headers = headers;
	}

	/** The response. */
	toResponse(): Response {
		const { status, message: detail } = this;
		const title = STATUS_CODES[status] ?? 'Error';
		return new Response(JSON.stringify({ type: 'about:blank', title, status, detail, code: this.#code }), {
			status,
			headers: { 'content-type': 'application/problem+json', ...this.#headers },
		});
	}
}

/** The session that a URL names is not there, or not any more. */
export const noSession = (): Problem => new Problem(404, 'there is no such session', { code: 'not_found' });

/** The statuses of errors that HTTP and WHIP tell otherwise than the messages on a socket do. */
const statuses: Partial<Record<SfuErrorCode, number>> = {
	// RFC 9725, sections 4.4.2 and 4.4.3. 406 is about the response.
	unsupported: 422,
	// The room or the server went away meanwhile.
	closed: 503,
};

/** How long a client should wait before it tries again, in seconds. */
const retryAfter: Partial<Record<SfuErrorCode, string>> = {
	limit_exceeded: '5',
	unavailable: '5',
	timeout: '5',
	closed: '1',
};

/** An error of the core as a problem. */
export function problemOf({ code, message }: SfuError): Problem {
	const seconds = retryAfter[code];
	return new Problem(statuses[code] ?? errorCodes[code], code === 'internal' ? 'the server has a fault' : message, {
		code,
		...(seconds !== undefined && { headers: { 'retry-after': seconds } }),
	});
}
