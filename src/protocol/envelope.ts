import type { Notifications } from './notifications.js';
import type { ClientNotifications, ClientRequests, ServerRequests } from './requests.js';

/** A request of protoo 4. Both sides may send them. */
export interface RequestMessage<Method extends string = string, Data = unknown> {
	/** Marks a request. */
	request: true;
	/** An unsigned 32-bit integer, unique among the sender's requests that wait for their response. */
	id: number;
	/** The name of the request. */
	method: Method;
	/** The data of the request. */
	data: Data;
}

/** The response to a request that succeeded. */
export interface SuccessMessage<Data = unknown> {
	/** Marks a response. */
	response: true;
	/** The id of the request. */
	id: number;
	/** The request succeeded. */
	ok: true;
	/** The data of the success. */
	data: Data;
}

/** The response to a request that failed. */
export interface FailureMessage {
	/** Marks a response. */
	response: true;
	/** The id of the request. */
	id: number;
	/** The request failed. */
	ok: false;
	/** The server sends one of `errorCodes`. */
	errorCode: number;
	/** The reason, for people to read. */
	errorReason: string;
}

/** A message that has no response. */
export interface NotificationMessage<Method extends string = string, Data = unknown> {
	/** Marks a notification. */
	notification: true;
	/** The name of the notification. */
	method: Method;
	/** The data of the notification. */
	data: Data;
}

/** Every message that a client may receive. */
export type ServerMessage =
	| SuccessMessage
	| FailureMessage
	| { [Method in keyof ServerRequests]: RequestMessage<Method, ServerRequests[Method]['data']> }[keyof ServerRequests]
	| { [Method in keyof Notifications]: NotificationMessage<Method, Notifications[Method]> }[keyof Notifications];

/** Every message that a client may send. */
export type ClientMessage =
	| SuccessMessage<ServerRequests[keyof ServerRequests]['response']>
	| FailureMessage
	| { [Method in keyof ClientRequests]: RequestMessage<Method, ClientRequests[Method]['data']> }[keyof ClientRequests]
	| {
			[Method in keyof ClientNotifications]: NotificationMessage<Method, ClientNotifications[Method]>;
	  }[keyof ClientNotifications];
