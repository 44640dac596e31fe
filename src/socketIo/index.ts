/**
 * The adapter for Socket.IO 4.
 *
 * @module
 */
export * from '../protocol/index.js';
export { defaultClientLimits } from '../signaling/index.js';
export type {
	ActionData,
	Authorize,
	AuthorizeAction,
	AuthorizeEach,
	AuthorizeTable,
	AutoPullAction,
	ClientLimits,
	Decision,
	JoinAction,
	JoinGrant,
	PullAction,
	PushAction,
	TextMessageAction,
	UpdatePusherAction,
	UpdateUserAction,
} from '../signaling/index.js';
export { isAllowedOrigin } from '../isAllowedOrigin.js';
export type { Origins } from '../isAllowedOrigin.js';
export { SocketIoAdapter } from './SocketIoAdapter.js';
export type { SocketIoContext, SocketIoOptions } from './SocketIoAdapter.js';
export type { SocketIoHandshake, SocketIoSocket } from './SocketIoSocket.js';
