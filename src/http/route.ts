import type { WatchTarget } from './authorize.js';
import { Problem } from './Problem.js';

/** What the URL of a request names. */
export type Route =
	| { name: 'whip'; roomId: string; userId: string | undefined; sources: Omit<WatchTarget, 'userId'> }
	| { name: 'whep'; roomId: string; target: WatchTarget }
	| { name: 'session' | 'layers' | 'events'; sessionId: string }
	| { name: 'stream'; sessionId: string; streamId: string };

/** The methods of each resource, beside OPTIONS. */
export const methods: Readonly<Record<Route['name'], readonly string[]>> = {
	whip: ['POST', 'GET', 'HEAD'],
	whep: ['POST', 'GET', 'HEAD'],
	session: ['PATCH', 'DELETE', 'GET', 'HEAD'],
	layers: ['POST'],
	events: ['POST'],
	stream: ['GET', 'DELETE'],
};

/**
 * Reads the path and the query of a URL.
 *
 * @param prefix - the path that it must begin with
 * @throws {@link Problem} 404, 400
 */
export function readRoute(url: URL, prefix: string): Route {
	const { pathname, searchParams } = url;
	const parts = pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length + 1).split('/') : [];
	const [name, first, second, third, ...more] = parts.map(decoded);
	const sources = {
		...sourceOf(searchParams, 'audio'),
		...sourceOf(searchParams, 'video'),
	};
	if (first !== undefined && first !== '' && second !== '' && third !== '' && more.length === 0) {
		if (name === 'whip' && third === undefined) return { name, roomId: first, userId: second, sources };
		if (name === 'whep' && third === undefined) {
			return { name, roomId: first, target: { ...(second !== undefined && { userId: second }), ...sources } };
		}
		if (name === 'sessions') {
			if (second === undefined) return { name: 'session', sessionId: first };
			if (second === 'layers' && third === undefined) return { name: 'layers', sessionId: first };
			if (second === 'events' && third === undefined) return { name: 'events', sessionId: first };
			if (second === 'events' && third !== undefined) return { name: 'stream', sessionId: first, streamId: third };
		}
	}
	throw new Problem(404, 'there is nothing at this URL', { code: 'not_found' });
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		throw new Problem(400, 'the URL has a malformed escape', { code: 'invalid_argument' });
	}
}

function sourceOf(query: URLSearchParams, kind: 'audio' | 'video'): { audio?: string; video?: string } {
	const source = query.get(kind);
	return source === null || source === '' ? {} : { [kind]: source };
}
