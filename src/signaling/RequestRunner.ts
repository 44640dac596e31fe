import { SfuError, type Logger } from '../index.js';
import type { MemberData } from '../protocol/index.js';
import { quoted } from '../quoted.js';
import type { Outcome, Reply, RequestContext, RequestHandler } from './requests/RequestContext.js';
import type { RequestResult, Respond } from './RequestResult.js';
import { schemaOf } from './schemas.js';
import { unknownFields } from './unknownFields.js';

interface RequestRunnerOptions {
	/** By method. */
	handlers: Readonly<Record<string, RequestHandler>>;
	/** @throws {@link SfuError} `closed` if the client is gone */
	assertOpen: () => void;
	/** Called with each failure. */
	failed: (error: SfuError, method: string) => void;
	/** Who speaks, for the log. */
	who: () => MemberData | undefined;
	/** Whether responses name the fields that nobody knows. */
	tellsUnknownFields: boolean;
	logger: Logger;
}

/** Runs the handlers of requests, and sends what comes of them. */
export class RequestRunner {
	readonly #context: RequestContext;
	readonly #options: RequestRunnerOptions;

	constructor(context: RequestContext, options: RequestRunnerOptions) {
		this.#context = context;
		this.#options = options;
	}

	/**
	 * Handles a request. Resolves when the next message may be handled.
	 *
	 * @returns a promise of the response if it comes later
	 */
	async run(method: string, data: unknown, respond: Respond): Promise<{ done: Promise<void> } | undefined> {
		const { handlers, assertOpen } = this.#options;
		let outcome: Outcome;
		try {
			assertOpen();
			const handle = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
			if (!handle) throw new SfuError('not_found', `no method ${quoted(method)}`);
			outcome = await handle(data, this.#context);
		} catch (error) {
			this.#fail(method, error, respond);
			return undefined;
		}
		if ('later' in outcome) return { done: this.#reply(method, data, outcome.later, respond) };
		await this.#reply(method, data, outcome, respond);
		return undefined;
	}

	/** An error that the client may see. Others are logged. */
	knownError(error: unknown, method: string): SfuError {
		if (error instanceof SfuError) return error;
		const { logger, who } = this.#options;
		logger.error('a message could not be handled', { method, ...who(), error });
		return new SfuError('internal', 'internal error', { cause: error });
	}

	async #reply(method: string, data: unknown, reply: Reply | Promise<Reply>, respond: Respond): Promise<void> {
		let result: RequestResult;
		try {
			const read = await reply;
			this.#options.assertOpen();
			result = { data: { ...read(), ...this.#unknownFields(method, data) } };
		} catch (error) {
			this.#fail(method, error, respond);
			return;
		}
		this.#respond(respond, result);
	}

	#fail(method: string, thrown: unknown, respond: Respond): void {
		const error = this.knownError(thrown, method);
		this.#options.failed(error, method);
		this.#respond(respond, { error });
	}

	#unknownFields(method: string, data: unknown): { unknownFields?: string[] } {
		// Clients say in a heartbeat what they like.
		if (!this.#options.tellsUnknownFields || method === 'heartbeat') return {};
		const found = unknownFields(data, schemaOf(method, data));
		if (found.length === 0) return {};
		this.#options.logger.debug('a request has unknown fields', { method, fields: found.map(quoted) });
		return { unknownFields: found };
	}

	#respond(respond: Respond, result: RequestResult): void {
		try {
			respond(result);
		} catch (error) {
			this.#options.logger.error('a response could not be sent', { error });
		}
	}
}
