import { SfuError } from '../index.js';
import { closeCodes, errorCodes } from '../protocol/index.js';
import {
	OutgoingRequests,
	SocketLimits,
	type ContextArgument,
	type Session,
	type Signaling,
} from '../signaling/index.js';
import {
	InvalidRequestError,
	readHead,
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
	readonly #limits: SocketLimits;
	readonly #outgoing: OutgoingRequests;
	readonly #session: Session<string, Context>;
	readonly #pendingIds = new Set<number>();
	readonly #joinTimer: NodeJS.Timeout | undefined;
	#closed = false;

	/** @param context - a value for `authorize` */
	constructor(socket: Socket, signaling: Signaling<string, Context>, context: ContextArgument<Context>) {
		this.#socket = socket;
		const { pendingRequests, responseTimeout, joinTimeout } = signaling.limits;
		this.#limits = new SocketLimits(signaling.limits);
		this.#outgoing = new OutgoingRequests(pendingRequests, responseTimeout);
		this.#session = signaling.open(
			{
				isSlow: () => this.#limits.isSlow(socket.bufferedAmount),
				send: (text) => {
					this.#send(text);
				},
				request: (method, data, options) =>
					this.#outgoing.start((id) => {
						this.#send(writeRequest(id, method, data));
					}, options?.timeout),
				close: (code, reason) => {
					if (this.#shut()) socket.close(code, reason);
				},
			},
			...context,
		);
		// The adapter may have closed.
		if (!this.#closed) {
			this.#joinTimer = setTimeout(() => {
				if (!this.#session.joined) this.#drop(closeCodes.policyViolation, 'did not join in time');
			}, joinTimeout);
		}
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
		clearTimeout(this.#joinTimer);
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
		if (this.#limits.sent(text.length, this.#socket.bufferedAmount)) {
			this.#drop(closeCodes.tooSlow, 'reads too slowly');
		}
	}

	#refuse(id: number, error: SfuError, method?: string): void {
		this.#session.failed(error, method);
		this.#fail(id, error);
	}

	#fail(id: number, error: SfuError): void {
		this.#send(writeFailure(id, errorCodes[error.code], error.message));
	}

	#receive(text: string | undefined): void {
		if (text !== undefined && this.#limits.isHuge(text.length)) {
			this.#session.failed(new SfuError('too_large', 'message too large'));
			this.#drop(closeCodes.tooLarge, 'message too large');
			return;
		}
		const refusal = text === undefined ? undefined : this.#limits.refusalOf(text.length, this.#session.joined);
		try {
			const message = text === undefined || refusal ? undefined : readMessage(text);
			if (message && this.#accept(message)) {
				this.#limits.valid();
				return;
			}
			if (text === undefined || !refusal || !this.#answerUnread(text, refusal)) {
				// A late response to a request of the server is no news to anybody.
				if (message?.type !== 'response') this.#session.refused(refusal ?? noMessage());
			}
		} catch (error) {
			if (!(error instanceof InvalidRequestError)) throw error;
			this.#refuse(error.id, error);
		}
		if (this.#limits.invalid()) this.#drop(closeCodes.policyViolation, 'too many invalid messages');
	}

	/** @returns whether the message is a request, or a response to one */
	#answerUnread(text: string, refusal: SfuError): boolean {
		const head = readHead(text);
		if (head?.type === 'request') this.#refuse(head.id, refusal);
		if (head?.type !== 'response') return head !== undefined;
		// The request of the server fails now instead of waiting for its timeout.
		const isAwaited = this.#outgoing.settle(head.id, failed(refusal));
		if (isAwaited) this.#session.failed(refusal);
		return isAwaited;
	}

	/** @returns `false` for a response to no request */
	#accept(message: Incoming): boolean {
		const invalid = this.#check(message);
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
			const { id, type: _, ...response } = message;
			if (refusal) this.#session.failed(refusal);
			// The request of the server fails now instead of waiting for its timeout.
			return this.#outgoing.settle(id, refusal ? failed(refusal) : response);
		}
		if (message.type === 'request' && refusal) this.#refuse(message.id, refusal, message.method);
		return true;
	}

	/** @returns the reason why the session must not see the message */
	#check(message: Incoming): SfuError | undefined {
		if (message.type !== 'request' || !this.#pendingIds.has(message.id)) return undefined;
		return new SfuError('invalid_argument', `another request with id ${message.id} waits for its response`);
	}
}

/** A response that is not taken is one that has failed. */
const failed = ({ code, message }: SfuError) => ({ ok: false, errorCode: errorCodes[code], errorReason: message });

const noMessage = () => new SfuError('invalid_argument', 'it is no message of protoo');
