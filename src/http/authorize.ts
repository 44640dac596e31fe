import type { JoinGrant } from '../signaling/index.js';

/** What is known of whoever sends a request, beside the request itself. */
export interface HttpPeer {
	/** Its address. */
	address?: string;
	/** The request as the app's server has it: of node:http, for example. */
	raw?: unknown;
}

/** What a client watches. A source that is not named is any. */
export interface WatchTarget {
	/** The user. Without one it is whoever pushes the sources, or else whoever speaks. */
	userId?: string;
	/** The source of the audio, such as `microphone`. */
	audio?: string;
	/** The source of the video, such as `screen`. */
	video?: string;
}

/** What every question of the adapter has. */
export interface HttpActionData {
	/** The id of the room, as the URL has it. */
	roomId: string;
	/** The bearer token. Undefined without one. */
	token: string | undefined;
	/** The request. Its body has been read. */
	request: Request;
	/** Who sends it. */
	peer: HttpPeer;
}

/** A client wants to push (WHIP). */
export interface WhipAction extends HttpActionData {
	/** The name of the action. */
	action: 'whip';
	/** The user that the URL names. */
	userId: string | undefined;
	/** The sources that the URL names. */
	sources: Omit<WatchTarget, 'userId'>;
}

/** A client wants to watch (WHEP). */
export interface WhepAction extends HttpActionData {
	/** The name of the action. */
	action: 'whep';
	/** What it wants to watch. */
	target: WatchTarget;
}

/** What a client wants to do. */
export type HttpAction = WhipAction | WhepAction;

/** How a client joins, as for `room.join()`. */
export interface HttpGrant extends JoinGrant {
	/** The user that the client is. Default: the one that the URL names when it pushes; otherwise a new one. */
	userId?: string;
	/**
	 * Whether it takes the place of a user with the same id, wherever that has joined. Default: true with `userId` in the grant,
	 * because the app vouches for it then. Otherwise a client takes the place of a session with the same token on this server.
	 */
	takeOver?: boolean;
}

/**
 * Says who a client is, and whether it may do something.
 *
 * - `true` or an {@link HttpGrant}: it may
 * - `false`: it may not. With a token it is answered with 403, without one with 401
 * - `undefined`: nobody knows who it is, for example because its token has expired. It is answered with 401
 *
 * If it throws an `SfuError`, the client gets the code and the message of that error. Any other error is logged and
 * answered with 500.
 */
export type AuthorizeHttp = (
	action: HttpAction,
) => boolean | HttpGrant | undefined | Promise<boolean | HttpGrant | undefined>;
