import { Problem } from './Problem.js';

const mark = 'x-sfu-rooms-forwarded';

const forwardedHeaders = ['authorization', 'content-type', 'if-match', 'accept', 'last-event-id'];

const returnedHeaders = [
	'content-type',
	'etag',
	'location',
	'link',
	'allow',
	'retry-after',
	'accept-patch',
	'accept-post',
];

// Longer than a server takes for its longest step.
const timeout = 30_000;

/**
 * Forwards a request to the server that has the session, as its client would have sent it.
 *
 * @param base - the address of that server
 * @param body - the body of the request
 * @throws {@link Problem} (rejects) 421 if it has been forwarded already, 502 if the server does not answer
 */
export async function forward(request: Request, base: string, body: string): Promise<Response> {
	if (request.headers.has(mark)) throw new Problem(421, 'the session is on another server', { code: 'not_found' });
	const { pathname, search } = new URL(request.url);
	const headers = new Headers({ [mark]: '1' });
	for (const name of forwardedHeaders) {
		const value = request.headers.get(name);
		if (value !== null) headers.set(name, value);
	}
	// Set so, a path with two slashes at its beginning names no other host.
	const url = new URL(base);
	url.pathname = pathname;
	url.search = search;
	const abort = new AbortController();
	const timer = setTimeout(() => {
		abort.abort();
	}, timeout);
	try {
		const answer = await fetch(url, {
			method: request.method,
			headers,
			...(body !== '' && { body }),
			redirect: 'manual',
			signal: AbortSignal.any([abort.signal, request.signal]),
		});
		const returned = new Headers();
		for (const name of returnedHeaders) {
			const value = answer.headers.get(name);
			if (value !== null) returned.set(name, value);
		}
		return new Response(answer.body, { status: answer.status, headers: returned });
	} catch {
		throw new Problem(502, 'the server that has the session does not answer', { code: 'unavailable' });
	} finally {
		// An event stream goes on for longer.
		clearTimeout(timer);
	}
}
