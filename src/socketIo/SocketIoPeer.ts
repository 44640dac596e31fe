import { SfuError } from '../index.js';
import { closeCodes, errorCodes, type ClosingData, type SocketIoResponse } from '../protocol/index.js';
import {
	OutgoingRequests,
	SocketLimits,
	type ClientLimits,
	type ClientResponse,
	type ContextArgument,
	type RequestResult,
	type Session,
	type Signaling,
} from '../signaling/index.js';
import { measureJson } from './measureJson.js';
import { SendBuffer } from './SendBuffer.js';
import type { SocketIoSocket } from './SocketIoSocket.js';

/** A notification, measured once for all who receive it. */
export interface Notice {
	method: string;
	data: unknown;
	/** About how long it is. */
	length: number;
}

/** The codes for the reasons of Socket.IO. After any other reason the socket is lost, and the user may come back. */
const codes: Readonly<Record<string, number>> = {
	'client namespace disconnect': closeCodes.normal,
	// The app has disconnected the socket.
	'server namespace disconnect': closeCodes.normal,
	'server shutting down': closeCodes.goingAway,
};

/** After these the client is not trusted with the connection either. */
const hostile: readonly number[] = [closeCodes.policyViolation, closeCodes.tooLarge, closeCodes.tooSlow];

/** An event of the client. */
interface Incoming {
	method: unknown;
	args: unknown[];
	respond: ((response: SocketIoResponse) => void) | undefined;
}

/** The server's end of one socket of Socket.IO. It translates between its events and the messages of a session. */
export class SocketIoPeer<Context> {
	readonly #socket: SocketIoSocket;
	readonly #clientLimits: Readonly<ClientLimits>;
	readonly #limits: SocketLimits;
	readonly #outgoing: OutgoingRequests;
	readonly #buffer: SendBuffer;
	readonly #session: Session<Notice, Context>;
	readonly #joinTimer: NodeJS.Timeout | undefined;
	/** The requests that the client has not acknowledged, given up ones, too: Socket.IO keeps each until the socket ends. */
	#unacknowledged = 0;
	#closed = false;

	/** @param context - a value for `authorize` */
	constructor(socket: SocketIoSocket, signaling: Signaling<Notice, Context>, context: Context) {
		this.#socket = socket;
		this.#clientLimits = signaling.limits;
		const { pendingRequests, responseTimeout, joinTimeout } = signaling.limits;
		this.#limits = new SocketLimits(signaling.limits);
		this.#outgoing = new OutgoingRequests(pendingRequests, responseTimeout);
		this.#buffer = new SendBuffer(socket.conn);
		this.#session = signaling.open(
			{
				isSlow: () => this.#limits.isSlow(this.#buffer.amount),
				send: ({ method, data, length }) => {
					this.#emit(length, method, data);
				},
				request: (method, data, options) => this.#request(method, data, options?.timeout),
				close: (code, reason) => {
					if (this.#shut()) this.#disconnect({ code, reason });
				},
			},
			...([context] as unknown as ContextArgument<Context>),
		);
		// The adapter may have closed.
		if (this.#closed) return;
		this.#joinTimer = setTimeout(() => {
			if (!this.#session.joined) this.#drop(closeCodes.policyViolation, 'did not join in time');
		}, joinTimeout);
		socket.onAny(this.#receive);
		socket.on('disconnect', (reason) => {
			this.#ended(codes[reason] ?? closeCodes.lost);
		});
		// A disconnected socket does not say so again.
		if (!socket.connected) this.#ended(closeCodes.lost);
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
		this.#socket.offAny(this.#receive);
		this.#outgoing.close();
		this.#buffer.close();
		return true;
	}

	#ended(code: number): void {
		if (this.#shut()) this.#session.closed(code);
	}

	/** Disconnects a client that breaks the rules. Its user may come back. */
	#drop(code: number, reason: string): void {
		if (!this.#shut()) return;
		this.#disconnect({ code, reason });
		this.#session.closed(code);
	}

	/** Socket.IO has no codes, and its client does not connect again by itself: so it has to be told. */
	#disconnect(closing: ClosingData): void {
		this.#socket.emit('closing', closing);
		this.#socket.disconnect(hostile.includes(closing.code));
	}

	#emit(length: number, event: string, ...args: unknown[]): void {
		if (this.#closed) return;
		this.#socket.emit(event, ...args);
		this.#count(length);
	}

	#count(length: number): void {
		this.#buffer.add(length);
		if (this.#limits.sent(length, this.#buffer.amount)) this.#drop(closeCodes.tooSlow, 'reads too slowly');
	}

	#request(method: string, data: object, timeout?: number) {
		if (this.#unacknowledged >= this.#clientLimits.pendingRequests) {
			throw new SfuError('limit_exceeded', 'the client acknowledges no requests');
		}
		return this.#outgoing.start((id) => {
			this.#unacknowledged++;
			this.#emit(measureJson(data) ?? 0, method, data, (...[response]: unknown[]) => {
				this.#unacknowledged--;
				if (!this.#closed) this.#settle(id, method, response);
			});
		}, timeout);
	}

	/** Takes the client's response to a request of the server. One that is refused fails the request now. */
	#settle(id: number, method: string, response: unknown): void {
		const tooMany = this.#session.count();
		// It sends so many that the session has closed.
		if (!this.#session.open) return;
		const refusal = tooMany ?? this.#refusalOf([response]) ?? (isResponse(response) ? undefined : noResponse());
		if (refusal) {
			this.#session.refused(refusal, method);
			const errorCode = errorCodes[refusal.code];
			this.#outgoing.settle(id, { ok: false, errorCode, errorReason: refusal.message });
			this.#invalid();
		} else {
			this.#outgoing.settle(id, response as ClientResponse);
		}
	}

	readonly #receive = (...received: unknown[]): void => {
		const [method, ...args] = received;
		// The app's own event. Socket.IO itself listens for `error`.
		if (typeof method === 'string' && method !== 'error' && this.#socket.listenerCount(method) > 0) return;
		const respond = typeof args.at(-1) === 'function' ? (args.pop() as Incoming['respond']) : undefined;
		this.#handle({ method, args, respond });
	};

	#handle({ method, args, respond }: Incoming): void {
		const unread = this.#refusalOf([method, ...args]);
		const refusal = formFault(method, args) ?? unread;
		if (refusal) {
			this.#session.count();
			if (this.#closed) return;
			const name = typeof method === 'string' ? method : undefined;
			if (respond) {
				this.#session.failed(refusal, name);
				this.#respond(respond, { error: refusal });
			} else {
				this.#session.refused(refusal, name);
			}
			this.#invalid();
			return;
		}
		this.#limits.valid();
		const [data] = args;
		if (!respond) {
			this.#session.notification(String(method), data);
			return;
		}
		this.#session.request(String(method), data, (result) => {
			this.#respond(respond, result);
		});
	}

	#invalid(): void {
		if (this.#limits.invalid()) this.#drop(closeCodes.policyViolation, 'too many invalid messages');
	}

	/**
	 * Measures a message before anything reads it. Socket.IO has parsed it, so `maxHttpBufferSize` bounds what that costs.
	 *
	 * @returns the reason why it is refused
	 */
	#refusalOf(message: unknown): SfuError | undefined {
		const length = measureJson(message, this.#clientLimits.messageLength * 16);
		if (length === undefined) return new SfuError('invalid_argument', 'a message must be JSON, without binary data');
		if (this.#limits.isHuge(length)) {
			const refusal = new SfuError('too_large', 'message too large');
			this.#session.failed(refusal);
			this.#drop(closeCodes.tooLarge, refusal.message);
			return refusal;
		}
		return this.#limits.refusalOf(length, this.#session.joined);
	}

	#respond(respond: (response: SocketIoResponse) => void, result: RequestResult): void {
		if (this.#closed) return;
		if ('error' in result) {
			const { code, message } = result.error;
			respond({ ok: false, errorCode: errorCodes[code], errorReason: message });
			this.#count(message.length);
		} else {
			respond({ ok: true, data: result.data });
			this.#count(measureJson(result.data) ?? 0);
		}
	}
}

function formFault(method: unknown, { length }: unknown[]): SfuError | undefined {
	if (typeof method !== 'string' || method === '') {
		return new SfuError('invalid_argument', 'the name of an event must be a string');
	}
	return length > 1 ? new SfuError('invalid_argument', 'an event has one value, and an acknowledgement') : undefined;
}

const isResponse = (value: unknown): boolean =>
	typeof value === 'object' && value !== null && 'ok' in value && typeof value.ok === 'boolean';

const noResponse = () => new SfuError('invalid_argument', 'an acknowledgement must be { ok: true, data } or a failure');
