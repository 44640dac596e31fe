import { SfuError } from '../SfuError.js';
import type { Incoming } from '../protoo/envelope.js';

/** What a client has made of a request of the server. */
export type Response = Omit<Incoming & { type: 'response' }, 'type' | 'id'>;

/** A request of the server, on its way. */
export interface OutgoingRequest {
	/** Rejects with `timeout`, `closed` when the socket is, or `conflict` when it has been taken back. */
	readonly response: Promise<Response>;
	/** Nobody waits for the response any more. */
	readonly cancel: () => void;
}

interface Pending {
	resolve: (response: Response) => void;
	reject: (error: SfuError) => void;
	timer: NodeJS.Timeout;
}

/** The requests that the server has sent on one socket, and that have had no response yet. */
export class OutgoingRequests {
	readonly #limit: number;
	readonly #timeout: number;
	readonly #pending = new Map<number, Pending>();
	#lastId = 0;
	#closed = false;

	/**
	 * @param limit - how many there may be
	 * @param timeout - how long each may take, in ms
	 */
	constructor(limit: number, timeout: number) {
		this.#limit = limit;
		this.#timeout = timeout;
	}

	/**
	 * @param send - sends the request with this id
	 * @throws {@link SfuError} `closed`, `limit_exceeded`
	 */
	start(send: (id: number) => void): OutgoingRequest {
		if (this.#closed) throw closed();
		if (this.#pending.size >= this.#limit) {
			throw new SfuError('limit_exceeded', 'the client leaves too many requests without a response');
		}
		do this.#lastId = (this.#lastId % 0xffffffff) + 1;
		while (this.#pending.has(this.#lastId));
		const id = this.#lastId;
		const response = new Promise<Response>((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#take(id)?.reject(new SfuError('timeout', `no response within ${this.#timeout} ms`));
			}, this.#timeout);
			this.#pending.set(id, { resolve, reject, timer });
		});
		// Whoever has asked may wait for it later, or not at all.
		response.catch(() => undefined);
		send(id);
		return {
			response,
			cancel: () => {
				this.#take(id)?.reject(new SfuError('conflict', 'the request has been taken back'));
			},
		};
	}

	/** @returns whether it is the response to something */
	settle(id: number, response: Response): boolean {
		const pending = this.#take(id);
		pending?.resolve(response);
		return pending !== undefined;
	}

	/** The socket is gone, and no response will come. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(closed());
	}

	#take(id: number): Pending | undefined {
		const pending = this.#pending.get(id);
		this.#pending.delete(id);
		clearTimeout(pending?.timer);
		return pending;
	}
}

const closed = () => new SfuError('closed', 'the socket has been closed');
