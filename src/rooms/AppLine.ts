import { jsonCopy } from '../json.js';
import type { Limits } from '../options.js';
import { checkText, milliseconds, strict, validator } from '../schemas.js';
import { SfuError } from '../SfuError.js';

/** A message of the app's own. */
export interface AppMessage {
	/** What kind of message it is, in a word of the app's own. */
	readonly name: string;
	/** A frozen JSON value, undefined for none. */
	readonly data: unknown;
}

/** How to ask a client. */
export interface AskOptions {
	/** How long the client may take, in ms, from 1 to 86,400,000 (a day). Default 10,000. */
	timeout?: number;
}

const checkAskOptions = validator<AskOptions>(
	strict({ timeout: { ...milliseconds, minimum: 1, maximum: 86_400_000 } }),
	'options',
);

/** @returns the timeout @throws {@link SfuError} `invalid_argument` */
export const readAskTimeout = (options: AskOptions): number => checkAskOptions(options).timeout ?? 10_000;

/**
 * Checks what the app or a client wants to send.
 *
 * @throws {@link SfuError} `invalid_argument`, `too_large`
 */
export function readAppMessage(name: unknown, data: unknown, limits: Limits): AppMessage {
	if (name === '') throw new SfuError('invalid_argument', 'name must not be empty');
	checkText(name, 'name', limits.idLength);
	return Object.freeze({ name: name as string, data: readAppData(data, limits) });
}

/** Checks the data of a message or an answer. @throws {@link SfuError} `invalid_argument`, `too_large` */
export const readAppData = (data: unknown, { appMessageBytes }: Limits): unknown =>
	data === undefined ? undefined : jsonCopy(data, 'data', appMessageBytes);

/** The client of a user, as the app reaches it. An adapter gives it. */
export interface AppClient {
	/** Sends a message, or drops it if the client's socket is lost. */
	send(message: AppMessage): void;
	/** @throws {@link SfuError} (rejects) `unavailable`, `closed`, `timeout`, `limit_exceeded`, and what the client fails with */
	request(message: AppMessage, timeout: number): Promise<unknown>;
}

/** What is to be done as soon as it is known whether the user has a client. */
interface Early {
	with: (client: AppClient) => void;
	without: () => void;
}

/** The way from the app to the client of a user. */
export class AppLine {
	#client: AppClient | undefined;
	/** The event `userJoined` comes before the adapter has its user. */
	#early: Early[] | undefined = [];

	constructor() {
		setImmediate(() => {
			const early = this.#early ?? [];
			this.#early = undefined;
			for (const { without } of early) without();
		});
	}

	/** From now on the user has a client. */
	connect(client: AppClient): void {
		const early = this.#early ?? [];
		this.#early = undefined;
		this.#client = client;
		for (const one of early) one.with(client);
	}

	/** Sends a message. Without a client it is lost. */
	send(message: AppMessage): void {
		this.#reach({
			with: (client) => {
				client.send(message);
			},
			without: () => undefined,
		});
	}

	/** @throws {@link SfuError} (rejects) `unavailable` without a client, and the errors of {@link AppClient.request} */
	request(message: AppMessage, timeout: number): Promise<unknown> {
		return new Promise((resolve, reject) => {
			this.#reach({
				with: (client) => {
					client.request(message, timeout).then(resolve, reject);
				},
				without: () => {
					reject(new SfuError('unavailable', 'the user has no client that can be asked'));
				},
			});
		});
	}

	#reach(use: Early): void {
		if (this.#client) use.with(this.#client);
		else if (this.#early) this.#early.push(use);
		else use.without();
	}
}
