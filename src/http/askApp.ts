import { SfuError } from '../index.js';
import type { AuthorizeHttp, HttpAction, HttpGrant } from './authorize.js';
import { Problem } from './Problem.js';

/**
 * Asks the app whether a client may do something.
 *
 * @param timeout - how long it may take, in ms
 * @throws {@link Problem} (rejects) 401, 403; `SfuError` `timeout`; and what the app throws
 */
export async function askApp(
	authorize: AuthorizeHttp | undefined,
	action: HttpAction,
	timeout: number,
): Promise<HttpGrant> {
	if (!authorize) return {};
	const late = () => new SfuError('timeout', `authorize did not answer within ${timeout} ms`);
	const decision: unknown = await inTime(() => authorize(action), timeout, late);
	if (decision === true) return {};
	if (typeof decision === 'object' && decision !== null && !Array.isArray(decision)) return decision;
	if (decision !== undefined && action.token !== undefined) {
		throw new Problem(403, `${action.action} is not allowed`, { code: 'forbidden' });
	}
	// RFC 6750, section 3.1: a request without a token gets no error code.
	const error = action.token === undefined ? '' : ', error="invalid_token"';
	throw new Problem(401, 'a valid bearer token is needed', {
		code: 'forbidden',
		headers: { 'www-authenticate': `Bearer realm="sfu-rooms"${error}` },
	});
}

/** What the app answers. It rejects with `late()` if that takes too long, and a later answer is ignored. */
export function inTime<Result>(
	ask: () => Result | Promise<Result>,
	timeout: number,
	late: () => Error,
): Promise<Result> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => {
			reject(late());
		}, timeout);
		new Promise<Result>((answer) => {
			answer(ask());
		})
			.then(resolve, reject)
			.finally(() => {
				clearTimeout(timer);
			});
	});
}

/** The token of a request (RFC 6750, section 2.1). Undefined without one. */
export const bearerToken = ({ headers }: Request): string | undefined =>
	/^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(headers.get('authorization') ?? '')?.[1];
