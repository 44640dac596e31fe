import { randomUUID } from 'node:crypto';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import type { Limits } from '../options.js';
import { Pausable, type PausableEvents } from './Pausable.js';
import type { PauseTarget } from './Pauses.js';
import { Details } from './Details.js';
import { readDetails, type PusherDetails } from './PushOptions.js';

export type AnyPusherEvents = PausableEvents & {
	/** Its source or its metadata has. */
	changed: () => void;
};

/** What tracks and data channels have in common that a user sends. */
export abstract class AnyPusher<Events extends AnyPusherEvents> extends Pausable<Events> {
	/** Unique, and made by us. */
	readonly pusherId = randomUUID();
	/** The user that sends it. */
	readonly userId: string;
	/** The RTCPeerConnection that it comes through. */
	readonly connectionId: string;
	protected readonly limits: Limits;
	readonly #details: Details;

	/** @internal */
	protected constructor(
		target: PauseTarget,
		of: { userId: string; connectionId: string; details: PusherDetails; limits: Limits; logger: Logger },
	) {
		super(target, of.logger);
		this.userId = of.userId;
		this.connectionId = of.connectionId;
		this.limits = of.limits;
		this.#details = new Details(of.details);
	}

	abstract get closed(): boolean;

	/** What the user says that it is: `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own. */
	get source(): string | undefined {
		return this.#details.source;
	}

	/** The app's own, never looked into: a JSON value that is frozen, `undefined` for none. */
	get metadata(): unknown {
		return this.#details.metadata;
	}

	/**
	 * Changes what is said of it: what `details` has, and nothing else.
	 *
	 * @throws {@link SfuError} `invalid_argument`, `too_large`, `closed`
	 */
	update(details: PusherDetails): void {
		this.assertOpen();
		this.setDetails(readDetails(details, this.limits));
	}

	/** @internal As {@link AnyPusher.update}, of details that have been checked. */
	setDetails(details: PusherDetails): void {
		if (this.#details.change(details)) this.emit('changed', ...([] as unknown as Parameters<Events['changed']>));
	}

	protected override assertOpen(): void {
		if (this.closed) throw new SfuError('closed', 'the pusher has been closed');
	}
}
