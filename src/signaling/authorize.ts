import type { PullSpec, PusherDetails, PushOptions } from '../index.js';
import type { JoinData, MemberData } from '../protocol/index.js';

/** A user joins. */
export interface JoinAction extends JoinData {
	/** The name of the action. */
	action: 'join';
}

/** A user pushes, with the options of its push. */
export interface PushAction extends MemberData, PushOptions {
	/** The name of the action. */
	action: 'push';
	/** The offer. */
	sdp: string;
}

/** A user changes the source or the metadata of a pusher. */
export interface UpdatePusherAction extends MemberData {
	/** The name of the action. */
	action: 'updatePusher';
	/** The id of the pusher. */
	pusherId: string;
	/** The new values. */
	details: PusherDetails;
}

/** A user pulls from another user. */
export interface PullAction extends MemberData {
	/** The name of the action. */
	action: 'pull';
	/** The user to pull from. */
	targetUserId: string;
	/** The pushers to pull. */
	specs: readonly PullSpec[];
}

/** A user pulls everything that the others push, now and later. */
export interface AutoPullAction extends MemberData {
	/** The name of the action. */
	action: 'autoPull';
}

/** A user sends a text to the others. */
export interface TextMessageAction extends MemberData {
	/** The name of the action. */
	action: 'textMessage';
	/** The text. */
	message: string;
}

/** An action of a client, to allow or to refuse. */
export type AuthorizeAction =
	JoinAction | PushAction | UpdatePusherAction | PullAction | AutoPullAction | TextMessageAction;

/**
 * Decides whether a client may do something. Every result but `true` is answered with 403. If it throws an `SfuError`,
 * the client gets the code and the message of that error. Any other error is logged and answered with 500.
 *
 * @param action - the action; except for `join`, the user has joined on the socket
 * @param context - the value that the adapter got with the socket
 */
export type Authorize = (action: AuthorizeAction, context: unknown) => boolean | Promise<boolean>;
