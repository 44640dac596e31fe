import type { DataConsumer, DataProducer, DirectTransport, Router } from 'mediasoup/types';

/** Where the data channels of a room meet this process. */
export class DirectDataTransport {
	readonly #transport: DirectTransport;
	/** Sends nothing. Whoever consumes it has a stream to send on by `DataConsumer.send()`. */
	readonly silence: DataProducer;

	static async create(router: Router): Promise<DirectDataTransport> {
		const transport = await router.createDirectTransport();
		return new DirectDataTransport(transport, await transport.produceData());
	}

	private constructor(transport: DirectTransport, silence: DataProducer) {
		this.#transport = transport;
		this.silence = silence;
	}

	/** A copy of all that a data producer receives. */
	tap(dataProducer: DataProducer): Promise<DataConsumer> {
		return this.#transport.consumeData({ dataProducerId: dataProducer.id });
	}
}
