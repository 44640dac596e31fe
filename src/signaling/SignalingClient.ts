import type { Notifications, ServerRequests } from '../protocol/index.js';

/** A client's response to a request of the server. */
export interface ClientResponse {
	/** Whether the request succeeded. */
	ok: boolean;
	/** The data of the success, unchecked. */
	data?: unknown;
}

/** A request of the server that waits for its response. */
export interface OutgoingRequest {
	/**
	 * The client's response.
	 *
	 * @throws {@link SfuError} (rejects) `timeout`, `closed` when the socket is closed, `conflict` after
	 *   {@link OutgoingRequest.cancel}
	 */
	readonly response: Promise<ClientResponse>;
	/** Stops waiting for the response. */
	readonly cancel: () => void;
}

/** A connected client, as an adapter gives it to {@link Signaling.open}. Messages arrive in the order of the calls. */
export interface SignalingClient<Message = string> {
	/** Sends an encoded notification. Does nothing when the client is gone, and never throws. */
	send(message: Message): void;
	/**
	 * Asks the client something. {@link OutgoingRequests} keeps ids and timeouts for adapters that need them.
	 *
	 * @throws {@link SfuError} `closed` when the client is gone, `limit_exceeded`
	 */
	request<Method extends keyof ServerRequests>(method: Method, data: ServerRequests[Method]['data']): OutgoingRequest;
	/** Closes the client's socket with one of {@link closeCodes}. Nothing more is sent to it. */
	close(code: number, reason: string): void;
}

/** The session that speaks for a member, as the member sees it. */
export interface MemberSession<Message> {
	readonly client: SignalingClient<Message>;
	/** Whether the client is still connected. */
	readonly open: boolean;
	/** Closes the client's socket. */
	close(code: number, reason: string): void;
}

/** Encodes a notification, once for all clients that receive it. */
export type EncodeNotification<Message> = <Method extends keyof Notifications>(
	method: Method,
	data: Notifications[Method],
) => Message;
