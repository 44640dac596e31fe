import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import {
	InvalidRequestError,
	readMessage,
	writeFailure,
	writeNotification,
	writeSuccess,
	type Incoming,
} from './envelope.js';
import { errorCodes } from './errorCodes.js';
import type { Notifications } from './messages.js';
import type { Socket } from './Socket.js';

/** How much a socket may ask of the server. */
export interface PeerLimits {
	/**
	 * The size of one message, in UTF-16 code units. A larger request is answered with 413; one of more than sixteen
	 * times the size closes the socket (1009). Default 262,144.
	 */
	messageLength: number;
	/** Requests that wait for their answer. More are answered with 429. Default 64. */
	pendingRequests: number;
	/** Messages in a row that are none of the protocol. More close the socket (1008). Default 20. */
	invalidMessages: number;
	/** Bytes that wait for a slow reader. More close the socket (1013). Default 4,194,304. */
	bufferedBytes: number;
}

export const defaultPeerLimits: PeerLimits = {
	messageLength: 262_144,
	pendingRequests: 64,
	invalidMessages: 20,
	bufferedBytes: 4_194_304,
};

/**
 * What a request is answered with, made at the moment of sending, so that no notification comes between the state that
 * it describes and itself.
 */
export type Reply = () => object;

export interface PeerHandlers {
	request: (method: string, data: unknown) => Promise<Reply>;
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
	#queue: Promise<void> = Promise.resolve();
	#invalidInARow = 0;
	#closed = false;

	constructor(socket: Socket, handlers: PeerHandlers, limits: PeerLimits, logger: Logger) {
		this.#socket = socket;
		this.#handlers = handlers;
		this.#limits = limits;
		this.#logger = logger;
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

	/** Closes the socket, with a code and a reason of WebSocket. */
	close(code: number, reason: string): void {
		if (this.#closed) return;
		this.#socket.close(code, reason);
		this.#gone(code);
	}

	#gone(code: number): void {
		if (this.#closed) return;
		this.#closed = true;
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
			if (message) {
				this.#invalidInARow = 0;
				this.#accept(message, text?.length ?? 0);
				return;
			}
			this.#logger.debug('a message was dropped that is none of the protocol');
		} catch (error) {
			if (!(error instanceof InvalidRequestError)) throw error;
			this.#fail(error.id, error);
		}
		this.#invalidInARow++;
		if (this.#invalidInARow > invalidMessages) this.close(1008, 'too many invalid messages');
	}

	#accept(message: Incoming, length: number): void {
		const { messageLength, pendingRequests } = this.#limits;
		// The server has asked nothing that this could answer.
		if (message.type === 'response') return;
		if (message.type === 'notification') {
			if (length <= messageLength && this.#pendingIds.size < pendingRequests)
				this.#enqueue(() => this.#handleNotification(message));
			return;
		}
		const { id } = message;
		if (this.#pendingIds.has(id)) {
			this.#fail(
				id,
				new SfuError('invalid_argument', `id ${id} is that of another request, which is not answered yet`),
			);
		} else if (length > messageLength) {
			this.#fail(
				id,
				new SfuError(
					'too_large',
					`the message has ${length} characters, more than the ${messageLength} that are allowed`,
				),
			);
		} else if (this.#pendingIds.size >= pendingRequests) {
			this.#fail(id, new SfuError('limit_exceeded', `more than ${pendingRequests} requests at a time are not allowed`));
		} else {
			this.#pendingIds.add(id);
			this.#enqueue(() => this.#handleRequest(message));
		}
	}

	#enqueue(handle: () => Promise<void>): void {
		this.#queue = this.#queue.then(async () => {
			if (!this.#closed) await handle();
		});
	}

	async #handleRequest({ id, method, data }: Incoming & { type: 'request' }): Promise<void> {
		try {
			const reply = await this.#handlers.request(method, data);
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
