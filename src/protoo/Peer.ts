import { SfuError, type Logger } from '../index.js';
import { closeCodes, errorCodes } from '../protocol/index.js';
import {
	OutgoingRequests,
	type ClientLimits,
	type ContextArgument,
	type Session,
	type Signaling,
} from '../signaling/index.js';
import {
	InvalidRequestError,
	readMessage,
	writeFailure,
	writeRequest,
	writeSuccess,
	type Incoming,
} from './envelope.js';
import type { Socket } from './Socket.js';

/** The server's end of one socket. It reads and writes the messages of a session. */
export class Peer<Context> {
	readonly #socket: Socket;
	readonly #limits: ClientLimits;
	readonly #logger: Logger;
	readonly #outgoing: OutgoingRequests;
	readonly #session: Session<string, Context>;
	readonly #pendingIds = new Set<number>();
	#invalidInARow = 0;
	#closed = false;

	/** @param context - a value for `authorize` */
	constructor(
		socket: Socket,
		signaling: Signaling<string, Context>,
		context: ContextArgument<Context>,
		logger: Logger,
	) {
		this.#socket = socket;
		this.#limits = signaling.limits;
		this.#logger = logger;
		this.#outgoing = new OutgoingRequests(this.#limits.pendingRequests, this.#limits.responseTimeout);
		this.#session = signaling.open(
			{
				send: (text) => {
					this.#send(text);
				},
				request: (method, data) =>
					this.#outgoing.start((id) => {
						this.#send(writeRequest(id, method, data));
					}),
				close: (code, reason) => {
					if (this.#shut()) socket.close(code, reason);
				},
			},
			...context,
		);
		socket.listen({
			message: (text) => {
				if (!this.#closed) this.#receive(text);
			},
			closed: (code) => {
				if (this.#shut()) this.#session.closed(code);
			},
		});
	}

	/**
	 * Marks the peer as closed, and rejects the requests that wait for a response.
	 *
	 * @returns whether it was open
	 */
	#shut(): boolean {
		if (this.#closed) return false;
		this.#closed = true;
		this.#outgoing.close();
		return true;
	}

	/** Closes the socket of a client that breaks the rules. Its user may come back. */
	#drop(code: number, reason: string): void {
		if (!this.#shut()) return;
		this.#socket.close(code, reason);
		this.#session.closed(code);
	}

	#send(text: string): void {
		if (this.#closed) return;
		this.#socket.send(text);
		if (this.#socket.bufferedAmount > this.#limits.bufferedBytes) this.#drop(closeCodes.tooSlow, 'reads too slowly');
	}

	#fail(id: number, error: SfuError): void {
		this.#send(writeFailure(id, errorCodes[error.code], error.message));
	}

	#receive(text: string | undefined): void {
		const { messageLength, invalidMessages } = this.#limits;
		if (text !== undefined && text.length > messageLength * 16) {
			this.#drop(closeCodes.tooLarge, 'message too large');
			return;
		}
		try {
			const message = text === undefined ? undefined : readMessage(text);
			if (message && this.#accept(message, text?.length ?? 0)) {
				this.#invalidInARow = 0;
				return;
			}
			this.#logger.debug('an invalid message was dropped');
		} catch (error) {
			if (!(error instanceof InvalidRequestError)) throw error;
			this.#fail(error.id, error);
		}
		this.#invalidInARow++;
		if (this.#invalidInARow > invalidMessages) this.#drop(closeCodes.policyViolation, 'too many invalid messages');
	}

	/** @returns `false` for a response to no request */
	#accept(message: Incoming, length: number): boolean {
		const invalid = this.#check(message, length);
		if (message.type === 'request' && !invalid) {
			const { id, method, data } = message;
			this.#pendingIds.add(id);
			this.#session.request(method, data, (result) => {
				this.#pendingIds.delete(id);
				if ('error' in result) this.#fail(id, result.error);
				else this.#send(writeSuccess(id, result.data));
			});
			return true;
		}
		if (message.type === 'notification' && !invalid) {
			this.#session.notification(message.method, message.data);
			return true;
		}
		const refusal = this.#session.count() ?? invalid;
		if (message.type === 'response') {
			const { id, ok, data } = message;
			// The request of the server fails now instead of waiting for its timeout.
			return this.#outgoing.settle(id, refusal ? { ok: false } : { ok, data });
		}
		if (message.type === 'request' && refusal) this.#fail(message.id, refusal);
		return true;
	}

	/** @returns the reason why the session must not see the message */
	#check(message: Incoming, length: number): SfuError | undefined {
		const { messageLength } = this.#limits;
		if (message.type === 'request' && this.#pendingIds.has(message.id)) {
			return new SfuError('invalid_argument', `another request with id ${message.id} waits for its response`);
		}
		if (length <= messageLength) return undefined;
		return new SfuError('too_large', `the message has ${length} characters, and only ${messageLength} are allowed`);
	}
}
