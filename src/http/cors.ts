import { methods, type Route } from './route.js';

const exposed = [
	'Accept-Patch',
	'Accept-Post',
	'Access-Control-Allow-Methods',
	'Allow',
	'ETag',
	'Link',
	'Location',
	'Retry-After',
	'WWW-Authenticate',
].join(', ');

/** The media type of SDP fragments (RFC 8840). */
export const fragmentType = 'application/trickle-ice-sdpfrag';

/** What the bodies of POST and PATCH must be. */
const accepted: Partial<Record<Route['name'], Record<string, string>>> = {
	whip: { 'accept-post': 'application/sdp' },
	whep: { 'accept-post': 'application/sdp' },
	session: { 'accept-patch': fragmentType },
	layers: { 'accept-post': 'application/json' },
	events: { 'accept-post': 'application/json' },
};

/** The response to OPTIONS (RFC 9725, section 4.2). */
export const optionsResponse = (name: Route['name']): Response =>
	new Response(null, { headers: { allow: [...methods[name], 'OPTIONS'].join(', '), ...accepted[name] } });

/** Lets the pages of the allowed origins read a response (WHATWG Fetch, CORS protocol). */
export function allowOrigin({ method, headers }: Request, response: Response, allowed: readonly string[]): void {
	const origin = headers.get('origin');
	const isAllowed = allowed.includes('*') || (origin !== null && allowed.includes(origin));
	if (!allowed.includes('*')) response.headers.append('vary', 'Origin');
	if (!isAllowed) return;
	response.headers.set('access-control-allow-origin', allowed.includes('*') ? '*' : (origin ?? ''));
	response.headers.set('access-control-expose-headers', exposed);
	if (method !== 'OPTIONS') return;
	// Some clients of WHIP ask the endpoint whether its sessions take PATCH.
	response.headers.set('access-control-allow-methods', 'GET, HEAD, POST, PATCH, DELETE, OPTIONS');
	response.headers.set(
		'access-control-allow-headers',
		'Authorization, Content-Type, ETag, If-Match, Last-Event-ID, Link',
	);
	response.headers.set('access-control-max-age', '7200');
}
