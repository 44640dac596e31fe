import type { WebRtcTransport } from 'mediasoup/types';
import { SfuError } from '../SfuError.js';
import { bitrate, validator } from '../schemas.js';
import { toSfuError } from '../media/callWorker.js';

// mediasoup's worker takes no lower limit for outgoing media.
const leastOutgoing = 30_000;

const check = validator<number>(bitrate, 'bitrate');

/** The most that a transport may receive and send in all, in bit/s. 0 stands for no limit. */
export class BitrateLimits {
	#incoming: number;
	/** The most that the permissions of the user allow. */
	#permitted: number;
	#outgoing: number;
	/** The most that those who pull take of it. */
	#demanded = 0;
	/** The most that the client wants to receive. */
	#wanted = 0;
	#leastEstimate = 0;
	#transport: WebRtcTransport | undefined;

	constructor({ incoming, outgoing, permitted = 0 }: { incoming: number; outgoing: number; permitted?: number }) {
		this.#incoming = incoming;
		this.#permitted = permitted;
		this.#outgoing = outgoing;
	}

	get incoming(): number {
		return lower(this.#incoming, this.#permitted);
	}

	get outgoing(): number {
		return lower(this.#outgoing, this.#wanted);
	}

	/** Limits a new transport from now on. */
	async applyTo(transport: WebRtcTransport): Promise<void> {
		this.#transport = transport;
		await Promise.all([
			(this.incoming > 0 || this.#demanded > 0) && this.#applyIncoming(),
			this.outgoing > 0 && this.#applyOutgoing(),
		]);
	}

	/** @throws {@link SfuError} (rejects) `invalid_argument`, `unavailable` */
	async setIncoming(limit: number): Promise<void> {
		this.#incoming = check(limit);
		await this.#applyIncoming();
	}

	/** @throws {@link SfuError} (rejects) `invalid_argument`, `unavailable` */
	async setOutgoing(limit: number): Promise<void> {
		this.#outgoing = check(limit);
		await this.#applyOutgoing();
	}

	/** Sets the limit of the user's permissions. */
	async setPermitted(limit: number): Promise<void> {
		const before = this.incoming;
		this.#permitted = limit;
		if (this.incoming !== before) await this.#applyIncoming();
	}

	/** Sets the limit of the client's SDP. */
	async setWanted(limit: number): Promise<void> {
		const before = this.outgoing;
		this.#wanted = limit;
		if (this.outgoing !== before) await this.#applyOutgoing();
	}

	/** Sets what those who pull take at most. It limits the client, and not {@link BitrateLimits.incoming}. */
	async setDemanded(limit: number): Promise<void> {
		if (limit === this.#demanded) return;
		this.#demanded = limit;
		await this.#applyIncoming();
	}

	/** Sets the least that the worker may estimate for the client's link. {@link BitrateLimits.outgoing} goes before it. */
	async setLeastEstimate(least: number): Promise<void> {
		this.#leastEstimate = least;
		await this.#apply((transport) => transport.setMinOutgoingBitrate(this.#least));
	}

	get #least(): number {
		return this.#leastEstimate > 0 ? toOutgoing(lower(this.#leastEstimate, this.outgoing)) : 0;
	}

	#applyIncoming(): Promise<void> {
		return this.#apply((transport) => transport.setMaxIncomingBitrate(lower(this.incoming, this.#demanded)));
	}

	#applyOutgoing(): Promise<void> {
		return this.#apply(async (transport) => {
			// The worker refuses a limit below the least estimate.
			if (this.#leastEstimate > 0) await transport.setMinOutgoingBitrate(0);
			await transport.setMaxOutgoingBitrate(toOutgoing(this.outgoing));
			if (this.#leastEstimate > 0) await transport.setMinOutgoingBitrate(this.#least);
		});
	}

	async #apply(act: (transport: WebRtcTransport) => Promise<void>): Promise<void> {
		const transport = this.#transport;
		if (!transport) return;
		try {
			await act(transport);
		} catch (error) {
			throw transport.closed
				? new SfuError('closed', 'the connection has been closed', { cause: error })
				: toSfuError(error);
		}
	}
}

/**
 * The most that a client wants to receive in all, in bit/s. 0 stands for no limit, and for a limit that some video has not.
 *
 * @param inAll - the limit of the session in its SDP
 * @param videos - the limits of the m-lines on which video is sent
 */
export function wantedBitrate(inAll: number | undefined, videos: readonly (number | undefined)[]): number {
	const ofVideo = videos.reduce<number>((sum, limit) => sum + (limit ?? Infinity), 0);
	const wanted = Math.min(ofVideo || Infinity, inAll ?? Infinity);
	return Number.isFinite(wanted) ? wanted : 0;
}

/** A limit that the worker takes. */
const toOutgoing = (limit: number): number =>
	limit > 0 ? Math.min(Math.max(limit, leastOutgoing), bitrate.maximum) : limit;

/** The lower one of two limits, where 0 is none. */
function lower(one: number, other: number): number {
	return one > 0 && other > 0 ? Math.min(one, other) : Math.max(one, other);
}
