import type { Socket } from 'sfu-rooms/protoo';

interface Message {
	request?: true;
	response?: true;
	id: number;
	ok?: boolean;
	data: unknown;
	errorCode?: number;
	errorReason?: string;
}

/** A request was answered with `ok: false`. */
export class RefusedError extends Error {
	readonly errorCode: number | undefined;

	constructor({ errorCode, errorReason }: Message) {
		super(`${String(errorCode)} ${String(errorReason)}`);
		this.errorCode = errorCode;
	}
}

/** A client of the adapter that is its own socket. It keeps nothing of what it is told. */
export class Client implements Socket {
	readonly bufferedAmount = 0;
	readonly #roomId: string;
	readonly #userId: string;
	readonly #answer: ((offer: string) => string) | undefined;
	readonly #waiting = new Map<number, { resolve: (data: never) => void; reject: (error: Error) => void }>();
	#receive: ((text: string) => void) | undefined;
	#closed: ((code: number) => void) | undefined;
	#lastId = 0;

	/** @param answer - answers the offers that the server makes by itself */
	constructor(roomId: string, userId: string, answer?: (offer: string) => string) {
		this.#roomId = roomId;
		this.#userId = userId;
		this.#answer = answer;
	}

	/** Called by the server. */
	send(text: string): void {
		if (text.startsWith('{"notification"')) return;
		const message = JSON.parse(text) as Message;
		if (message.request) {
			// What the server sends arrives after it has been sent.
			queueMicrotask(() => {
				this.#respond(message);
			});
			return;
		}
		const waiting = this.#waiting.get(message.id);
		this.#waiting.delete(message.id);
		if (message.ok) waiting?.resolve(message.data as never);
		else waiting?.reject(new RefusedError(message));
	}

	/** Called by the server. */
	close(): void {
		this.lose(1000);
	}

	/** Called by the server. */
	listen({ message, closed }: Parameters<Socket['listen']>[0]): void {
		this.#receive = message;
		this.#closed = closed;
	}

	request<Result>(method: string, data: object = {}): Promise<Result> {
		const id = ++this.#lastId;
		return new Promise<Result>((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject });
			this.#write({ request: true, id, method, data: { roomId: this.#roomId, userId: this.#userId, ...data } });
		});
	}

	/** Closes the socket with a code: 1000 of a client that has finished, 1006 of one whose network is gone. */
	lose(code: number): void {
		const closed = this.#closed;
		this.#closed = undefined;
		closed?.(code);
	}

	#respond({ id, data }: Message): void {
		const { sdp } = data as { sdp: { sdp: string } };
		const answer = this.#answer?.(sdp.sdp);
		if (answer === undefined) return;
		this.#write({ response: true, id, ok: true, data: { sdp: { type: 'answer', sdp: answer } } });
	}

	#write(message: object): void {
		this.#receive?.(JSON.stringify(message));
	}
}
