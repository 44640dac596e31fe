import { SfuError, type Sfu, type User } from '../index.js';
import type { HttpPeer } from './authorize.js';
import { Clients, type Client } from './Clients.js';
import { allowOrigin, fragmentType, optionsResponse } from './cors.js';
import { forward } from './forward.js';
import type { HttpSession } from './HttpSession.js';
import { iceServerLinks } from './iceServerLinks.js';
import { nodeOf, openSession } from './openSession.js';
import { resolveHttpOptions, type HttpOptions, type ResolvedHttpOptions } from './options.js';
import { patchSession } from './patchSession.js';
import { noSession, Problem, problemOf } from './Problem.js';
import { accepts, hasType, readBody } from './readBody.js';
import { methods, readRoute, type Route } from './route.js';
import { withMuxOnly } from './sdpFragment.js';
import { createStream, selectLayer, useStream } from './watchRequests.js';
import { watchEvents, WhepSession } from './WhepSession.js';

type EndpointRoute = Extract<Route, { name: 'whip' | 'whep' }>;
type SessionRoute = Exclude<Route, EndpointRoute>;

/** The largest body in JSON, in bytes. */
const jsonBytes = 4096;

/**
 * Serves WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): clients push to rooms, and watch them, by HTTP alone. A session is
 * a user of the room, under the same permissions and limits as any other.
 *
 * - `POST {path}/whip/{roomId}/{userId}` pushes as that user
 * - `POST {path}/whep/{roomId}/{userId}` watches that user; without `userId` whoever speaks
 * - `?audio=` and `?video=` name sources
 *
 * @example
 * ```ts
 * const http = new HttpAdapter(sfu, { path: '/rtc', authorize: ({ token }) => userOf(token) });
 * app.use('/rtc', toNodeListener(http.handle));
 * ```
 */
export class HttpAdapter {
	readonly #sfu: Sfu;
	readonly #options: ResolvedHttpOptions;
	readonly #clients: Clients;
	readonly #sessions = new Map<string, HttpSession>();
	readonly #byUser = new WeakMap<User, HttpSession>();
	#closed = false;

	/**
	 * @param sfu - the Sfu whose rooms clients join; the app closes it
	 * @param options - see {@link HttpOptions}
	 * @throws `SfuError` `invalid_argument`; the message names the option
	 */
	constructor(sfu: Sfu, options: HttpOptions = {}) {
		this.#sfu = sfu;
		this.#options = resolveHttpOptions(options);
		this.#clients = new Clients(this.#options.limits);
	}

	/** The number of open sessions. */
	get sessions(): number {
		return this.#sessions.size;
	}

	/**
	 * Answers a request. It never rejects: errors are responses in `application/problem+json` (RFC 9457). It may be passed
	 * around without the adapter.
	 *
	 * @param request - the request
	 * @param peer - who sends it, as far as the server knows
	 */
	readonly handle = async (request: Request, peer: HttpPeer = {}): Promise<Response> => {
		const response = await this.#respond(request, peer).catch((error: unknown) => this.#failed(error));
		allowOrigin(request, response, this.#options.allowedOrigins);
		if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store');
		return response;
	};

	/** Ends all sessions, and answers further requests with 503. The Sfu stays open. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const session of [...this.#sessions.values()]) session.close('left');
	}

	async #respond(request: Request, peer: HttpPeer): Promise<Response> {
		const route = readRoute(new URL(request.url), this.#options.path);
		const { method } = request;
		if (method === 'OPTIONS') return optionsResponse(route.name);
		const allowed = methods[route.name];
		if (!allowed.includes(method)) {
			const headers = { allow: [...allowed, 'OPTIONS'].join(', ') };
			throw new Problem(405, `${route.name} takes no ${method.slice(0, 20)}`, { headers });
		}
		if (this.#closed) throw new SfuError('unavailable', 'the server is going away');
		const client = this.#clients.of(this.#keyOf(request, peer));
		if (route.name === 'whip' || route.name === 'whep') {
			// RFC 9725, section 4.1: there is nothing to read.
			if (method !== 'POST') return new Response(null, { status: 204 });
			return this.#open(route, request, peer, client);
		}
		if (!client.requests.take()) throw tooMany('requests');
		return this.#ofSession(route, request);
	}

	async #open(route: EndpointRoute, request: Request, peer: HttpPeer, client: Client): Promise<Response> {
		if (!client.offers.take()) throw tooMany('offers');
		assertType(request, 'application/sdp', 'accept-post');
		if (!accepts(request, 'application/sdp')) throw new Problem(406, 'the answer is application/sdp');
		const offer = await this.#read(request, this.#sfu.limits.sdpBytes);
		const session = await openSession(
			{ sfu: this.#sfu, options: this.#options, sessionOf: (user) => this.#byUser.get(user) },
			{ route, request, peer, client, offer },
		);
		if (this.#closed) session.close('left');
		this.#add(session);
		const headers = new Headers({
			'content-type': 'application/sdp',
			location: this.#urlOf(session),
			etag: session.entityTag,
		});
		for (const link of await this.#linksOf(session)) headers.append('link', link);
		if (session.user.closed) throw new SfuError('closed', 'the user has left meanwhile');
		return new Response(withMuxOnly(session.answer), { status: 201, headers });
	}

	#add(session: HttpSession): void {
		const { user, sessionId } = session;
		if (user.closed) return;
		this.#sessions.set(sessionId, session);
		this.#byUser.set(user, session);
		user.once('closed', () => this.#sessions.delete(sessionId));
	}

	async #ofSession(route: SessionRoute, request: Request): Promise<Response> {
		const { method } = request;
		const session = this.#sessions.get(route.sessionId);
		if (!session) return this.#elsewhere(route, request);
		if (route.name === 'session') {
			if (method === 'GET' || method === 'HEAD') return new Response(null, { status: 204 });
			if (method === 'PATCH') {
				assertType(request, fragmentType, 'accept-patch');
				const fragment = await this.#read(request, this.#options.limits.fragmentBytes);
				return patchSession(session, request, fragment).catch((error: unknown) => {
					// It has ended meanwhile, or between the head and the body of the request.
					throw session.user.closed ? noSession() : error;
				});
			}
			// An entity tag plays no part here (RFC 9725, section 4.3.1).
			session.close('left');
			return new Response(null);
		}
		if (!(session instanceof WhepSession)) throw noSession();
		if (route.name === 'stream') return useStream(session, route.streamId, method);
		const body = await this.#read(request, jsonBytes);
		if (body !== '' || route.name === 'layers') assertType(request, 'application/json', 'accept-post');
		if (session.user.closed) throw noSession();
		return route.name === 'layers'
			? selectLayer(session, body)
			: createStream(session, body, `${this.#urlOf(session)}/events`);
	}

	/** Handles a request about a session that is not here: it may be on another server, or have ended. */
	async #elsewhere({ sessionId }: SessionRoute, request: Request): Promise<Response> {
		const nodeId = nodeOf(sessionId);
		const { cluster } = this.#sfu;
		const node = nodeId === undefined || nodeId === cluster?.nodeId ? undefined : cluster?.nodes.get(nodeId);
		if (!node) throw noSession();
		const base = this.#options.nodeUrl?.(node);
		if (base === undefined) throw new Problem(421, 'the session is on another server', { code: 'not_found' });
		const body = await this.#read(request, Math.max(this.#options.limits.fragmentBytes, jsonBytes));
		return forward(request, base, body);
	}

	async #linksOf(session: HttpSession): Promise<string[]> {
		const servers = await this.#sfu.iceServersOf(session.user);
		const links = iceServerLinks(servers);
		if (!(session instanceof WhepSession)) return links;
		const url = this.#urlOf(session);
		const extension = 'urn:ietf:params:whep:ext:core';
		return [
			...links,
			`<${url}/layers>; rel="${extension}:layer"`,
			`<${url}/events>; rel="${extension}:server-sent-events"; events="${watchEvents.join(',')}"`,
		];
	}

	#urlOf({ sessionId }: HttpSession): string {
		const { origin, path } = this.#options;
		return `${origin}${path}/sessions/${sessionId}`;
	}

	#read(request: Request, bytes: number): Promise<string> {
		return readBody(request, { bytes, timeout: this.#options.limits.bodyTimeout });
	}

	/** Clients whose key the app cannot tell are one, so that none escapes the limits. */
	#keyOf(request: Request, peer: HttpPeer): string | undefined {
		const { clientKey } = this.#options;
		if (!clientKey) return peer.address;
		try {
			const key: unknown = clientKey(request, peer);
			if (key === undefined || typeof key === 'string') return key;
			throw new TypeError('the key must be a string');
		} catch (error) {
			this.#sfu.logger.error('clientKey failed', { error });
			return undefined;
		}
	}

	#failed(error: unknown): Response {
		if (error instanceof Problem) return error.toResponse();
		if (error instanceof SfuError) return problemOf(error).toResponse();
		this.#sfu.logger.error('a request failed', { error });
		return problemOf(new SfuError('internal', 'the server has a fault')).toResponse();
	}
}

function tooMany(what: string): Problem {
	return new Problem(429, `too many ${what}`, { code: 'limit_exceeded', headers: { 'retry-after': '1' } });
}

/** @throws {@link Problem} 415 */
function assertType(request: Request, type: string, header: 'accept-post' | 'accept-patch'): void {
	if (hasType(request, type)) return;
	throw new Problem(415, `the body must be ${type}`, { code: 'invalid_argument', headers: { [header]: type } });
}
