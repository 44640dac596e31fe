import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import {
	InvalidRequestError,
	readMessage,
	writeFailure,
	writeNotification,
	writeRequest,
	writeSuccess,
	type Incoming,
} from './envelope.js';
import { errorCodes } from '../protocol/errorCodes.js';
import type { Notifications, ServerRequests } from '../protocol/messages.js';
import { OutgoingRequests, type OutgoingRequest } from '../signaling/OutgoingRequests.js';
import { RateLimit } from '../signaling/RateLimit.js';
import type { Socket } from './Socket.js';

/** How much a socket may ask of the server. */
export interface PeerLimits {
	/**
	 * The size of one message, in UTF-16 code units. A larger request is answered with 413; one of more than sixteen
	 * times the size closes the socket (1009). Default 262,144.
	 */
	messageLength: number;
	/** Requests that wait for their answer. More are answered with 429. Default 256. */
	pendingRequests: number;
	/** How long a client may take to respond to a request of the server, in ms. Default 30,000. */
	responseTimeout: number;
	/**
	 * Messages a second in the long run. More are answered with 429, or dropped when they are no requests; as many as
	 * `messageBurst` of these in a row close the socket (1008). Default 50.
	 */
	messagesPerSecond: number;
	/** Messages at once. Default 500. */
	messageBurst: number;
	/** Offers of a user a second in the long run. More are answered with 429. Default 10. */
	offersPerSecond: number;
	/** Offers of a user at once. Default 200. */
	offerBurst: number;
	/** Messages in a row that are none of the protocol. More close the socket (1008). Default 20. */
	invalidMessages: number;
	/** Bytes that wait for a slow reader. More close the socket (1013). Default 4,194,304. */
	bufferedBytes: number;
}

export const defaultPeerLimits: PeerLimits = {
	messageLength: 262_144,
	pendingRequests: 256,
	responseTimeout: 30_000,
	messagesPerSecond: 50,
	messageBurst: 500,
	offersPerSecond: 10,
	offerBurst: 200,
	invalidMessages: 20,
	bufferedBytes: 4_194_304,
};

/**
 * What a request is answered with, made at the moment of sending, so that no notification comes between the state that
 * it describes and itself.
 */
export type Reply = () => object;

/** What comes of a request: its reply, or one that may take long, so that others are handled meanwhile. */
export type Outcome = Reply | { later: Promise<Reply> };

export interface PeerHandlers {
	request: (method: string, data: unknown) => Promise<Outcome>;
	notification: (method: string, data: unknown) => Promise<void>;
	/** The socket is gone; `code` is WebSocket's. */
	closed: (code: number) => void;
}

/** The server's end of one socket: reads and writes messages, and handles them one after the other. */
export class Peer {
	readonly #socket: Socket;
	readonly #handlers: PeerHandlers;
	readonly #limits: PeerLimits;
	readonly #logger: Logger;
	readonly #pendingIds = new Set<number>();
	readonly #outgoing: OutgoingRequests;
	#queue: Promise<void> = Promise.resolve();
	readonly #rate: RateLimit;
	#waiting = 0;
	#invalidInARow = 0;
	#excessInARow = 0;
	#closed = false;

	constructor(socket: Socket, handlers: PeerHandlers, limits: PeerLimits, logger: Logger) {
		this.#socket = socket;
		this.#handlers = handlers;
		this.#limits = limits;
		this.#logger = logger;
		this.#rate = new RateLimit(limits.messageBurst, limits.messagesPerSecond);
		this.#outgoing = new OutgoingRequests(limits.pendingRequests, limits.responseTimeout);
		socket.listen({
			message: (text) => {
				if (!this.#closed) this.#receive(text);
			},
			closed: (code) => {
				this.#gone(code);
			},
		});
	}

	get closed(): boolean {
		return this.#closed;
	}

	notify<Method extends keyof Notifications>(method: Method, data: Notifications[Method]): void {
		this.#send(writeNotification(method, data));
	}

	/**
	 * Asks the client something.
	 *
	 * @throws {@link SfuError} `closed`, `limit_exceeded`
	 */
	request<Method extends keyof ServerRequests>(method: Method, data: ServerRequests[Method]): OutgoingRequest {
		return this.#outgoing.start((id) => {
			this.#send(writeRequest(id, method, data));
		});
	}

	/** Closes the socket, with a code and a reason of WebSocket. */
	close(code: number, reason: string): void {
		if (this.#closed) return;
		this.#socket.close(code, reason);
		this.#gone(code);
	}

	#gone(code: number): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#outgoing.close();
		this.#handlers.closed(code);
	}

	#send(text: string): void {
		if (this.#closed) return;
		this.#socket.send(text);
		if (this.#socket.bufferedAmount > this.#limits.bufferedBytes) this.close(1013, 'reads too slowly');
	}

	#fail(id: number, error: SfuError): void {
		this.#send(writeFailure(id, errorCodes[error.code], error.message));
	}

	#receive(text: string | undefined): void {
		const { messageLength, invalidMessages } = this.#limits;
		if (text !== undefined && text.length > messageLength * 16) {
			this.close(1009, 'message too large');
			return;
		}
		try {
			const message = text === undefined ? undefined : readMessage(text);
			if (message && this.#accept(message, text?.length ?? 0)) {
				this.#invalidInARow = 0;
				return;
			}
			this.#logger.debug('a message was dropped that is none of the protocol, or that responds to nothing');
		} catch (error) {
			if (!(error instanceof InvalidRequestError)) throw error;
			this.#fail(error.id, error);
		}
		this.#invalidInARow++;
		if (this.#invalidInARow > invalidMessages) this.close(1008, 'too many invalid messages');
	}

	/** @returns whether it makes sense */
	#accept(message: Incoming, length: number): boolean {
		const refusal = this.#refusal(message, length);
		if (message.type === 'response') {
			const { id, ok, data } = message;
			// Whoever has asked is told at least that it has failed.
			return this.#outgoing.settle(id, refusal ? { ok: false, data: undefined } : { ok, data });
		}
		if (message.type === 'notification') {
			if (!refusal) this.#enqueue(() => this.#handleNotification(message));
		} else if (refusal) {
			this.#fail(message.id, refusal);
		} else {
			this.#pendingIds.add(message.id);
			this.#enqueue(() => this.#handleRequest(message));
		}
		return true;
	}

	/** Why a message is not even looked at. */
	#refusal(message: Incoming, length: number): SfuError | undefined {
		const { messageLength, pendingRequests, messageBurst } = this.#limits;
		if (!this.#rate.take()) {
			this.#excessInARow++;
			if (this.#excessInARow > messageBurst) this.close(1008, 'too many messages');
			return new SfuError('limit_exceeded', 'too many messages in too short a time');
		}
		this.#excessInARow = 0;
		if (message.type === 'request' && this.#pendingIds.has(message.id)) {
			return new SfuError('invalid_argument', `id ${message.id} is that of another request, which is not answered yet`);
		}
		if (length > messageLength) {
			return new SfuError(
				'too_large',
				`the message has ${length} characters, more than the ${messageLength} that are allowed`,
			);
		}
		if (message.type !== 'response' && this.#waiting >= pendingRequests) {
			return new SfuError('limit_exceeded', `more than ${pendingRequests} requests at a time are not allowed`);
		}
		return undefined;
	}

	#enqueue(handle: () => Promise<void>): void {
		this.#waiting++;
		this.#queue = this.#queue.then(async () => {
			if (!this.#closed) await handle();
			this.#waiting--;
		});
	}

	async #handleRequest({ id, method, data }: Incoming & { type: 'request' }): Promise<void> {
		const outcome = this.#handlers.request(method, data);
		const later = await outcome.then(
			(known) => 'later' in known,
			() => false,
		);
		const responded = this.#respond(id, method, outcome);
		if (!later) {
			await responded;
			return;
		}
		this.#waiting++;
		void responded.then(() => this.#waiting--);
	}

	async #respond(id: number, method: string, outcome: Promise<Outcome>): Promise<void> {
		try {
			const known = await outcome;
			const reply = 'later' in known ? await known.later : known;
			if (!this.#closed) this.#send(writeSuccess(id, reply()));
		} catch (error) {
			this.#fail(id, this.#knownError(error, method));
		} finally {
			this.#pendingIds.delete(id);
		}
	}

	async #handleNotification({ method, data }: Incoming & { type: 'notification' }): Promise<void> {
		try {
			await this.#handlers.notification(method, data);
		} catch (error) {
			const { message } = this.#knownError(error, method);
			this.#logger.debug(`the notification "${method}" was dropped: ${message}`);
		}
	}

	#knownError(error: unknown, method: string): SfuError {
		if (error instanceof SfuError) return error;
		this.#logger.error(`"${method}" failed`, error);
		return new SfuError('internal', 'internal error', { cause: error });
	}
}
