import { errorCodes, type SfuErrorCode } from '../protocol/errorCodes.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { Recent } from './Recent.js';
import type { NodeMessage } from './wire.js';

/** A server that does not answer for so long does not answer any more, in ms. */
export const answerTimeout = 3000;

interface Pending {
	nodeId: string;
	resolve: (result: unknown) => void;
	reject: (error: SfuError) => void;
	timer: NodeJS.Timeout;
}

type Request = Extract<NodeMessage, { kind: 'request' }>;
type Response = Extract<NodeMessage, { kind: 'response' }>;

const isKnown = (code: string): code is SfuErrorCode => Object.hasOwn(errorCodes, code);

/** Answers a request of another server. */
export type RequestHandler = (params: never, from: string) => unknown;

/** Requests from server to server, and their responses. */
export class Requests {
	readonly #send: (nodeId: string, message: NodeMessage) => Promise<void>;
	readonly #logger: Logger;
	readonly #handlers = new Map<string, RequestHandler>();
	readonly #pending = new Map<number, Pending>();
	readonly #answered = new Recent();
	#last = 0;
	#closed = false;

	constructor(send: (nodeId: string, message: NodeMessage) => Promise<void>, logger: Logger) {
		this.#send = send;
		this.#logger = logger;
	}

	/** Answers the requests of a method. */
	handle(method: string, handler: RequestHandler): void {
		this.#handlers.set(method, handler);
	}

	/**
	 * @param timeout - how long the answer itself may take, in ms
	 * @throws {@link SfuError} (rejects) `unavailable` without an answer, or the error of the other server
	 */
	async request(nodeId: string, method: string, params: unknown, timeout = 0): Promise<unknown> {
		if (this.#closed) throw new SfuError('closed', 'the Sfu has been closed');
		const id = ++this.#last;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#take(id)?.reject(new SfuError('unavailable', 'another server does not answer'));
			}, timeout + answerTimeout);
			this.#pending.set(id, { nodeId, resolve, reject, timer });
			this.#send(nodeId, { kind: 'request', id, method, params }).catch((cause: unknown) => {
				this.#take(id)?.reject(new SfuError('unavailable', 'another server cannot be reached', { cause }));
			});
		});
	}

	/** Answers a request, once, however often it comes. */
	async answer(from: string, { id, method, params }: Request): Promise<void> {
		if (!this.#answered.add(from, id)) return;
		let response: Response;
		try {
			const handler = this.#handlers.get(method);
			if (!handler) throw new SfuError('unsupported', 'the other server does not know this request');
			response = { kind: 'response', id, result: await handler(params as never, from) };
		} catch (error) {
			const known = error instanceof SfuError ? error : new SfuError('internal', 'the other server failed');
			if (known.code === 'internal') this.#logger.error('a request of another server failed', { method, error });
			response = { kind: 'response', id, error: { code: known.code, message: known.message } };
		}
		// Who asked will not wait for ever.
		await this.#send(from, response).catch(() => undefined);
	}

	/** Takes a response. */
	settle(from: string, { id, result, error }: Response): void {
		if (this.#pending.get(id)?.nodeId !== from) return;
		const pending = this.#take(id);
		if (!error) pending?.resolve(result);
		else pending?.reject(new SfuError(isKnown(error.code) ? error.code : 'internal', error.message));
	}

	/** Gives up what a server was asked that has gone. */
	lose(nodeId: string): void {
		this.#answered.lose(nodeId);
		for (const [id, pending] of this.#pending) {
			if (pending.nodeId === nodeId) this.#take(id)?.reject(new SfuError('unavailable', 'the other server has gone'));
		}
	}

	close(): void {
		this.#closed = true;
		for (const id of [...this.#pending.keys()])
			this.#take(id)?.reject(new SfuError('closed', 'the Sfu has been closed'));
	}

	#take(id: number): Pending | undefined {
		const pending = this.#pending.get(id);
		this.#pending.delete(id);
		clearTimeout(pending?.timer);
		return pending;
	}
}
