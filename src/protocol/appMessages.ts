import type { MemberData, Success } from './parts.js';

/** A message or a request of the app's own, from the server. */
export interface AppMessageData {
	/** The id of the room. */
	roomId: string;
	/** What kind of message it is, in a word of the app's own. */
	name: string;
	/** Any JSON value. Missing if there is none. */
	data?: unknown;
}

/** A message or a request of the app's own, from a client. Only the app gets it. */
export interface ClientAppMessageData extends MemberData, AppMessageData {}

/** The success data of the client's request `appRequest`. */
export interface AppRequestSuccess extends Success<'appRequest'> {
	/** What the app answers, any JSON value. Missing if it answers nothing. */
	data?: unknown;
}

/** The success data of the server's request `appRequest`. */
export interface AppResponse {
	/** What the client answers, any JSON value. Left out if it answers nothing. */
	data?: unknown;
}
