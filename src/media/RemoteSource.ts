import type { MediaKind, Producer, Router, RtpParameters, RtpStreamRecvStats } from 'mediasoup/types';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { Demand } from './Demand.js';
import type { Arrived } from './pipes/IncomingPipes.js';
import { OnDemand } from './pipes/OnDemand.js';
import type { PayloadTypes } from './remap/payloadTypes.js';
import type { Landing, PushedSource, SourceEvents, SourceType } from './Source.js';
import { watchTrace } from './watchTrace.js';

/** What a server tells of a track. */
export interface SourceState {
	kind: MediaKind;
	type: SourceType;
	/** In the numbers of the pusher's own SDP. */
	rtpParameters: RtpParameters;
}

/** What a track of another server needs of it. */
export interface SourceOwner {
	/** Brings the track to a router of this server. */
	bring(router: Router, payloadTypes: PayloadTypes): Promise<Arrived<Producer>>;
	/** Asks for a keyframe. */
	requestKeyframe(): Promise<void>;
}

/**
 * A source on another server. It comes here when somebody pulls it, to the router of the first who does, and stays as long as
 * anybody does. Other routers of this server get it from there.
 */
export class RemoteSource extends Emitter<SourceEvents> implements PushedSource {
	readonly pusherId: string;
	readonly kind: MediaKind;
	readonly rtpParameters: RtpParameters;
	readonly type: SourceType;
	readonly demand: Demand;
	readonly #owner: SourceOwner;
	readonly #arrival = new OnDemand<Producer>(() => {
		this.#followPause();
	});
	#payloadTypes: PayloadTypes | undefined;
	#paused: boolean;
	#closed = false;

	constructor(pusherId: string, state: SourceState & { paused: boolean }, owner: SourceOwner, logger: Logger) {
		super(logger);
		this.pusherId = pusherId;
		this.kind = state.kind;
		this.rtpParameters = state.rtpParameters;
		this.type = state.type;
		this.demand = new Demand(logger);
		this.#paused = state.paused;
		this.#owner = owner;
	}

	get paused(): boolean {
		return this.#paused;
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** What comes in here, if anybody pulls it. */
	get producer(): Producer | undefined {
		return this.#arrival.producer;
	}

	async land(router: Router, payloadTypes: PayloadTypes): Promise<Landing> {
		if (this.#closed) throw new SfuError('not_found', 'the pusher has gone');
		const lease = await this.#arrival.lease(router, () => {
			this.#payloadTypes = payloadTypes;
			return this.#owner.bring(router, payloadTypes);
		});
		return { ...lease, payloadTypes: this.#payloadTypes ?? payloadTypes };
	}

	/** Its statistics where it comes in. Without anybody who pulls it there are none. */
	async getStats(): Promise<RtpStreamRecvStats[]> {
		const { producer } = this;
		if (!producer || producer.closed) return [];
		// The pipe knows no restriction identifiers.
		const { encodings: arriving = [] } = producer.rtpParameters;
		const { encodings = [] } = this.rtpParameters;
		const stats = await producer.getStats();
		return stats.map((stream) => {
			const rid = encodings[arriving.findIndex(({ ssrc }) => ssrc === stream.ssrc)]?.rid;
			return { ...stream, ...(rid !== undefined && { rid }) };
		});
	}

	/** Only those of this server are noticed, and only while somebody pulls it. */
	watchKeyframeRequests(listener: () => void): () => void {
		const { producer } = this;
		if (!producer) return () => undefined;
		const unwatchers = (['pli', 'fir'] as const).map((type) => watchTrace(producer, type, listener));
		return () => {
			for (const unwatch of unwatchers) unwatch();
		};
	}

	requestKeyframe(): Promise<void> {
		return this.#owner.requestKeyframe();
	}

	/** Its pusher is paused on its own server. */
	pause(): Promise<void> {
		this.#setPaused(true);
		return Promise.resolve();
	}

	/** Its pusher is resumed on its own server. */
	resume(): Promise<void> {
		this.#setPaused(false);
		return Promise.resolve();
	}

	close(reason: string): void {
		if (this.#closed) return;
		this.#closed = true;
		this.emit('closed', { reason });
		this.#arrival.end();
	}

	#setPaused(paused: boolean): void {
		if (this.#paused === paused || this.#closed) return;
		this.#paused = paused;
		this.#followPause();
		this.emit(paused ? 'paused' : 'resumed');
	}

	#followPause(): void {
		const { producer } = this;
		if (!producer || producer.paused === this.#paused) return;
		// This fails only if it closes meanwhile, or its worker has died.
		(this.#paused ? producer.pause() : producer.resume()).catch(() => undefined);
	}
}
