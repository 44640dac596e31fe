import type { DataProducer, PipeTransport, PipeTransportOptions, Producer, Router } from 'mediasoup/types';
import { Lazy } from '../../Lazy.js';
import type { Logger } from '../../Logger.js';
import type { Limits } from '../../options.js';
import { SfuError } from '../../SfuError.js';
import { setPayloadTypes, type PayloadTypes } from '../remap/payloadTypes.js';
import { consumeHeld } from './consumeHeld.js';
import { Pipe } from './Pipe.js';

/** A source on a router, at the far end of a pair or its own, until it is released. */
export interface PipeLease {
	/** The producer to consume. */
	readonly producerId: string;
	/** Lets it flow, if it is video of a pipe: that does not flow before the first call. Later ones do nothing. */
	readonly start?: () => void;
	/** Gives it back. Calling it again does nothing. */
	release: () => void;
}

/** The limits of data channels. */
export type DataLimits = Pick<Limits, 'dataMessageBytes' | 'dataBufferBytes'>;

/** The data channels that a pair can carry, in bytes. */
export type DataSizes = Required<
	Pick<
		PipeTransportOptions,
		'maxSendMessageSize' | 'maxReceiveMessageSize' | 'sctpSendBufferSize' | 'sctpPerStreamSendQueueLimit'
	>
>;

/** What data channels carry from router to router, by the limits of an Sfu. */
export const dataSizes = ({ dataMessageBytes, dataBufferBytes }: DataLimits): DataSizes => ({
	maxSendMessageSize: dataMessageBytes,
	maxReceiveMessageSize: dataMessageBytes,
	sctpSendBufferSize: dataBufferBytes,
	sctpPerStreamSendQueueLimit: dataBufferBytes,
});

/**
 * A pair of pipe transports that leads from a router to one on another worker, or back to itself. It carries a producer to a
 * second producer there, with payload types of its own.
 *
 * A mediasoup consumer sends the payload types of its producer, whatever its SDP says, and browsers drop packets whose
 * payload types are not in their own offer. So even a router needs a pair that leads back to itself, until consumers have
 * payload types of their own (mediasoup pull request 1783).
 */
export class PipePair {
	readonly #from: Router;
	readonly #to: Router;
	readonly #data: DataSizes;
	readonly #logger: Logger;
	readonly #ends = new Lazy(() => this.#connect());
	/** By producer, and payload types. */
	readonly #pipes = new Map<string, Promise<Pipe>>();

	constructor({ from, to, data }: { from: Router; to: Router; data: DataSizes }, logger: Logger) {
		this.#from = from;
		this.#to = to;
		this.#data = data;
		this.#logger = logger;
	}

	/**
	 * A producer at the far end. All leases of the same payload types share one pipe, which closes with its last lease.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` when the producer has closed, `unavailable` when a router has
	 */
	async lease(producer: Producer, payloadTypes: PayloadTypes): Promise<PipeLease> {
		const key = [producer.id, payloadTypes.payloadType, payloadTypes.rtxPayloadType].join(' ');
		return this.#lease(key, producer, () => this.#pipeTrack(producer, payloadTypes));
	}

	/** A data channel at the far end. All leases share one pipe. @throws {@link SfuError} (rejects) as {@link PipePair.lease} */
	async leaseData(producer: DataProducer): Promise<PipeLease> {
		return this.#lease(producer.id, producer, () => this.#pipeData(producer));
	}

	async #lease(key: string, source: { closed: boolean }, create: () => Promise<Pipe>): Promise<PipeLease> {
		for (;;) {
			const pipe = await (this.#pipes.get(key) ?? this.#start(key, source, create));
			const release = pipe.lease();
			if (release) {
				const start = () => {
					pipe.start();
				};
				return { producerId: pipe.producerId, start, release };
			}
			// The pipe closed between its promise and here. If its source closed too, there is no other pipe.
			if (source.closed) throw new SfuError('not_found', 'the pusher has gone');
			if (this.#from.closed || this.#to.closed) throw new SfuError('unavailable', 'the media router is gone');
		}
	}

	#start(key: string, source: { closed: boolean }, create: () => Promise<Pipe>): Promise<Pipe> {
		const starting = create();
		this.#pipes.set(key, starting);
		const forget = () => {
			if (this.#pipes.get(key) === starting) this.#pipes.delete(key);
		};
		starting.then((pipe) => {
			if (source.closed) pipe.close();
			if (pipe.closed) forget();
			else pipe.onClosed = forget;
		}, forget);
		return starting;
	}

	async #pipeTrack(producer: Producer, payloadTypes: PayloadTypes): Promise<Pipe> {
		const [entry, exit] = await this.#ends.get();
		const held = producer.kind === 'video';
		const consumer = await (held ? consumeHeld(entry, producer, false) : entry.consume({ producerId: producer.id }));
		const { kind, rtpParameters } = consumer;
		try {
			setPayloadTypes(this.#to, { kind, rtpParameters }, payloadTypes);
			const exitProducer = await exit.produce({ kind, rtpParameters, paused: consumer.producerPaused });
			const pipe = new Pipe(consumer, exitProducer, () => consumer.producerPaused, this.#logger, held);
			// The observer of a consumer that is paused itself tells nothing of its producer.
			for (const event of ['producerpause', 'producerresume'] as const) {
				consumer.on(event, () => {
					pipe.followHeld();
				});
			}
			return pipe;
		} catch (error) {
			consumer.close();
			throw error;
		}
	}

	async #pipeData(producer: DataProducer): Promise<Pipe> {
		const [entry, exit] = await this.#ends.get();
		// Nothing is lost between workers of one machine, so the pipe keeps the order of every data channel.
		const consumer = await entry.consumeData({ dataProducerId: producer.id, ordered: true });
		try {
			const { sctpStreamParameters } = consumer;
			if (!sctpStreamParameters) throw new SfuError('internal', 'the data channels of the pipe have no streams');
			const exitProducer = await exit.produceData({ sctpStreamParameters });
			return new Pipe(consumer, exitProducer, () => consumer.dataProducerPaused, this.#logger);
		} catch (error) {
			consumer.close();
			throw error;
		}
	}

	async #connect(): Promise<readonly [PipeTransport, PipeTransport]> {
		const options = {
			listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
			// Data channels need no pair that leads back.
			...(this.#from === this.#to ? { enableSctp: false } : { enableSctp: true, ...this.#data }),
		} as const;
		const ends = await Promise.allSettled([
			this.#from.createPipeTransport(options),
			this.#to.createPipeTransport(options),
		]);
		const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
		try {
			const [entry, exit] = made;
			if (!entry || !exit) throw ends.find((end) => end.status === 'rejected')?.reason;
			await Promise.all([
				entry.connect({ ip: exit.tuple.localAddress, port: exit.tuple.localPort }),
				exit.connect({ ip: entry.tuple.localAddress, port: entry.tuple.localPort }),
			]);
			// No end notices that the other one has gone.
			this.#closeWith(this.#from, exit);
			this.#closeWith(this.#to, entry);
			return [entry, exit];
		} catch (error) {
			for (const end of made) end.close();
			throw error;
		}
	}

	#closeWith(router: Router, end: PipeTransport): void {
		if (router.closed) end.close();
		else
			router.observer.once('close', () => {
				end.close();
			});
	}
}
