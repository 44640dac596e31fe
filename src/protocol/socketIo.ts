import type { Notifications } from './notifications.js';
import type { ClientNotifications, ClientRequests, RequestData, ResponseData, ServerRequests } from './requests.js';

/** The acknowledgement of an event of Socket.IO that is a request. */
export type SocketIoResponse<Data = unknown> =
	| {
			/** The request succeeded. */
			ok: true;
			/** The data of the success. */
			data: Data;
	  }
	| {
			/** The request failed. */
			ok: false;
			/** The server sends one of `errorCodes`. */
			errorCode: number;
			/** The reason, for people to read. */
			errorReason: string;
	  };

/** The data of the event `closing`, which tells why the server disconnects a socket of Socket.IO. */
export interface ClosingData {
	/** One of `closeCodes`. After 4000 the client must not connect again. */
	code: number;
	/** The reason, for people to read. */
	reason: string;
}

/**
 * The events that a client emits over Socket.IO: requests with an acknowledgement, and notifications without. For the
 * type parameters of `Socket` and `Server`.
 */
export type SocketIoClientEvents = {
	[Method in Exclude<keyof ClientRequests, keyof ClientNotifications>]: (
		data: RequestData<Method>,
		respond: (response: SocketIoResponse<ResponseData<Method>>) => void,
	) => void;
} & {
	[Method in keyof ClientNotifications]: (
		data: ClientNotifications[Method],
		respond?: (response: SocketIoResponse<Method extends keyof ClientRequests ? ResponseData<Method> : never>) => void,
	) => void;
};

/**
 * The events that the server emits over Socket.IO: notifications, requests, which the client acknowledges, and `closing`.
 * For the type parameters of `Socket` and `Server`.
 */
export type SocketIoServerEvents = {
	[Method in keyof Notifications]: (data: Notifications[Method]) => void;
} & {
	[Method in keyof ServerRequests]: (
		data: ServerRequests[Method]['data'],
		respond: (response: SocketIoResponse<ServerRequests[Method]['response']>) => void,
	) => void;
} & {
	/** The server disconnects the socket. It comes right before. */
	closing: (data: ClosingData) => void;
};
