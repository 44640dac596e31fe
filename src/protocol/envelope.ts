import type { Notifications } from './notifications.js';
import type { ClientNotifications, ClientRequests, ServerRequests } from './requests.js';

/** A request of protoo 4. Both sides may send them. */
export interface RequestMessage<Method extends string = string, Data = unknown> {
	request: true;
	/** An unsigned 32-bit integer, unique among the sender's requests that wait for their response. */
	id: number;
	method: Method;
	data: Data;
}

/** The response to a request that succeeded. */
export interface SuccessMessage<Data = unknown> {
	response: true;
	/** The id of the request. */
	id: number;
	ok: true;
	data: Data;
}

/** The response to a request that failed. */
export interface FailureMessage {
	response: true;
	/** The id of the request. */
	id: number;
	ok: false;
	/** The server sends one of {@link errorCodes}. */
	errorCode: number;
	/** For people to read. */
	errorReason: string;
}

/** A message that has no response. */
export interface NotificationMessage<Method extends string = string, Data = unknown> {
	notification: true;
	method: Method;
	data: Data;
}

/** All that a client receives. */
export type ServerMessage =
	| SuccessMessage
	| FailureMessage
	| { [Method in keyof ServerRequests]: RequestMessage<Method, ServerRequests[Method]['data']> }[keyof ServerRequests]
	| { [Method in keyof Notifications]: NotificationMessage<Method, Notifications[Method]> }[keyof Notifications];

/** All that a client may send. */
export type ClientMessage =
	| SuccessMessage<ServerRequests[keyof ServerRequests]['response']>
	| FailureMessage
	| { [Method in keyof ClientRequests]: RequestMessage<Method, ClientRequests[Method]['data']> }[keyof ClientRequests]
	| {
			[Method in keyof ClientNotifications]: NotificationMessage<Method, ClientNotifications[Method]>;
	  }[keyof ClientNotifications];
