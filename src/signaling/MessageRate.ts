import { RateLimit } from '../RateLimit.js';
import type { ClientLimits } from './limits.js';

/** Counts the messages of a socket. */
export class MessageRate {
	readonly #rate: RateLimit;
	readonly #mostInARow: number;
	#excessInARow = 0;

	constructor({ messageBurst, messagesPerSecond }: Readonly<ClientLimits>) {
		this.#rate = new RateLimit(messageBurst, messagesPerSecond);
		this.#mostInARow = messageBurst;
	}

	/** @returns whether the message is within the limit */
	take(): boolean {
		const isWithin = this.#rate.take();
		this.#excessInARow = isWithin ? 0 : this.#excessInARow + 1;
		return isWithin;
	}

	/** Whether the client goes on sending, though it is told that it sends too many. */
	get hopeless(): boolean {
		return this.#excessInARow > this.#mostInARow;
	}
}
