import type { Producer, Router, RtpParameters, RtpStreamRecvStats } from 'mediasoup/types';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import { Demand } from './Demand.js';
import type { KeyframeRequester } from './KeyframeRequester.js';
import type { PayloadTypes } from './remap/payloadTypes.js';
import { codecCapabilities } from '../sdp/rtpParameters.js';
import type { Landing, PushedSource, Source, SourceEvents } from './Source.js';
import { watchTrace } from './watchTrace.js';

/** A source that is received on a router of this process. Its pusher owns it. */
export class LocalSource extends Emitter<SourceEvents> implements PushedSource {
	/** Receives the track. Only its pusher and the router use it. */
	readonly producer: Producer;
	readonly rtpParameters: RtpParameters;
	/** The payload types that consumers of the producer send. */
	readonly payloadTypes: PayloadTypes;
	/** Receives it. */
	readonly router: Router;
	readonly demand: Demand;
	readonly #keyframes: KeyframeRequester;

	/** @param options - `rtpParameters`: those that it was produced with */
	constructor(options: {
		producer: Producer;
		rtpParameters: RtpParameters;
		payloadTypes: PayloadTypes;
		router: Router;
		keyframes: KeyframeRequester;
		logger: Logger;
	}) {
		super(options.logger);
		this.producer = options.producer;
		// The producer would clone its own.
		this.rtpParameters = options.rtpParameters;
		this.payloadTypes = options.payloadTypes;
		this.router = options.router;
		this.demand = new Demand(options.logger);
		this.#keyframes = options.keyframes;
	}

	get pusherId(): string {
		return this.producer.id;
	}

	get kind(): Producer['kind'] {
		return this.producer.kind;
	}

	get type(): Source['type'] {
		return this.producer.type;
	}

	get paused(): boolean {
		return this.producer.paused;
	}

	get closed(): boolean {
		return this.producer.closed;
	}

	land(): Promise<Landing> {
		const { producer, router, payloadTypes } = this;
		return Promise.resolve({ producer, router, payloadTypes, release: () => undefined });
	}

	/** Stops receiving the track, and tells those who pull it. The pusher calls this once. */
	close(reason: string): void {
		this.producer.close();
		this.emit('closed', { reason });
	}

	async pause(): Promise<void> {
		await this.producer.pause();
		this.emit('paused');
	}

	async resume(): Promise<void> {
		await this.producer.resume();
		this.emit('resumed');
	}

	getStats(): Promise<RtpStreamRecvStats[]> {
		return this.producer.getStats();
	}

	watchKeyframeRequests(listener: () => void): () => void {
		const unwatchers = (['pli', 'fir'] as const).map((type) => watchTrace(this.producer, type, listener));
		return () => {
			for (const unwatch of unwatchers) unwatch();
		};
	}

	/** Asks the pusher's client for a keyframe of each of its streams. */
	requestKeyframe(): Promise<void> {
		return this.#keyframes.request(this.producer, codecCapabilities(this));
	}
}
