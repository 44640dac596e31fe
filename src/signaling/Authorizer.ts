import { SfuError, type Logger } from '../index.js';
import { bitrate, codecNames, strict, validator } from '../schemas.js';
import type { Authorize, AuthorizeAction, AuthorizeTable, JoinAction, JoinGrant } from './authorize.js';

const checkGrant = validator<JoinGrant>(
	strict({
		userName: { type: 'string' },
		metadata: {},
		appData: {},
		codecs: codecNames,
		maxIncomingBitrate: bitrate,
		maxOutgoingBitrate: bitrate,
		permissions: { type: 'object' },
		admitted: { type: 'boolean' },
		takeOver: { type: 'boolean' },
	}),
	'authorize',
);

/** An action without its data, which {@link Authorizer} adds. */
export type Asked<Action extends AuthorizeAction = AuthorizeAction> = Action extends AuthorizeAction
	? Omit<Action, 'data'>
	: never;

/** The client whose action is asked about. */
interface Asker<Context> {
	/** The value that the app gave with the client. */
	context: Context;
	/** Aborts when the client is gone. */
	signal: AbortSignal;
}

/** Asks the app about the actions of clients. Whatever is not clearly allowed is refused. */
export class Authorizer<Context> {
	readonly #authorize: Authorize<Context> | AuthorizeTable<Context> | undefined;
	readonly #timeout: number;
	readonly #logger: Logger;

	/** @param timeout - how long an answer may take, in ms */
	constructor(authorize: Authorize<Context> | AuthorizeTable<Context> | undefined, timeout: number, logger: Logger) {
		this.#authorize = authorize;
		this.#timeout = timeout;
		this.#logger = logger;
	}

	/**
	 * Asks about an action.
	 *
	 * @throws {@link SfuError} (rejects) `forbidden`, `timeout`, or the error of the app
	 */
	async assertAllowed(action: AuthorizeAction, asker: Asker<Context>): Promise<void> {
		if ((await this.#ask(action, asker)) !== true) throw refused(action);
	}

	/**
	 * Asks about a join.
	 *
	 * @returns how the user joins
	 * @throws {@link SfuError} (rejects) `forbidden`, `timeout`, or the error of the app
	 */
	async grantOf(action: JoinAction, asker: Asker<Context>): Promise<JoinGrant> {
		const result = await this.#ask(action, asker);
		if (result === true) return {};
		if (typeof result !== 'object' || result === null || Array.isArray(result)) throw refused(action);
		const given = Object.fromEntries(Object.entries(result).filter(([, value]) => value !== undefined));
		try {
			return checkGrant(given);
		} catch (error) {
			this.#logger.warn('authorize returned what is no grant, and the join was refused', { error });
			throw refused(action);
		}
	}

	#ask(action: AuthorizeAction, { context, signal }: Asker<Context>): unknown {
		const authorize = this.#authorize;
		if (!authorize) return true;
		if (typeof authorize === 'function') return this.#inTime(() => authorize(action, context), signal);
		const decide = Object.hasOwn(authorize, action.action) ? authorize[action.action] : undefined;
		if (typeof decide !== 'function') return decide;
		// The name of the action says which function takes it.
		const decideOn = decide as (action: AuthorizeAction, context: Context) => unknown;
		return this.#inTime(() => decideOn(action, context), signal);
	}

	/** Rejects if the answer does not come in time, or the client is gone. What comes later is ignored. */
	#inTime(ask: () => unknown, signal: AbortSignal): Promise<unknown> {
		return new Promise((resolve, reject) => {
			const gone = () => {
				clearTimeout(timer);
				reject(new SfuError('closed', 'the client is gone'));
			};
			const timer = setTimeout(() => {
				reject(new SfuError('timeout', `authorize did not answer within ${this.#timeout} ms`));
			}, this.#timeout);
			signal.addEventListener('abort', gone, { once: true });
			new Promise((answer) => {
				answer(ask());
			})
				.then(resolve, reject)
				.finally(() => {
					clearTimeout(timer);
					signal.removeEventListener('abort', gone);
				});
		});
	}
}

const refused = ({ action }: AuthorizeAction) => new SfuError('forbidden', `${action} is not allowed`);
