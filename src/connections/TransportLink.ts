import type { WebRtcTransport } from 'mediasoup/types';
import type { Link } from '../layers/LayerPolicy.js';
import type { BitrateLimits } from './BitrateLimits.js';

/** The way to a client over the transport of its connection. */
export class TransportLink implements Link {
	readonly isEstimated: boolean;
	readonly #transport: WebRtcTransport;
	readonly #bitrates: BitrateLimits;

	constructor(transport: WebRtcTransport, bitrates: BitrateLimits, isEstimated: boolean) {
		this.#transport = transport;
		this.#bitrates = bitrates;
		this.isEstimated = isEstimated;
	}

	get limit(): number {
		return this.#bitrates.outgoing;
	}

	async measure(): Promise<{ bitrate: number; estimate: number | undefined }> {
		const [stats] = await this.#transport.getStats();
		return { bitrate: stats?.rtpSendBitrate ?? 0, estimate: stats?.availableOutgoingBitrate };
	}

	async setLeastEstimate(bitrate: number): Promise<void> {
		await this.#bitrates.setLeastEstimate(bitrate);
	}
}
