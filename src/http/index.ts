/**
 * The adapter for WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep), on the web's own `Request` and `Response`.
 *
 * @module
 */
export type {
	AuthorizeHttp,
	HttpAction,
	HttpActionData,
	HttpGrant,
	HttpPeer,
	WatchTarget,
	WhepAction,
	WhipAction,
} from './authorize.js';
export type { JoinGrant } from '../signaling/index.js';
export { HttpAdapter } from './HttpAdapter.js';
export { defaultHttpLimits } from './options.js';
export type { HttpLimits, HttpOptions } from './options.js';
export { toFastifyPlugin } from './toFastifyPlugin.js';
export type { FastifyLike } from './toFastifyPlugin.js';
export { toNodeListener } from './toNodeListener.js';
export type { Handle } from './toNodeListener.js';
