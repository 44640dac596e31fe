import { SfuError } from '../index.js';
import { RateLimit } from '../RateLimit.js';
import type { ClientLimits } from './limits.js';

/**
 * Keeps the limits of one socket that an adapter enforces: the sizes of messages, how many invalid ones may come in a row,
 * and how much may wait for a slow client. The adapter closes the socket when a method says so.
 */
export class SocketLimits {
	readonly #limits: Readonly<ClientLimits>;
	readonly #lengths: RateLimit;
	#invalidInARow = 0;
	/** What may wait besides `bufferedBytes`: long messages, such as the response to a join, until they have been read. */
	#longBytes = 0;

	/** @param limits - the limits in force: {@link Signaling.limits} */
	constructor(limits: Readonly<ClientLimits>) {
		this.#limits = limits;
		this.#lengths = new RateLimit(limits.lengthBurst, limits.lengthPerSecond);
	}

	/**
	 * Tells whether a message is so long that the socket must close with 1009.
	 *
	 * @param length - the length of the message, in UTF-16 code units
	 */
	isHuge(length: number): boolean {
		return length > this.#limits.messageLength * 16;
	}

	/**
	 * Counts a message before it is read.
	 *
	 * @param length - the length of the message, in UTF-16 code units
	 * @param joined - {@link Session.joined}: a client that has not joined may send less
	 * @returns the error to refuse the message with, if it must not be read
	 */
	refusalOf(length: number, joined: boolean): SfuError | undefined {
		const { messageLength, unjoinedLength } = this.#limits;
		const longest = joined ? messageLength : Math.min(unjoinedLength, messageLength);
		if (length > longest) {
			return new SfuError('too_large', `the message has ${length} characters, and only ${longest} are allowed`);
		}
		return this.#lengths.take(length) ? undefined : new SfuError('limit_exceeded', 'too much in too short a time');
	}

	/** Tells that a message was valid: those before it count no more. */
	valid(): void {
		this.#invalidInARow = 0;
	}

	/**
	 * Counts a message that was not valid.
	 *
	 * @returns whether it is one too many, and the socket must close with 1008
	 */
	invalid(): boolean {
		this.#invalidInARow++;
		return this.#invalidInARow > this.#limits.invalidMessages;
	}

	/**
	 * Tells whether a client leaves so much unread that it should miss what it can do without:
	 * {@link SignalingClient.isSlow}.
	 *
	 * @param bufferedAmount - the bytes that wait to be sent
	 */
	isSlow(bufferedAmount: number): boolean {
		return bufferedAmount > this.#limits.bufferedBytes / 2;
	}

	/**
	 * Counts a message that has been sent. A message that is long by itself is no fault of the reader.
	 *
	 * @param length - the length of the message, in UTF-16 code units
	 * @param bufferedAmount - the bytes that wait to be sent now
	 * @returns whether the client reads too slowly, and the socket must close with 1013
	 */
	sent(length: number, bufferedAmount: number): boolean {
		const { bufferedBytes } = this.#limits;
		if (length > bufferedBytes / 4) this.#longBytes += length * 3;
		if (bufferedAmount > bufferedBytes + this.#longBytes) return true;
		if (bufferedAmount <= bufferedBytes / 2) this.#longBytes = 0;
		return false;
	}
}
