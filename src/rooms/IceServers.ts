import { checkIceServers } from '../iceServers.js';
import type { Logger } from '../Logger.js';
import type { IceServersOption } from '../options.js';
import type { IceServer } from '../protocol/iceServers.js';
import { SfuError } from '../SfuError.js';
import type { RoomMember } from './RoomMember.js';

/** Finds out which STUN and TURN servers a client gets. */
export class IceServers {
	readonly #option: IceServersOption;
	readonly #timeout: number;
	readonly #logger: Logger;

	/** @param timeout - how long the app's function may take, in ms */
	constructor(option: IceServersOption, timeout: number, logger: Logger) {
		this.#option = option;
		this.#timeout = timeout;
		this.#logger = logger;
	}

	/** The servers for a user. It never rejects: without an answer of the app it has none. */
	async of(user: RoomMember): Promise<IceServer[]> {
		const option = this.#option;
		if (typeof option !== 'function') return structuredClone([...option]);
		try {
			return checkIceServers(await this.#inTime(() => option(user)), 'iceServers');
		} catch (error) {
			this.#logger.error('a user gets no iceServers', { userId: user.userId, error });
			return [];
		}
	}

	/** What comes later is ignored. */
	#inTime(ask: () => unknown): Promise<unknown> {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				reject(new SfuError('timeout', `iceServers did not answer within ${this.#timeout} ms`));
			}, this.#timeout);
			new Promise((answer) => {
				answer(ask());
			})
				.then(resolve, reject)
				.finally(() => {
					clearTimeout(timer);
				});
		});
	}
}
