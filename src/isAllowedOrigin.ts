import type { IncomingMessage } from 'node:http';

/**
 * The pages that may open a WebSocket: a list of origins such as `https://example.com`, and no others, or `any`.
 * Without it, the pages of the host that they connect to, by the header `Host`.
 */
export type Origins = 'any' | readonly string[];

/**
 * Tells whether the page that opens a WebSocket may do so. A browser opens WebSockets to any server for any page, with the
 * cookies of the server, and says in the header `Origin` whose page it is (RFC 6455, section 10.2). A program that is no
 * browser sends none, and is allowed.
 *
 * @param request - the request that opens the WebSocket
 * @param origins - which pages may; default: those of the host that they connect to
 */
export function isAllowedOrigin(request: Pick<IncomingMessage, 'headers'>, origins?: Origins): boolean {
	const { origin, host } = request.headers;
	if (origin === undefined || origins === 'any') return true;
	if (origins) return origins.includes(origin);
	return URL.canParse(origin) && new URL(origin).host === host;
}
