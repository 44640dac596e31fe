import { SfuError, type NodeInfo } from '../index.js';
import { count, milliseconds, strict, validator } from '../schemas.js';
import type { AuthorizeHttp, HttpPeer } from './authorize.js';

/** The limits of one client, which `clientKey` tells from others. */
export interface HttpLimits {
	/** Offers per second in the long run. More are answered with 429. Default 5. */
	offersPerSecond: number;
	/** Offers that may come at once. Default 100. */
	offerBurst: number;
	/** Other requests per second in the long run. More are answered with 429. Default 20. */
	requestsPerSecond: number;
	/** Other requests that may come at once. Default 200. */
	requestBurst: number;
	/** The most sessions at a time. More are answered with 429. Default 200. */
	sessionsPerClient: number;
	/** The largest SDP fragment, in bytes. A larger one is answered with 413. Default 16,384. */
	fragmentBytes: number;
	/** How long a client may take to send the body of a request, in ms. After that it is answered with 408. Default 10,000. */
	bodyTimeout: number;
	/** The most event streams of one session. More are answered with 429. Default 4. */
	streamsPerSession: number;
	/** The most clients that are remembered. Beyond that new ones share one limit. Default 10,000. */
	clients: number;
}

/** The limits that apply without options. */
export const defaultHttpLimits: Readonly<HttpLimits> = {
	offersPerSecond: 5,
	offerBurst: 100,
	requestsPerSecond: 20,
	requestBurst: 200,
	sessionsPerClient: 200,
	fragmentBytes: 16_384,
	bodyTimeout: 10_000,
	streamsPerSession: 4,
	clients: 10_000,
};

/** The options of an {@link HttpAdapter}. */
export interface HttpOptions {
	/** The path that all URLs of the adapter begin with, where the app has mounted it. Default `/`. */
	path?: string;
	/**
	 * Says who a client is that wants to push or to watch, by its token, and whether it may. Default: everybody may do
	 * everything, as the user that the URL names.
	 */
	authorize?: AuthorizeHttp;
	/** How long `authorize` may take, in ms. After that the request is answered with 503. Default 10,000. */
	authorizeTimeout?: number;
	/** How long a client may wait in the lobby of a room, in ms. After that it is answered with 503. Default 30,000. */
	lobbyTimeout?: number;
	/**
	 * Whether a client may watch before anybody pushes what it asks for: it begins when somebody does. Otherwise it is answered with
	 * `noPusherStatus` and `Retry-After`. Default true.
	 */
	waitForPusher?: boolean;
	/**
	 * What a client is answered with that may not wait for a pusher. The draft of WHEP demands 409 (section 4.2); 404 is what some
	 * players and proxies take for a stream that is not there. Default 409.
	 */
	noPusherStatus?: 404 | 409;
	/** The origins whose pages may send requests (CORS). Default `['*']`, every one: a page has no rights without the token. */
	allowedOrigins?: readonly string[];
	/**
	 * The origin that `Location` and `Link` begin with, such as `https://a.example.com`. In a cluster each server may have one of
	 * its own: then the requests of a session come to the server that has it. Default: none, so that they are relative to the URL of the
	 * request.
	 */
	origin?: string;
	/**
	 * Where this server reaches the adapter of another server of the cluster, such as `http://10.0.0.7:3000`. Requests about
	 * a session on that server are forwarded there. Default: they are answered with 421.
	 */
	nodeUrl?: (node: NodeInfo) => string | undefined;
	/**
	 * Tells which client a request comes from, for the limits: its account, or its address where a proxy hides it. Default: the
	 * address that the bridge knows.
	 */
	clientKey?: (request: Request, peer: HttpPeer) => string | undefined;
	/** Limits of each client. Default {@link defaultHttpLimits}. */
	limits?: Partial<HttpLimits>;
}

/** The options, with all defaults. */
export type ResolvedHttpOptions = Required<
	Pick<
		HttpOptions,
		'path' | 'authorizeTimeout' | 'lobbyTimeout' | 'waitForPusher' | 'noPusherStatus' | 'allowedOrigins' | 'origin'
	>
> & {
	[Name in 'authorize' | 'nodeUrl' | 'clientKey']: HttpOptions[Name] | undefined;
} & { limits: Readonly<HttpLimits> };

const check = validator<HttpOptions>(
	strict({
		path: { type: 'string', pattern: '^/([^?#\\s]*[^/?#\\s])?$' },
		authorize: {},
		authorizeTimeout: { ...milliseconds, minimum: 1 },
		lobbyTimeout: { ...milliseconds, minimum: 1 },
		waitForPusher: { type: 'boolean' },
		noPusherStatus: { enum: [404, 409] },
		allowedOrigins: { type: 'array', items: { type: 'string', pattern: '^(\\*|[a-z][a-z0-9+.-]*://[^/\\s]+)$' } },
		origin: { type: 'string', pattern: '^https?://[^/?#\\s]+$' },
		nodeUrl: {},
		clientKey: {},
		limits: strict({
			...Object.fromEntries(Object.keys(defaultHttpLimits).map((limit) => [limit, count])),
			bodyTimeout: { ...milliseconds, minimum: 1 },
		}),
	}),
	'options',
);

/** @throws {@link SfuError} `invalid_argument`; the message names the option */
export function resolveHttpOptions(options: HttpOptions): ResolvedHttpOptions {
	const checked = check(options);
	for (const name of ['authorize', 'nodeUrl', 'clientKey'] as const) {
		const value: unknown = checked[name];
		if (value !== undefined && typeof value !== 'function') {
			throw new SfuError('invalid_argument', `options.${name} must be a function`);
		}
	}
	const { authorize, nodeUrl, clientKey } = checked;
	const { path = '/', authorizeTimeout = 10_000, lobbyTimeout = 30_000 } = checked;
	const { waitForPusher = true, noPusherStatus = 409 } = checked;
	return {
		...{ authorize, nodeUrl, clientKey, authorizeTimeout, lobbyTimeout, waitForPusher, noPusherStatus },
		path: path === '/' ? '' : path,
		allowedOrigins: checked.allowedOrigins ?? ['*'],
		origin: checked.origin ?? '',
		limits: { ...defaultHttpLimits, ...checked.limits },
	};
}
