import type { PipeTransport, Router } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import { SfuError } from '../../SfuError.js';
import {
	endOf,
	pipeOptions,
	type Carried,
	type HostEnd,
	type PipeListen,
	type Sendable,
	type Taken,
	type TakeRequest,
} from './hostPipes.js';
import type { DataSizes } from './PipePair.js';

/** A pair that is not connected after this time has been given up by the other server, in ms. */
const connectTime = 5000;

interface Pair {
	pairId: string;
	nodeId: string;
	/** From which router it leads, and to which one. */
	from: Router;
	routerId: string;
	end: Promise<PipeTransport>;
	connected: boolean;
	/** In ms since the epoch. */
	madeAt: number;
	/** What it carries, by id. */
	carriers: Map<string, { carrier: Carried; sourceId: string }>;
}

/** The pipes by which a room's tracks and data channels go to other servers. Those decide what they take, and when it ends. */
export class OutgoingPipes {
	readonly #listen: PipeListen;
	readonly #data: DataSizes;
	readonly #pairs = new Map<string, Pair>();

	constructor(listen: PipeListen, data: DataSizes) {
		this.#listen = listen;
		this.#data = data;
	}

	/** How many tracks and data channels go out. */
	get size(): number {
		return [...this.#pairs.values()].reduce((sum, { carriers }) => sum + carriers.size, 0);
	}

	/** @throws {@link SfuError} (rejects) `unavailable` without a port, and errors of mediasoup */
	async take(nodeId: string, source: Sendable, { routerId, pairIds }: TakeRequest): Promise<Taken> {
		const sourceId = 'producer' in source ? source.producer.id : source.dataProducer.id;
		this.#dropSource(nodeId, sourceId);
		this.#dropPairs(nodeId, pairIds);
		const pair = this.#pairTo(nodeId, source.router, routerId);
		const end = await pair.end;
		const carrier =
			'producer' in source
				? await end.consume({ producerId: sourceId })
				: await end.consumeData({ dataProducerId: sourceId, ordered: true });
		if (end.closed) throw new SfuError('unavailable', 'the other server has gone');
		pair.carriers.set(carrier.id, { carrier, sourceId });
		const { id, observer }: Carried = carrier;
		observer.once('close', () => pair.carriers.delete(id));
		const taken = { pairId: pair.pairId, end: endOf(end), carrierId: carrier.id };
		if ('kind' in carrier) {
			const { kind, rtpParameters, producerPaused } = carrier;
			return { ...taken, paused: producerPaused, track: { kind, rtpParameters } };
		}
		const { sctpStreamParameters, dataProducerPaused } = carrier;
		if (!sctpStreamParameters) throw new SfuError('internal', 'the data channels of the pipe have no streams');
		return { ...taken, paused: dataProducerPaused, data: { sctpStreamParameters } };
	}

	/** Tells a new pair where its other end is. @throws {@link SfuError} (rejects) `not_found` */
	async connect(nodeId: string, pairId: string, { ip, port, srtpParameters }: HostEnd): Promise<void> {
		const pair = this.#find(nodeId, pairId);
		pair.connected = true;
		const end = await pair.end;
		await end.connect({ ip, port, srtpParameters });
	}

	/** Ends what a pair carries. Nothing happens if it has ended already. */
	drop(nodeId: string, pairId: string, carrierId: string): void {
		const pair = this.#pairs.get(pairId);
		if (pair?.nodeId === nodeId) pair.carriers.get(carrierId)?.carrier.close();
	}

	/** Ends a pair that its other server has given up. */
	closePair(nodeId: string, pairId: string): void {
		if (this.#pairs.get(pairId)?.nodeId === nodeId) this.#close(pairId);
	}

	/** Ends all that leads to a server that has gone. */
	lose(nodeId: string): void {
		for (const [pairId, pair] of this.#pairs) if (pair.nodeId === nodeId) this.#close(pairId);
	}

	/** A server that asks for a source has lost it, if it had it before. */
	#dropSource(nodeId: string, sourceId: string): void {
		for (const pair of this.#pairs.values()) {
			if (pair.nodeId !== nodeId) continue;
			for (const carried of pair.carriers.values()) if (carried.sourceId === sourceId) carried.carrier.close();
		}
	}

	/** @param pairIds - those that the other server still has: it cannot use others any more */
	#dropPairs(nodeId: string, pairIds: readonly string[]): void {
		for (const [pairId, { nodeId: to, connected, madeAt }] of this.#pairs) {
			if (to !== nodeId || pairIds.includes(pairId)) continue;
			// A pair that is not connected yet is being made there.
			if (connected || Date.now() - madeAt >= connectTime) this.#close(pairId);
		}
	}

	#pairTo(nodeId: string, from: Router, routerId: string): Pair {
		const known = [...this.#pairs.values()].find(
			(pair) => pair.nodeId === nodeId && pair.from === from && pair.routerId === routerId,
		);
		return known ?? this.#createPair(nodeId, from, routerId);
	}

	#createPair(nodeId: string, from: Router, routerId: string): Pair {
		const pairId = randomUUID();
		const end = from.createPipeTransport(pipeOptions(this.#listen, this.#data));
		const pair: Pair = {
			pairId,
			nodeId,
			from,
			routerId,
			end,
			connected: false,
			madeAt: Date.now(),
			carriers: new Map(),
		};
		this.#pairs.set(pairId, pair);
		end.then(
			(transport) => {
				transport.observer.once('close', () => this.#pairs.delete(pairId));
				// It was lost meanwhile.
				if (!this.#pairs.has(pairId)) transport.close();
			},
			() => this.#pairs.delete(pairId),
		);
		return pair;
	}

	#close(pairId: string): void {
		const pair = this.#pairs.get(pairId);
		this.#pairs.delete(pairId);
		pair?.end.then(
			(transport) => {
				transport.close();
			},
			() => undefined,
		);
	}

	#find(nodeId: string, pairId: string): Pair {
		const pair = this.#pairs.get(pairId);
		if (pair?.nodeId !== nodeId) throw new SfuError('not_found', 'the pipe has gone');
		return pair;
	}
}
