import type { PipeTransport, Producer, Router } from 'mediasoup/types';
import type { Logger } from '../../Logger.js';
import { Lazy } from '../../Lazy.js';
import { SfuError } from '../../SfuError.js';
import { setPayloadTypes, type PayloadTypes } from './payloadTypes.js';
import { Pipe } from './Pipe.js';

/**
 * A pair of pipe transports that leads from a router back to itself. It carries a producer to a second producer with other
 * payload types.
 *
 * A mediasoup consumer sends the payload types of its producer, whatever its SDP says, and browsers drop packets whose
 * payload types are not in their own offer. This class can go when consumers have payload types of their own (mediasoup
 * pull request 1783).
 */
export class Loopback {
	readonly #router: Router;
	readonly #logger: Logger;
	readonly #ends = new Lazy(() => this.#connect());
	/** By producer and payload types. */
	readonly #pipes = new Map<string, Promise<Pipe>>();

	constructor(router: Router, logger: Logger) {
		this.#router = router;
		this.#logger = logger;
	}

	/**
	 * A producer with other payload types. All leases of the same ones share one pipe, which closes with its last lease.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` when the producer has closed, `unavailable` when the router has
	 */
	async lease(producer: Producer, payloadTypes: PayloadTypes): Promise<{ producerId: string; release: () => void }> {
		const key = [producer.id, payloadTypes.payloadType, payloadTypes.rtxPayloadType].join(' ');
		for (;;) {
			const pipe = await (this.#pipes.get(key) ?? this.#startPipe(key, producer, payloadTypes));
			const release = pipe.lease();
			if (release) return { producerId: pipe.producerId, release };
			// The pipe closed between its promise and here. If its producer closed too, there is no other pipe.
			if (producer.closed) throw new SfuError('not_found', 'the pusher has gone');
			if (this.#router.closed) throw new SfuError('unavailable', 'the media router is gone');
		}
	}

	#startPipe(key: string, producer: Producer, payloadTypes: PayloadTypes): Promise<Pipe> {
		const starting = this.#createPipe(producer, payloadTypes);
		this.#pipes.set(key, starting);
		const forget = () => {
			if (this.#pipes.get(key) === starting) this.#pipes.delete(key);
		};
		starting.then((pipe) => {
			if (pipe.closed) forget();
			else pipe.onClosed = forget;
		}, forget);
		return starting;
	}

	async #createPipe(producer: Producer, payloadTypes: PayloadTypes): Promise<Pipe> {
		const [entry, exit] = await this.#ends.get();
		const consumer = await entry.consume({ producerId: producer.id });
		const { kind, rtpParameters } = consumer;
		try {
			setPayloadTypes(this.#router, { kind, rtpParameters }, payloadTypes);
			const exitProducer = await exit.produce({ kind, rtpParameters, paused: consumer.producerPaused });
			const pipe = new Pipe(consumer, exitProducer, this.#logger);
			if (producer.closed) pipe.close();
			return pipe;
		} catch (error) {
			consumer.close();
			throw error;
		}
	}

	async #connect(): Promise<readonly [PipeTransport, PipeTransport]> {
		const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
		const ends = await Promise.allSettled([
			this.#router.createPipeTransport({ listenInfo, enableSctp: false }),
			this.#router.createPipeTransport({ listenInfo, enableSctp: false }),
		]);
		const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
		try {
			const [entry, exit] = made;
			if (!entry || !exit) throw ends.find((end) => end.status === 'rejected')?.reason;
			await Promise.all([
				entry.connect({ ip: exit.tuple.localAddress, port: exit.tuple.localPort }),
				exit.connect({ ip: entry.tuple.localAddress, port: entry.tuple.localPort }),
			]);
			return [entry, exit];
		} catch (error) {
			for (const end of made) end.close();
			throw error;
		}
	}
}
