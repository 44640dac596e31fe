import type { Notifications, ServerRequests } from '../protocol/index.js';

/** A client's response to a request of the server. */
export interface ClientResponse {
	/** Whether the request succeeded. */
	ok: boolean;
	/** The data of the success, unchecked. Missing after a failure. */
	data?: unknown;
	/** The code of the failure. Missing after a success, and if there is none. */
	errorCode?: number;
	/** The reason of the failure. Missing after a success, and if there is none. */
	errorReason?: string;
}

/** A request of the server that waits for its response. */
export interface OutgoingRequest {
	/**
	 * The client's response.
	 *
	 * @throws `SfuError` (rejects) `timeout`, `closed` if the socket closes, `conflict` after
	 *   {@link OutgoingRequest.cancel}
	 */
	readonly response: Promise<ClientResponse>;
	/** Stops waiting for the response. */
	readonly cancel: () => void;
}

/**
 * A connected client. An adapter implements it for {@link Signaling.open}, and keeps messages in the order of the calls.
 *
 * @typeParam Message - an encoded notification
 */
export interface SignalingClient<Message = string> {
	/**
	 * Tells whether the client leaves so much unread that it should get nothing that it can do without. It misses texts then.
	 * Left out by adapters that cannot know.
	 */
	isSlow?(): boolean;
	/**
	 * Sends an encoded notification. Does nothing if the client is gone, and never throws.
	 *
	 * @param message - the notification
	 */
	send(message: Message): void;
	/**
	 * Sends a request to the client. {@link OutgoingRequests} keeps ids and timeouts for adapters that need them.
	 *
	 * @param method - the name of the request
	 * @param data - the data of the request
	 * @param options - how long the response may take, in ms; default {@link ClientLimits.responseTimeout}
	 * @throws `SfuError` `closed` if the client is gone, `limit_exceeded` if too many requests wait
	 */
	request<Method extends keyof ServerRequests>(
		method: Method,
		data: ServerRequests[Method]['data'],
		options?: { timeout: number },
	): OutgoingRequest;
	/**
	 * Closes the client's socket. The session sends nothing after it.
	 *
	 * @param code - one of `closeCodes`
	 * @param reason - the reason, for people to read
	 */
	close(code: number, reason: string): void;
}

/** The session that speaks for a member, as the member sees it. */
export interface MemberSession<Message> {
	/** The client of the session. */
	readonly client: SignalingClient<Message>;
	/** Whether the client is still connected. */
	readonly open: boolean;
	/** Closes the client's socket. */
	close(code: number, reason: string): void;
}

/**
 * Encodes a notification, once for all clients that receive it.
 *
 * @param method - the name of the notification
 * @param data - the data of the notification
 */
export type EncodeNotification<Message> = <Method extends keyof Notifications>(
	method: Method,
	data: Notifications[Method],
) => Message;
