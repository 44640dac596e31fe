/** What an app needs of signalling, whichever adapter it has: each adapter exports it, too. */
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
export type { ContextArgument } from './Signaling.js';
