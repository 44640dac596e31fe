import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import type { Limits } from '../options.js';
import { SfuError } from '../SfuError.js';
import type { PauseOrigin } from '../tracks/Pauses.js';
import { AppLine, readAppData, readAppMessage, readAskTimeout, type AppMessage, type AskOptions } from './AppLine.js';
import type { Permissions } from './Permissions.js';
import type { RoomMember } from './RoomMember.js';
import { readUserDetails, type UserDetails } from './UserDetails.js';
import type { UserEvents } from './UserEvents.js';

/** The parts of a participant that its creator knows. */
export interface ParticipantOptions extends RoomMember {
	limits: Limits;
	logger: Logger;
}

/** A member of a room, beside its media: what the others are told of it, and the way to its client. */
export abstract class Participant extends Emitter<UserEvents> implements RoomMember {
	/** Its id. It is unique in the room. */
	readonly userId: string;
	/** A value of the app's own that no client is told, and none can change. */
	readonly appData: unknown;
	/** @internal The way to its client. */
	readonly line = new AppLine();
	/** @internal On whose behalf its name or its metadata have changed last. */
	changedBy: PauseOrigin = 'app';
	readonly #limits: Limits;
	#userName: string;
	#metadata: unknown;

	/** @internal */
	protected constructor({ userId, userName, metadata, appData, limits, logger }: ParticipantOptions) {
		super(logger);
		this.userId = userId;
		this.appData = appData;
		this.#userName = userName;
		this.#metadata = metadata ?? undefined;
		this.#limits = limits;
	}

	/** Whether it has left. */
	abstract get closed(): boolean;

	/** What it may do. */
	abstract get permissions(): Readonly<Permissions>;

	/** Its name, for people to read. {@link Participant.update} changes it. */
	get userName(): string {
		return this.#userName;
	}

	/**
	 * A frozen JSON value of the app's own that the others are told. The library never looks into it. The client itself may
	 * have said it, and may change it unless the permission `updateMetadata` forbids that. {@link Participant.update}
	 * changes it.
	 */
	get metadata(): unknown {
		return this.#metadata;
	}

	/**
	 * Changes its name or its metadata, and the others are told. A property that `details` does not have stays as it is. A
	 * user that has left is past that.
	 *
	 * @param by - on whose behalf; the permission `updateMetadata` binds the client, and not the app; default `app`: its
	 *   own client is told, too
	 * @throws {@link SfuError} `invalid_argument`, `too_large`, `forbidden`
	 */
	update(details: UserDetails, by: PauseOrigin = 'app'): void {
		const checked = readUserDetails(details, this.#limits);
		if (this.closed || !this.#isOther(checked)) return;
		if (by === 'client' && !this.permissions.updateMetadata) {
			throw new SfuError('forbidden', 'the user may not change its name and its metadata');
		}
		this.change(checked, by);
	}

	/** Changes its name, and the others are told. @throws {@link SfuError} `invalid_argument` */
	rename(userName: string): void {
		this.update({ userName });
	}

	/**
	 * Sends a message of the app's own to its client (`appMessage`). If the client's socket is lost at the moment, or the
	 * user has no client, the message is lost, and nobody is told. While its client joins, the message comes after the response
	 * to `join`.
	 *
	 * @param name - what kind of message it is, of at most {@link Limits.idLength}
	 * @param data - any JSON value, of at most {@link Limits.appMessageBytes}; default: none
	 * @throws {@link SfuError} `invalid_argument`, `too_large`
	 */
	send(name: string, data?: unknown): void {
		const message = readAppMessage(name, data, this.#limits);
		if (!this.closed) this.deliver(message);
	}

	/**
	 * Asks its client something of the app's own (`appRequest`). A client is asked once: if its socket is lost before it
	 * answers, the request fails, and a client that comes back does not hear of it.
	 *
	 * @param name - what is asked, of at most {@link Limits.idLength}
	 * @param data - any JSON value, of at most {@link Limits.appMessageBytes}; default: none
	 * @returns what the client answers, a frozen JSON value, `undefined` for none
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, also for the answer; `unavailable` if the socket of the
	 *   client is lost or the user has no client; `timeout`; `limit_exceeded` if too many requests wait for this client;
	 *   `closed` if the user has left, or leaves; and the code that the client fails with: `not_found` if it does not know
	 *   `name`, `internal` for a code that no {@link SfuErrorCode} has
	 * @example
	 * ```ts
	 * const answer = await user.request('mayRecord', { until: '10:00' }, { timeout: 60_000 });
	 * ```
	 */
	async request(name: string, data?: unknown, options: AskOptions = {}): Promise<unknown> {
		const message = readAppMessage(name, data, this.#limits);
		const timeout = readAskTimeout(options);
		if (this.closed) throw new SfuError('closed', 'the user has left the room');
		return readAppData(await this.ask(message, timeout), this.#limits);
	}

	/** @internal Its client has sent a message to the app. @throws {@link SfuError} `invalid_argument`, `too_large` */
	heard(name: string, data: unknown): void {
		const message = readAppMessage(name, data, this.#limits);
		if (!this.closed) this.emit('appMessage', { ...message });
	}

	protected deliver(message: AppMessage): void {
		this.line.send(message);
	}

	protected ask(message: AppMessage, timeout: number): Promise<unknown> {
		return this.line.request(message, timeout);
	}

	/** Changes what is given, and emits what has become of that. */
	protected change(details: UserDetails, cause: PauseOrigin): void {
		if (!this.#isOther(details)) return;
		const before = { userName: this.#userName, metadata: this.#metadata };
		const { userName = before.userName, metadata = before.metadata } = details;
		this.#userName = userName;
		this.#metadata = metadata ?? undefined;
		this.changedBy = cause;
		this.emit('changed', { before, cause });
		if (userName !== before.userName && !this.closed) this.emit('renamed', { userName, before: before.userName });
	}

	#isOther({ userName = this.#userName, metadata = this.#metadata }: UserDetails): boolean {
		if (userName !== this.#userName) return true;
		return JSON.stringify(metadata ?? undefined) !== JSON.stringify(this.#metadata);
	}
}
