import type { DataProducer, PipeTransport, Producer, Router } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import { SfuError } from '../../SfuError.js';
import { consumeHeld } from './consumeHeld.js';
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
import type { TellNode } from './IncomingPipes.js';
import { newMessageKey } from './messageSeal.js';
import type { DataSizes } from './PipePair.js';
import { sealData } from './sealedData.js';

/** So much of what was dropped is remembered. */
const mostDropped = 1000;

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
	connectTimer: NodeJS.Timeout;
	/** What it carries, by the ids that the other server has given it. */
	carriers: Map<string, Carrying>;
}

interface Carrying {
	carrier: Carried;
	sourceId: string;
	/** Lets it flow. */
	start?: () => Promise<void>;
}

/** The pipes by which a room's tracks and data channels go to other servers. Those decide what they take, and when it ends. */
export class OutgoingPipes {
	readonly #tell: TellNode;
	readonly #listen: PipeListen;
	readonly #data: DataSizes;
	readonly #pairs = new Map<string, Pair>();
	/** What was dropped before it was taken: messages may overtake each other. */
	readonly #dropped = new Set<string>();

	/** @param tell - tells another server that a pair has gone */
	constructor(tell: TellNode, listen: PipeListen, data: DataSizes) {
		this.#tell = tell;
		this.#listen = listen;
		this.#data = data;
	}

	/** How many tracks and data channels go out. */
	get size(): number {
		return [...this.#pairs.values()].reduce((sum, { carriers }) => sum + carriers.size, 0);
	}

	/** @throws {@link SfuError} (rejects) `unavailable` without a port, and errors of mediasoup */
	async take(nodeId: string, source: Sendable, { takeId, routerId, pairIds, canStart }: TakeRequest): Promise<Taken> {
		this.#assertWanted(takeId);
		const sourceId = 'producer' in source ? source.producer.id : source.dataProducer.id;
		this.#dropSource(nodeId, sourceId);
		this.#dropPairs(nodeId, pairIds);
		const pair = this.#pairTo(nodeId, source.router, routerId);
		const end = await pair.end;
		return 'producer' in source
			? this.#sendTrack(pair, end, takeId, source.producer, canStart === true)
			: this.#sendData(pair, end, takeId, source.router, source.dataProducer);
	}

	async #sendTrack(
		pair: Pair,
		end: PipeTransport,
		takeId: string,
		producer: Producer,
		canStart: boolean,
	): Promise<Taken> {
		const { id: sourceId, kind } = producer;
		const held = canStart && kind === 'video';
		const carrier = await (held ? consumeHeld(end, producer, true) : end.consume({ producerId: sourceId }));
		const { rtpParameters, producerPaused } = carrier;
		const taken = this.#carry(pair, end, takeId, { carrier, sourceId, start: () => carrier.resume() });
		return { ...taken, paused: producerPaused, held, track: { kind, rtpParameters } };
	}

	async #sendData(
		pair: Pair,
		end: PipeTransport,
		takeId: string,
		router: Router,
		source: DataProducer,
	): Promise<Taken> {
		const key = newMessageKey();
		const sealed = await sealData(router, source, key, this.#data);
		try {
			const carrier = await end.consumeData({ dataProducerId: sealed.id, ordered: true });
			const { sctpStreamParameters, dataProducerPaused } = carrier;
			if (!sctpStreamParameters) throw new SfuError('internal', 'the data channels of the pipe have no streams');
			const taken = this.#carry(pair, end, takeId, { carrier, sourceId: source.id });
			carrier.observer.once('close', () => {
				sealed.close();
			});
			if (carrier.closed || sealed.closed) throw new SfuError('not_found', 'the pusher has gone');
			return { ...taken, paused: dataProducerPaused, data: { sctpStreamParameters, key: key.toString('base64') } };
		} catch (error) {
			sealed.close();
			throw error;
		}
	}

	/** Notes what a pair carries, until it ends. */
	#carry({ pairId, carriers }: Pair, end: PipeTransport, takeId: string, carried: Carrying) {
		const { carrier } = carried;
		try {
			if (end.closed) throw new SfuError('unavailable', 'the other server has gone');
			this.#assertWanted(takeId);
		} catch (error) {
			carrier.close();
			throw error;
		}
		carriers.set(takeId, carried);
		carrier.observer.once('close', () => carriers.delete(takeId));
		return { pairId, end: endOf(end) };
	}

	/** @throws {@link SfuError} `not_found` */
	#assertWanted(takeId: string): void {
		if (this.#dropped.has(takeId)) throw new SfuError('not_found', 'the other server does not want it any more');
	}

	/** Tells a new pair where its other end is. @throws {@link SfuError} (rejects) `not_found` */
	async connect(nodeId: string, pairId: string, { ip, port, srtpParameters }: HostEnd): Promise<void> {
		const pair = this.#find(nodeId, pairId);
		pair.connected = true;
		clearTimeout(pair.connectTimer);
		const end = await pair.end;
		await end.connect({ ip, port, srtpParameters });
	}

	/** Lets flow what another server has asked for. Nothing happens if it has ended. */
	async start(nodeId: string, takeId: string): Promise<void> {
		const carrying = this.#carrying(nodeId, takeId);
		// What closes meanwhile need not flow.
		await carrying?.start?.().catch((error: unknown) => {
			if (!carrying.carrier.closed) throw error;
		});
	}

	/** Ends what another server has asked for. Nothing happens if it has ended already. */
	drop(nodeId: string, takeId: string): void {
		this.#carrying(nodeId, takeId)?.carrier.close();
		this.#dropped.add(takeId);
		for (const oldest of this.#dropped) {
			if (this.#dropped.size <= mostDropped) break;
			this.#dropped.delete(oldest);
		}
	}

	/** Ends a pair that its other server has given up. */
	closePair(nodeId: string, pairId: string): void {
		if (this.#pairs.get(pairId)?.nodeId === nodeId) this.#close(pairId);
	}

	/** Ends all that leads to a server that has gone. */
	lose(nodeId: string): void {
		for (const [pairId, pair] of this.#pairs) {
			if (pair.nodeId !== nodeId) continue;
			this.#close(pairId);
			// It may be alive all the same, and would wait for what does not come any more.
			this.#tell(nodeId, `pairGone ${pairId}`, 'pairGone', { pairId });
		}
	}

	#carrying(nodeId: string, takeId: string): Carrying | undefined {
		const pairs = [...this.#pairs.values()].filter((pair) => pair.nodeId === nodeId);
		return pairs.find(({ carriers }) => carriers.has(takeId))?.carriers.get(takeId);
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
		for (const [pairId, { nodeId: to, connected }] of this.#pairs) {
			if (to !== nodeId || pairIds.includes(pairId)) continue;
			// A pair that is not connected yet is being made there.
			if (connected) this.#close(pairId);
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
			connectTimer: setTimeout(() => {
				this.#close(pairId);
			}, connectTime).unref(),
			carriers: new Map(),
		};
		this.#pairs.set(pairId, pair);
		end.then(
			(transport) => {
				transport.observer.once('close', () => {
					this.#forget(pairId);
				});
				// It was lost meanwhile.
				if (!this.#pairs.has(pairId)) transport.close();
			},
			() => {
				this.#forget(pairId);
			},
		);
		return pair;
	}

	#close(pairId: string): void {
		const pair = this.#pairs.get(pairId);
		this.#forget(pairId);
		pair?.end.then(
			(transport) => {
				transport.close();
			},
			() => undefined,
		);
	}

	#forget(pairId: string): void {
		clearTimeout(this.#pairs.get(pairId)?.connectTimer);
		this.#pairs.delete(pairId);
	}

	#find(nodeId: string, pairId: string): Pair {
		const pair = this.#pairs.get(pairId);
		if (pair?.nodeId !== nodeId) throw new SfuError('not_found', 'the pipe has gone');
		return pair;
	}
}
