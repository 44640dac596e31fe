import { quoted } from '../quoted.js';
import { milliseconds, strict, validator } from '../schemas.js';
import { SfuError } from '../SfuError.js';
import { readAppData, type AppMessage } from './AppLine.js';
import type { Limits } from '../options.js';
import type { Room } from './Room.js';
import type { User } from './User.js';

/** What a client asks the app. */
export interface AppRequest {
	/** The user whose client asks. It has joined on this server. */
	readonly user: User;
	/** Its room. */
	readonly room: Room;
	/** What is asked. */
	readonly name: string;
	/** A frozen JSON value, undefined for none. Nothing of it is checked but its size. */
	readonly data: unknown;
	/** Aborts when nobody waits for the answer any more: the client has gone, or the time is over. */
	readonly signal: AbortSignal;
}

/**
 * Answers what clients ask. It returns any JSON value of at most {@link Limits.appMessageBytes}, or a promise of one. If it
 * throws an `SfuError`, the client gets the code and the message of that error. Any other error is logged and answered with 500.
 */
export type AppRequestHandler = (request: AppRequest) => unknown;

/** How requests of clients are handled. */
export interface HandleOptions {
	/** How long the handler may take, in ms, at least 1. After that the client gets `timeout`. Default 10,000. */
	timeout?: number;
}

const checkName = validator<string>({ type: 'string', minLength: 1 }, 'name');

const checkOptions = validator<HandleOptions>(strict({ timeout: { ...milliseconds, minimum: 1 } }), 'options');

/** The handlers of what clients ask the app, by name. */
export class AppRequests {
	readonly #limits: Limits;
	readonly #handlers = new Map<string, { handler: AppRequestHandler; timeout: number }>();

	constructor(limits: Limits) {
		this.#limits = limits;
	}

	/** @returns takes the handler away @throws {@link SfuError} `invalid_argument`, `conflict` */
	handle(name: string, handler: AppRequestHandler, options: HandleOptions): () => void {
		const { timeout = 10_000 } = checkOptions(options);
		checkName(name);
		if (typeof handler !== 'function') throw new SfuError('invalid_argument', 'handler must be a function');
		if (this.#handlers.has(name)) throw new SfuError('conflict', `${quoted(name)} is handled already`);
		const entry = { handler, timeout };
		this.#handlers.set(name, entry);
		return () => {
			if (this.#handlers.get(name) === entry) this.#handlers.delete(name);
		};
	}

	/**
	 * Asks the handler.
	 *
	 * @param gone - aborts when the client is gone
	 * @throws {@link SfuError} (rejects) `not_found`, `timeout`, `closed`, and what the handler throws
	 */
	async answer({ name, data }: AppMessage, { user, room }: { user: User; room: Room }, gone: AbortSignal) {
		const found = this.#handlers.get(name);
		if (!found) throw new SfuError('not_found', `the app does not answer ${quoted(name)}`);
		const { handler, timeout } = found;
		const answer = await withSignal((signal) => handler({ user, room, name, data, signal }), timeout, gone);
		return this.#checked(answer, name);
	}

	/** A wrong answer is a fault of the app, and not of the client. */
	#checked(answer: unknown, name: string): unknown {
		try {
			return readAppData(answer, this.#limits);
		} catch (cause) {
			throw new Error(`the handler of ${quoted(name)} gave a wrong answer`, { cause });
		}
	}
}

/**
 * Rejects as soon as the time is over or nobody waits any more. What comes later is ignored.
 *
 * @throws {@link SfuError} (rejects) `timeout`, `closed`, and what `ask` throws
 */
async function withSignal(ask: (signal: AbortSignal) => unknown, timeout: number, gone: AbortSignal): Promise<unknown> {
	if (gone.aborted) throw clientGone();
	const controller = new AbortController();
	const { signal } = controller;
	const leave = () => {
		controller.abort(clientGone());
	};
	const timer = setTimeout(() => {
		controller.abort(new SfuError('timeout', `no answer within ${timeout} ms`));
	}, timeout);
	gone.addEventListener('abort', leave, { once: true });
	try {
		return await new Promise((resolve, reject) => {
			signal.addEventListener('abort', () => {
				reject(signal.reason as SfuError);
			});
			new Promise((answer) => {
				answer(ask(signal));
			}).then(resolve, reject);
		});
	} finally {
		clearTimeout(timer);
		gone.removeEventListener('abort', leave);
	}
}

const clientGone = () => new SfuError('closed', 'the client is gone');
