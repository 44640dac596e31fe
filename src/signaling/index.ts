/**
 * The part of signalling that every adapter needs: sessions, joining, requests, notifications and limits.
 *
 * @module
 */
export type {
	ActionData,
	Authorize,
	AuthorizeAction,
	AuthorizeEach,
	AuthorizeTable,
	AutoPullAction,
	Decision,
	JoinAction,
	JoinGrant,
	PullAction,
	PushAction,
	TextMessageAction,
	UpdatePusherAction,
	UpdateUserAction,
} from './authorize.js';
export { defaultClientLimits } from './limits.js';
export type { ClientLimits } from './limits.js';
export { OutgoingRequests } from './OutgoingRequests.js';
export type { Session } from './Session.js';
export type { RequestResult, Respond } from './RequestResult.js';
export { Signaling } from './Signaling.js';
export type { ContextArgument, SignalingOptions } from './Signaling.js';
export type { ClientResponse, EncodeNotification, OutgoingRequest, SignalingClient } from './SignalingClient.js';
export { SocketLimits } from './SocketLimits.js';
export { RateLimit } from '../RateLimit.js';
