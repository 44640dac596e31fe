import type { ClientNotifications, ClientRequests } from './protocol/requests.js';
import type { ConnectionCloseReason } from './connections/ConnectionEvents.js';
import type { SfuError } from './SfuError.js';

/**
 * The work that an app and its clients wait for.
 *
 * | operation | from | to |
 * | --- | --- | --- |
 * | `openRoom` | `getOrCreateRoom()` finds no open room | the room is open |
 * | `join` | `room.join()` | the user is in the room |
 * | `push` | `user.push()` | there is an answer |
 * | `pull` | `user.pull()` | there is an answer, or an offer of the server; it waits while an earlier offer does |
 * | `offer` | the server begins to make an offer | the offer is made |
 * | `answer` | a client answers an offer of the server | the answer is applied |
 * | `connect` | the first answer | the DTLS handshake of an RTCPeerConnection is finished |
 */
export type OperationName = 'openRoom' | 'join' | 'push' | 'pull' | 'offer' | 'answer' | 'connect';

/** One operation. What is not known when it begins is known when it ends. */
export interface Operation {
	/** What is done. */
	readonly name: OperationName;
	/** The room. */
	readonly roomId: string;
	/** The user. Undefined for `openRoom`, and as long as the arguments of `join` are not checked. */
	readonly userId?: string | undefined;
	/** The connection. Undefined for `openRoom` and `join`, and as long as it is not known which one it is. */
	readonly connectionId?: string | undefined;
	/** Whether its duration has the time in it that a person took to decide: a join that waits in the lobby. */
	readonly waited?: boolean | undefined;
}

/** How an operation has ended. */
export interface OperationEnd {
	/** How long it took, in ms. */
	readonly duration: number;
	/**
	 * Why it failed. Undefined after a success. `code` is safe to tell; `message` may quote the client, and `cause` may have
	 * anything.
	 */
	readonly error: SfuError | undefined;
}

/** What an {@link Observer} does with one operation. */
export interface Observation {
	/** Calls `work`, at once and once: for what has an asynchronous context, such as a span. */
	within?(work: () => void): void;
	/** The operation has ended. */
	ended(end: OperationEnd): void;
}

/** A message of a client that was refused or has failed, over any adapter of `sfu-rooms/signaling`. */
export interface MessageFailure {
	/** The request or notification. Undefined for what could not be read, and for a name that the protocol does not have. */
	readonly method: keyof ClientRequests | keyof ClientNotifications | undefined;
	/** Why. `code` is safe to tell; `message` may quote the client, and `cause` may have anything. */
	readonly error: SfuError;
}

/** A connection that has closed. */
export interface ConnectionEnd {
	/** Its id. */
	readonly connectionId: string;
	/** The user that it belonged to. */
	readonly userId: string;
	/** The room. */
	readonly roomId: string;
	/** Why. `negotiationFailed` is that of one whose first offer failed, and of which no event tells. */
	readonly reason: ConnectionCloseReason;
}

/**
 * Follows the operations of an Sfu, for metrics, traces and the like. An error of an observer is logged, and changes nothing.
 * `sfu-rooms/metrics` and `sfu-rooms/tracing` have one each.
 *
 * @example
 * ```ts
 * const stop = sfu.observe({
 *   begun: (operation) => ({
 *     ended: ({ duration, error }) => console.log(operation.name, duration, error?.code ?? 'done'),
 *   }),
 * });
 * ```
 */
export interface Observer {
	/**
	 * An operation begins. It is called in the asynchronous context of whoever has begun it.
	 *
	 * @returns what to do with it; undefined to do nothing
	 */
	begun(operation: Operation): Observation | undefined;
	/** A message of a client was refused, or has failed while the client was there. */
	messageFailed?(failure: MessageFailure): void;
	/** A connection has closed. */
	connectionClosed?(end: ConnectionEnd): void;
}
