import type { JoinOptions, PullSpec, PushDataOptions, PusherDetails, PushOptions, UserDetails } from '../index.js';
import type { JoinData, MemberData } from '../protocol/index.js';

/** What every action has. */
export interface ActionData extends MemberData {
	/** All of the data of the client's message, unknown fields, too. Only the fields of the action itself are checked. */
	data: Readonly<Record<string, unknown>>;
}

/** A user joins. */
export interface JoinAction extends ActionData, JoinData {
	/** The name of the action. */
	action: 'join';
}

/** A user changes its name or its metadata. */
export interface UpdateUserAction extends ActionData {
	/** The name of the action. */
	action: 'updateUser';
	/** The new values. */
	details: UserDetails;
}

/** A user pushes, with the options of its push. */
export interface PushAction extends ActionData, Omit<PushOptions, 'data'> {
	/** The name of the action. */
	action: 'push';
	/** The offer. */
	sdp: string;
	/** The data channels with negotiated ids. The client opens others later without asking. */
	dataChannels?: readonly PushDataOptions[];
}

/** A user changes the source or the metadata of a pusher. */
export interface UpdatePusherAction extends ActionData {
	/** The name of the action. */
	action: 'updatePusher';
	/** The id of the pusher. */
	pusherId: string;
	/** The new values. */
	details: PusherDetails;
}

/** A user pulls from another user. */
export interface PullAction extends ActionData {
	/** The name of the action. */
	action: 'pull';
	/** The user to pull from. */
	targetUserId: string;
	/** The pushers to pull. */
	specs: readonly PullSpec[];
}

/** A user pulls everything that the others push, now and later. */
export interface AutoPullAction extends ActionData {
	/** The name of the action. */
	action: 'autoPull';
}

/** A user sends a text to the others. */
export interface TextMessageAction extends ActionData {
	/** The name of the action. */
	action: 'textMessage';
	/** The text. */
	message: string;
}

/** An action of a client, to allow or to refuse. */
export type AuthorizeAction =
	JoinAction | UpdateUserAction | PushAction | UpdatePusherAction | PullAction | AutoPullAction | TextMessageAction;

/** What `authorize` may say of a join beside yes and no: how the user joins, as for `room.join()`. */
export interface JoinGrant extends Omit<JoinOptions, 'userId' | 'signal'> {
	/**
	 * Whether this client may take the place of another client of the user whose socket is open. The other one is told
	 * `replaced`. Default false: the join is answered with 409.
	 */
	takeOver?: boolean;
}

/** What `authorize` returns about an action. */
export type Decision<Action extends AuthorizeAction = AuthorizeAction> = Action extends JoinAction
	? boolean | JoinGrant
	: boolean;

/** Decides on the actions of one kind, or `true` to allow all of them. */
export type AuthorizeEach<Context, Action extends AuthorizeAction> =
	true | ((action: Action, context: Context) => Decision<Action> | Promise<Decision<Action>>);

/** Decides on the actions by their names. An action that is not there is refused, also one that a later version adds. */
export interface AuthorizeTable<Context = unknown> {
	/** Decides on joins. */
	join?: AuthorizeEach<Context, JoinAction>;
	/** Decides on changes of users. */
	updateUser?: AuthorizeEach<Context, UpdateUserAction>;
	/** Decides on pushes. */
	push?: AuthorizeEach<Context, PushAction>;
	/** Decides on changes of pushers. */
	updatePusher?: AuthorizeEach<Context, UpdatePusherAction>;
	/** Decides on pulls. */
	pull?: AuthorizeEach<Context, PullAction>;
	/** Decides on automatic pulls. */
	autoPull?: AuthorizeEach<Context, AutoPullAction>;
	/** Decides on text messages. */
	textMessage?: AuthorizeEach<Context, TextMessageAction>;
}

/**
 * Decides whether a client may do something. Only `true` allows an action, and for `join` a {@link JoinGrant}. Every other
 * result is answered with 403, no result within `authorizeTimeout` with 503. If it throws an `SfuError`, the client gets the
 * code and the message of that error. Any other error is logged and answered with 500.
 *
 * A later version may ask about an action that the function does not know: return `true` for those that you know, or give
 * an {@link AuthorizeTable}.
 *
 * @param action - the action; except for `join`, the user has joined on the socket
 * @param context - the value that the adapter got with the socket
 */
export type Authorize<Context = unknown> = (action: AuthorizeAction, context: Context) => Decision | Promise<Decision>;

/** The names of the actions. */
export const actionNames = [
	'join',
	'updateUser',
	'push',
	'updatePusher',
	'pull',
	'autoPull',
	'textMessage',
] as const satisfies readonly AuthorizeAction['action'][];
