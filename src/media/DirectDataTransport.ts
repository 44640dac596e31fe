import type { DataConsumer, DataProducer, DirectTransport, Router } from 'mediasoup/types';

/** The transport between the data channels of a router and this process. */
export class DirectDataTransport {
	readonly #transport: DirectTransport;
	/** A producer that sends nothing. A consumer of it can send messages by `DataConsumer.send()`. */
	readonly silence: DataProducer;

	static async create(router: Router): Promise<DirectDataTransport> {
		const transport = await router.createDirectTransport();
		return new DirectDataTransport(transport, await transport.produceData());
	}

	private constructor(transport: DirectTransport, silence: DataProducer) {
		this.#transport = transport;
		this.silence = silence;
	}

	/** Copies every message of a data producer to this process. */
	observe(dataProducer: DataProducer): Promise<DataConsumer> {
		return this.#transport.consumeData({ dataProducerId: dataProducer.id });
	}
}
