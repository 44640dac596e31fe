import { SfuError } from '../index.js';
import type { ClientResponse, OutgoingRequest } from './SignalingClient.js';

interface Pending {
	resolve: (response: ClientResponse) => void;
	reject: (error: SfuError) => void;
	timer: NodeJS.Timeout;
}

/** Keeps the requests of the server that wait for their response on one socket: their ids, timeouts and number. */
export class OutgoingRequests {
	readonly #limit: number;
	readonly #timeout: number;
	readonly #pending = new Map<number, Pending>();
	#lastId = 0;
	#closed = false;

	/**
	 * @param limit - how many requests may wait: {@link ClientLimits.pendingRequests}
	 * @param timeout - how long each may wait, in ms: {@link ClientLimits.responseTimeout}
	 */
	constructor(limit: number, timeout: number) {
		this.#limit = limit;
		this.#timeout = timeout;
	}

	/**
	 * Sends a request.
	 *
	 * @param send - sends the request with the id that it gets
	 * @param timeout - how long it may wait, in ms; default {@link ClientLimits.responseTimeout}
	 * @throws `SfuError` `closed` after {@link OutgoingRequests.close}, `limit_exceeded` if too many requests wait
	 */
	start(send: (id: number) => void, timeout = this.#timeout): OutgoingRequest {
		if (this.#closed) throw closed();
		if (this.#pending.size >= this.#limit) {
			throw new SfuError('limit_exceeded', 'too many requests wait for a response of the client');
		}
		do this.#lastId = (this.#lastId % 0xffffffff) + 1;
		while (this.#pending.has(this.#lastId));
		const id = this.#lastId;
		const response = new Promise<ClientResponse>((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#take(id)?.reject(new SfuError('timeout', `no response within ${timeout} ms`));
			}, timeout);
			this.#pending.set(id, { resolve, reject, timer });
		});
		// Nobody has to wait for the response.
		response.catch(() => undefined);
		send(id);
		return {
			response,
			cancel: () => {
				this.#take(id)?.reject(new SfuError('conflict', 'the request has been cancelled'));
			},
		};
	}

	/**
	 * Takes a response of the client.
	 *
	 * @param id - the id of the request
	 * @param response - the response
	 * @returns whether a request waited for it
	 */
	settle(id: number, response: ClientResponse): boolean {
		const pending = this.#take(id);
		pending?.resolve(response);
		return pending !== undefined;
	}

	/** Rejects all requests with `closed`, since the socket is gone. */
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
