import type { WebRtcTransport } from 'mediasoup/types';
import { SfuError } from '../SfuError.js';
import { bitrate, validator } from '../schemas.js';
import { toSfuError } from '../media/callWorker.js';

// The least that mediasoup's worker takes for what it sends.
const leastOutgoing = 30_000;

const check = validator<number>(bitrate, 'bitrate');

/** What a transport may receive and send in all, in bit/s; 0 for any amount. */
export class BitrateLimits {
	#incoming: number;
	#outgoing: number;
	/** What the client wants to receive at most. */
	#wanted = 0;
	#transport: WebRtcTransport | undefined;

	constructor({ incoming, outgoing }: { incoming: number; outgoing: number }) {
		this.#incoming = incoming;
		this.#outgoing = outgoing;
	}

	get incoming(): number {
		return this.#incoming;
	}

	get outgoing(): number {
		return least(this.#outgoing, this.#wanted);
	}

	/** Bounds a transport that is new, from now on. */
	async bound(transport: WebRtcTransport): Promise<void> {
		this.#transport = transport;
		if (this.#incoming > 0) await this.#applyIncoming();
		if (this.outgoing > 0) await this.#applyOutgoing();
	}

	/** @throws {@link SfuError} (rejects) `invalid_argument`, `unavailable` */
	async setIncoming(bound: number): Promise<void> {
		this.#incoming = check(bound);
		await this.#applyIncoming();
	}

	/** @throws {@link SfuError} (rejects) `invalid_argument`, `unavailable` */
	async setOutgoing(bound: number): Promise<void> {
		this.#outgoing = check(bound);
		await this.#applyOutgoing();
	}

	/** Takes what the client's SDP says that it wants to receive. */
	async setWanted(bound: number): Promise<void> {
		const before = this.outgoing;
		this.#wanted = bound;
		if (this.outgoing !== before) await this.#applyOutgoing();
	}

	#applyIncoming(): Promise<void> {
		return this.#apply((transport) => transport.setMaxIncomingBitrate(this.#incoming));
	}

	#applyOutgoing(): Promise<void> {
		const bound = this.outgoing;
		return this.#apply((transport) =>
			transport.setMaxOutgoingBitrate(bound > 0 ? Math.min(Math.max(bound, leastOutgoing), bitrate.maximum) : bound),
		);
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
 * What a client wants to receive in all, at most, in bit/s; 0 when it leaves that open, or does for some video.
 *
 * @param inAll - what its SDP says of the session
 * @param videos - what it says of each m-line that video is sent on
 */
export function wantedBitrate(inAll: number | undefined, videos: readonly (number | undefined)[]): number {
	const ofVideo = videos.reduce<number>((sum, bound) => sum + (bound ?? Infinity), 0);
	const wanted = Math.min(ofVideo || Infinity, inAll ?? Infinity);
	return Number.isFinite(wanted) ? wanted : 0;
}

/** The lesser of two bounds. */
function least(one: number, other: number): number {
	return one > 0 && other > 0 ? Math.min(one, other) : Math.max(one, other);
}
