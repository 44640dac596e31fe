import type { DataProducer, PipeTransport, Producer, Router } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import type { Logger } from '../../Logger.js';
import { SfuError } from '../../SfuError.js';
import { setPayloadTypes, type PayloadTypes } from '../remap/payloadTypes.js';
import {
	endOf,
	pipeOptions,
	type Carried,
	type HostEnd,
	type PipeListen,
	type Taken,
	type TakeRequest,
} from './hostPipes.js';
import type { DataSizes } from './PipePair.js';
import { openData } from './sealedData.js';

/** Asks another server. */
export type AskNode = (nodeId: string, method: string, params: object) => Promise<unknown>;

/** Tells another server something until it has heard it. What has the same key is told no more. */
export type TellNode = (nodeId: string, key: string, method: string, params: object) => void;

/** A pair without a track for so long is given up, in ms. */
const idleTime = 10_000;

interface Pair {
	nodeId: string;
	router: Router;
	end: Promise<PipeTransport>;
	/** Settles when the other server knows where its end is. Undefined if nobody has told it yet. */
	connected: Promise<void> | undefined;
	/** How many need it. */
	carried: number;
	idleTimer: NodeJS.Timeout | undefined;
}

/** What has come from another server to a router of this one. */
export interface Arrived<Out extends Carried> {
	readonly producer: Out;
	/** Lets it flow, if it is video: that does not flow before the first call. Later ones do nothing. */
	start: () => void;
	/** Ends it here and there. */
	close: () => void;
}

/** The pipes by which tracks and data channels of other servers come to a room. */
export class IncomingPipes {
	readonly #ask: AskNode;
	readonly #tell: TellNode;
	readonly #listen: PipeListen;
	readonly #data: DataSizes;
	readonly #logger: Logger;
	readonly #pairs = new Map<string, Pair>();

	constructor(options: { ask: AskNode; tell: TellNode; listen: PipeListen; data: DataSizes; logger: Logger }) {
		this.#ask = options.ask;
		this.#tell = options.tell;
		this.#listen = options.listen;
		this.#data = options.data;
		this.#logger = options.logger;
	}

	/** How many pairs there are. */
	get size(): number {
		return this.#pairs.size;
	}

	/**
	 * Brings a track here.
	 *
	 * @throws {@link SfuError} (rejects) `not_found` if it has gone, `unavailable` if its server does not answer or has no port
	 */
	bringTrack(nodeId: string, pusherId: string, router: Router, payloadTypes: PayloadTypes): Promise<Arrived<Producer>> {
		return this.#bring(nodeId, pusherId, router, async (end, { track, paused }) => {
			if (!track) throw new SfuError('internal', 'the pusher is no track');
			setPayloadTypes(router, track, payloadTypes);
			return end.produce({ ...track, paused });
		});
	}

	/** Brings a data channel here. @throws {@link SfuError} (rejects) as {@link IncomingPipes.bringTrack} does */
	bringData(nodeId: string, pusherId: string, router: Router): Promise<Arrived<DataProducer>> {
		return this.#bring(nodeId, pusherId, router, async (end, { data }) => {
			if (!data) throw new SfuError('internal', 'the pusher is no data channel');
			const { sctpStreamParameters, key } = data;
			const sealed = await end.produceData({ sctpStreamParameters });
			try {
				return await openData(router, sealed, Buffer.from(key, 'base64'), this.#data);
			} catch (error) {
				sealed.close();
				throw error;
			}
		});
	}

	/** Ends all that comes from a server that has gone. */
	lose(nodeId: string): void {
		for (const [pairId, pair] of this.#pairs) if (pair.nodeId === nodeId) this.#close(pairId);
	}

	/** The other server has ended a pair. */
	pairGone(nodeId: string, pairId: string): void {
		if (this.#pairs.get(pairId)?.nodeId === nodeId) this.#close(pairId);
	}

	async #bring<Out extends Carried>(
		nodeId: string,
		pusherId: string,
		router: Router,
		produce: (end: PipeTransport, taken: Taken) => Promise<Out>,
	): Promise<Arrived<Out>> {
		const takeId = randomUUID();
		const drop = () => {
			this.#tell(nodeId, `drop ${takeId}`, 'drop', { takeId });
		};
		const taken = await this.#take(nodeId, { takeId, pusherId, routerId: router.id, canStart: true }).catch(
			(error: unknown) => {
				// The answer alone may be lost.
				if (error instanceof SfuError && error.code === 'unavailable') drop();
				throw error;
			},
		);
		const { pairId } = taken;
		const pair = this.#pairs.get(pairId) ?? this.#createPair(nodeId, router, taken);
		hold(pair);
		const giveBack = () => {
			this.#release(pairId, pair);
			drop();
		};
		let producer: Out | undefined;
		try {
			const end = await pair.end;
			producer = await produce(end, taken);
			// Keyframes are asked for as soon as the pair is connected, and the way is open by now.
			pair.connected ??= this.#connect(pairId, pair, end);
			await pair.connected;
			if (producer.closed) throw new SfuError('unavailable', 'the pipe between two servers has gone');
		} catch (error) {
			producer?.close();
			giveBack();
			throw error;
		}
		const arrived = producer;
		arrived.observer.once('close', giveBack);
		let { held = false } = taken;
		return {
			producer: arrived,
			start: () => {
				if (held && !arrived.closed) this.#tell(nodeId, `start ${takeId}`, 'start', { takeId });
				held = false;
			},
			close: () => {
				arrived.close();
			},
		};
	}

	/** Asks for a track or a data channel. The pairs that it may come by stay meanwhile. */
	async #take(nodeId: string, request: Omit<TakeRequest, 'pairIds'>): Promise<Taken> {
		const pairs = [...this.#pairs].filter(([, pair]) => pair.nodeId === nodeId);
		const pairIds = pairs.map(([pairId]) => pairId);
		for (const [, pair] of pairs) hold(pair);
		try {
			return (await this.#ask(nodeId, 'take', { ...request, pairIds })) as Taken;
		} finally {
			for (const [pairId, pair] of pairs) this.#release(pairId, pair);
		}
	}

	#createPair(nodeId: string, router: Router, { pairId, end }: Taken): Pair {
		const created = this.#createEnd(router, end);
		const pair: Pair = { nodeId, router, end: created, connected: undefined, carried: 0, idleTimer: undefined };
		this.#pairs.set(pairId, pair);
		const ended = () => {
			clearTimeout(pair.idleTimer);
			if (this.#pairs.get(pairId) === pair) this.#pairs.delete(pairId);
			// The other end does not notice.
			this.#tell(nodeId, `closePair ${pairId}`, 'closePair', { pairId });
		};
		created.then(
			(transport) => {
				transport.observer.once('close', ended);
				if (this.#pairs.get(pairId) !== pair) transport.close();
			},
			(error: unknown) => {
				ended();
				this.#logger.warn('a pipe from another server could not be made', { nodeId, error });
			},
		);
		return pair;
	}

	async #createEnd(router: Router, { ip, port, srtpParameters }: HostEnd): Promise<PipeTransport> {
		const transport = await router.createPipeTransport(pipeOptions(this.#listen, this.#data));
		try {
			await transport.connect({ ip, port, srtpParameters });
			return transport;
		} catch (error) {
			transport.close();
			throw error;
		}
	}

	/** Tells the other server where this end is. A pair that it may not know cannot be used. */
	async #connect(pairId: string, { nodeId }: Pair, end: PipeTransport): Promise<void> {
		try {
			await this.#ask(nodeId, 'connect', { pairId, end: endOf(end) });
		} catch (error) {
			this.#close(pairId);
			throw error;
		}
	}

	#release(pairId: string, pair: Pair): void {
		pair.carried--;
		if (pair.carried > 0 || this.#pairs.get(pairId) !== pair) return;
		pair.idleTimer = setTimeout(() => {
			this.#close(pairId);
		}, idleTime);
	}

	#close(pairId: string): void {
		const pair = this.#pairs.get(pairId);
		clearTimeout(pair?.idleTimer);
		this.#pairs.delete(pairId);
		pair?.end.then(
			(transport) => {
				transport.close();
			},
			() => undefined,
		);
	}
}

/** Keeps a pair until it is released. */
function hold(pair: Pair): void {
	pair.carried++;
	clearTimeout(pair.idleTimer);
}
