import type { DirectTransport, Producer, Router, RtpCapabilities } from 'mediasoup/types';
import { Lazy } from '../Lazy.js';

/**
 * Asks pushers for a keyframe. mediasoup asks on behalf of a consumer only, so each request creates a consumer in this
 * process, and closes it afterwards.
 */
export class KeyframeRequester {
	readonly #pending = new Map<string, Promise<void>>();
	readonly #transport: Lazy<DirectTransport>;

	constructor(router: Router) {
		this.#transport = new Lazy(() => router.createDirectTransport());
	}

	/** Asks the client of a producer. Concurrent requests to one producer are one. mediasoup keeps the delay between requests. */
	request(producer: Producer, rtpCapabilities: RtpCapabilities): Promise<void> {
		let request = this.#pending.get(producer.id);
		if (!request) {
			request = this.#request(producer, rtpCapabilities).finally(() => this.#pending.delete(producer.id));
			this.#pending.set(producer.id, request);
		}
		return request;
	}

	async #request(producer: Producer, rtpCapabilities: RtpCapabilities): Promise<void> {
		const transport = await this.#transport.get();
		// A pipe consumer asks for a keyframe of every simulcast stream.
		const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities, pipe: true });
		try {
			await consumer.requestKeyFrame();
		} finally {
			consumer.close();
		}
	}
}
