import type { DirectTransport, Producer, Router, RtpCapabilities } from 'mediasoup/types';

/**
 * Asks pushers for a keyframe. mediasoup asks on behalf of consumers alone, so one is made that consumes in this process,
 * and closed when it has asked.
 */
export class KeyframeRequester {
	readonly #router: Router;
	readonly #underWay = new Map<string, Promise<void>>();
	#transport: Promise<DirectTransport> | undefined;

	constructor(router: Router) {
		this.#router = router;
	}

	/** Requests to one producer that come together are one. mediasoup keeps the distance between them. */
	request(producer: Producer, rtpCapabilities: RtpCapabilities): Promise<void> {
		let request = this.#underWay.get(producer.id);
		if (!request) {
			request = this.#request(producer, rtpCapabilities).finally(() => this.#underWay.delete(producer.id));
			this.#underWay.set(producer.id, request);
		}
		return request;
	}

	async #request(producer: Producer, rtpCapabilities: RtpCapabilities): Promise<void> {
		const transport = await this.#getTransport();
		// All of its streams, in case of simulcast.
		const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities, pipe: true });
		try {
			await consumer.requestKeyFrame();
		} finally {
			consumer.close();
		}
	}

	#getTransport(): Promise<DirectTransport> {
		this.#transport ??= this.#router.createDirectTransport();
		this.#transport.catch(() => (this.#transport = undefined));
		return this.#transport;
	}
}
