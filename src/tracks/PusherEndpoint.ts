import type { Limits } from '../options.js';
import { Endpoint, type EndpointEvents, type EndpointOptions } from './Endpoint.js';
import type { PauseOrigin, PauseTarget } from './Pauses.js';
import { readDetails, type PusherDetails } from './PushOptions.js';

/** Why a pusher has closed. */
export type PusherCloseReason =
	/** {@link Endpoint.close} was called without a reason. */
	| 'closed'
	/** Its connection has closed. */
	| 'connectionClosed'
	/** The client has closed the data channel. */
	| 'channelClosed'
	/** The client has stopped its m-line, or used it for something else. */
	| 'removed'
	/** The permissions of its user no longer allow it. */
	| 'notPermitted'
	/** Its user has left. */
	| 'userLeft'
	/** Its media worker died. */
	| 'workerDied'
	| (string & {});

/** Whether anybody wants one stream of a simulcast. */
export interface WantedEncoding {
	/** The restriction identifier of the stream (RFC 8851). Missing if the offer announced an SSRC instead. */
	rid?: string;
	/** Whether the client is to send it: the word of `RTCRtpSender.setParameters()`. */
	active: boolean;
}

/** The events of a pusher: a track or a data channel. */
export type PusherEvents = EndpointEvents<PusherCloseReason> & {
	/** Its source or its metadata has changed. */
	changed: () => void;
	/** For a track: nothing of it has arrived at two looks in a row (`stallInterval`), though nobody has paused it. */
	stalled: () => void;
	/** For a track: it arrives again, or somebody has paused it. */
	recovered: () => void;
	/**
	 * For a track with simulcast: those who pull it want other streams than before, in the order of its encodings. More comes at
	 * once, and less after `webRtc.layersSettleTime`. The lowest one is always wanted.
	 */
	layersWanted: (event: { encodings: readonly WantedEncoding[] }) => void;
	/**
	 * For a data channel: the client has sent a string or bytes, and nobody has paused the data channel. While there is a
	 * listener, every message of the data channel passes through this process, beside its way to the pullers.
	 */
	message: (event: { data: string | Buffer }) => void;
};

/** The end of a track or a data channel that a user sends. */
export abstract class PusherEndpoint extends Endpoint<PusherEvents, PusherCloseReason> {
	/** The id that others pull it by. It is unique. */
	abstract readonly pusherId: string;
	/** @internal Throws `forbidden` if the client may not change these. */
	assertUpdate: ((details: PusherDetails) => void) | undefined;
	protected readonly limits: Limits;
	#source: string | undefined;
	#metadata: unknown;

	/** @internal */
	protected constructor(target: PauseTarget, options: EndpointOptions & { details: PusherDetails; limits: Limits }) {
		super(target, options);
		this.limits = options.limits;
		this.#source = options.details.source ?? undefined;
		this.#metadata = options.details.metadata ?? undefined;
	}

	/** The user's word for it: `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own. */
	get source(): string | undefined {
		return this.#source;
	}

	/** A frozen JSON value of the app's own. The library never looks into it. */
	get metadata(): unknown {
		return this.#metadata;
	}

	/**
	 * Changes the source or the metadata. A property that `details` does not have stays as it is. Nothing changes after it has
	 * closed.
	 *
	 * @param by - on whose behalf; the permissions of its user bind the client, and not the app; default `app`
	 * @throws {@link SfuError} `invalid_argument`, `too_large`, `forbidden`
	 */
	update(details: PusherDetails, by: PauseOrigin = 'app'): void {
		const checked = readDetails(details, this.limits);
		if (this.closed) return;
		if (by === 'client') this.assertUpdate?.(checked);
		this.setDetails(checked);
	}

	/** @internal Takes the details of an offer, unless the permissions have changed since it came. */
	followClient(details: PusherDetails): void {
		try {
			this.assertUpdate?.(details);
		} catch {
			return;
		}
		this.setDetails(details);
	}

	/** @internal Does what {@link PusherEndpoint.update} does, with details that have been checked. */
	setDetails({ source = this.#source, metadata = this.#metadata }: PusherDetails): void {
		const before = JSON.stringify([this.#source, this.#metadata]);
		this.#source = source ?? undefined;
		this.#metadata = metadata ?? undefined;
		if (JSON.stringify([this.#source, this.#metadata]) === before) return;
		this.emit('changed');
	}
}
