import { toSfuError } from '../media/callWorker.js';
import type { Limits } from '../options.js';
import { Quota } from '../Quota.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { checkJoinOptions, type JoinOptions } from './JoinOptions.js';
import type { User } from './User.js';

/** What the app changes of a join when it admits a user. */
export type AdmitOptions = Omit<JoinOptions, 'userId' | 'admitted' | 'signal'>;

/** How the wait of a user in the lobby has ended. */
export type WaitingOutcome =
	/** The app has admitted it. */
	| 'admitted'
	/** The app has refused it. */
	| 'refused'
	/** Its client has gone. */
	| 'aborted'
	/** The room has closed. */
	| 'closed';

/** A user who waits in the lobby of a room until the app decides. */
export class WaitingUser {
	/** Its id. */
	readonly userId: string;
	/** Its name, for people to read. */
	readonly userName: string;
	/** The metadata that its join has, undefined for none. */
	readonly metadata: unknown;
	/** The value of the app's own that no client is told. */
	readonly appData: unknown;
	readonly #options: JoinOptions;
	readonly #limits: Limits;
	readonly #decide: (outcome: WaitingOutcome, result: JoinOptions | SfuError) => void;

	/** @internal */
	constructor(
		options: JoinOptions,
		limits: Limits,
		decide: (outcome: WaitingOutcome, result: JoinOptions | SfuError) => void,
	) {
		const { userId, userName = userId, metadata, appData } = options;
		this.userId = userId;
		this.userName = userName;
		this.metadata = metadata ?? undefined;
		this.appData = appData;
		this.#options = options;
		this.#limits = limits;
		this.#decide = decide;
	}

	/**
	 * Lets it join, even into a locked room. It does nothing once the wait has ended.
	 *
	 * @param changes - replaces options of its join
	 * @throws {@link SfuError} `invalid_argument`, `too_large`; it waits on then
	 */
	admit(changes: AdmitOptions = {}): void {
		const { userId } = this;
		const options = { ...this.#options, ...changes, userId, admitted: true };
		this.#decide('admitted', checkJoinOptions(options, this.#limits));
	}

	/**
	 * Lets its join reject with `forbidden`. It does nothing once the wait has ended.
	 *
	 * @param reason - the message of the error, which the client is told
	 */
	refuse(reason = 'the user was not admitted to the room'): void {
		this.#decide('refused', new SfuError('forbidden', reason));
	}
}

/** What the lobby tells its room. */
interface LobbyListener {
	waiting: (waiting: WaitingUser) => void;
	ended: (waiting: WaitingUser, outcome: WaitingOutcome) => void;
}

/** The users who wait until the app lets them into a room. */
export class Lobby {
	readonly #limits: Limits;
	readonly #listener: LobbyListener;
	readonly #quota: Quota;
	readonly #waiting = new Map<string, WaitingUser>();
	readonly #closers = new Set<() => void>();

	constructor(limits: Limits, listener: LobbyListener) {
		this.#limits = limits;
		this.#listener = listener;
		this.#quota = new Quota(limits.waitingPerRoom, 'users who wait for one room');
	}

	/** Those who wait, by user id, in the order of coming. */
	get waiting(): ReadonlyMap<string, WaitingUser> {
		return this.#waiting;
	}

	/**
	 * Waits for the decision of the app.
	 *
	 * @param join - joins the user, once it is admitted
	 * @throws {@link SfuError} (rejects) `forbidden` if it is refused, `closed` if its signal aborts or the lobby closes,
	 *   `conflict` if a user with this id waits already, `limit_exceeded`, and the errors of `join`
	 */
	wait(options: JoinOptions, join: (options: JoinOptions) => User): Promise<User> {
		const { userId, signal } = options;
		if (signal?.aborted) throw gone();
		if (this.#waiting.has(userId)) throw new SfuError('conflict', `user ${quoted(userId)} waits already`);
		const giveBack = this.#quota.take();
		return new Promise((resolve, reject) => {
			let ended = false;
			const decide = (outcome: WaitingOutcome, result: JoinOptions | SfuError) => {
				if (ended) return;
				ended = true;
				giveBack();
				this.#waiting.delete(userId);
				this.#closers.delete(close);
				signal?.removeEventListener('abort', abort);
				try {
					if (result instanceof SfuError) throw result;
					resolve(join(result));
				} catch (error) {
					reject(toSfuError(error));
				}
				this.#listener.ended(waiting, outcome);
			};
			const abort = () => {
				decide('aborted', gone());
			};
			const close = () => {
				decide('closed', new SfuError('closed', 'the room has been closed'));
			};
			const waiting = new WaitingUser(options, this.#limits, decide);
			this.#waiting.set(userId, waiting);
			this.#closers.add(close);
			signal?.addEventListener('abort', abort, { once: true });
			this.#listener.waiting(waiting);
		});
	}

	/** Ends the wait of one user, which has been banned. */
	refuse(userId: string, reason: string): void {
		this.#waiting.get(userId)?.refuse(reason);
	}

	/** Ends all waits. */
	close(): void {
		for (const close of [...this.#closers]) close();
	}
}

const gone = () => new SfuError('closed', 'the client has gone while it waited');
