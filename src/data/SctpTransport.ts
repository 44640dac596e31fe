import type { WebRtcTransport } from 'mediasoup/types';
import type { Logger } from '../Logger.js';
import { toSfuError } from '../media/callWorker.js';
import type { RoomRouter } from '../media/RoomRouter.js';
import type { Limits } from '../options.js';
import type { PullerQuota, Quota } from '../Quota.js';
import { SfuError } from '../SfuError.js';
import type { MediaGate } from '../tracks/MediaGate.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { PullerCloseReason } from '../tracks/Puller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { PusherCloseReason } from '../tracks/PusherEndpoint.js';
import type { DataStream } from './DataStream.js';

// The worker does not tell when a client has closed a data channel. So it is asked at this interval, in ms.
const pollInterval = 1000;

/** The parts of a room and its user that the user's data channels need. */
export interface DataContext {
	readonly userId: string;
	readonly gate: MediaGate;
	readonly dataPusherQuota: Quota;
	readonly pullerQuota: PullerQuota;
	readonly options: { readonly limits: Limits };
	readonly logger: Logger;
}

export interface SctpTransportOptions {
	connectionId: string;
	/** The router of the transport. */
	router: RoomRouter;
	transport: WebRtcTransport;
	/** Whether the client has the role of the DTLS client, which decides on the ids that it chooses. */
	clientIsDtlsClient: boolean;
}

/** The SCTP association of a connection: the streams in both directions, and the channels on them by their ids. */
export class SctpTransport {
	readonly connectionId: string;
	readonly router: RoomRouter;
	readonly transport: WebRtcTransport;
	readonly context: DataContext;
	/**
	 * The smallest id that the client may choose: the DTLS client chooses even ids, the DTLS server odd ones (RFC 8832,
	 * section 6). aiortc and werift go by the role of ICE instead. So the first channel that a client opens corrects this.
	 */
	firstClientId: number;
	/** The streams on which the client sends or may send. */
	readonly streams = new Map<number, DataStream>();
	/** The data channels that the client receives. */
	readonly pullers = new Map<number, DataPuller>();
	/** Called each time before the worker is asked which channels there are. */
	beforePoll: (() => void) | undefined;
	#poll: NodeJS.Timeout | undefined;
	#polling = false;
	#changes: Promise<unknown> = Promise.resolve();
	#closed = false;

	constructor(options: SctpTransportOptions, context: DataContext) {
		this.connectionId = options.connectionId;
		this.router = options.router;
		this.transport = options.transport;
		this.firstClientId = options.clientIsDtlsClient ? 0 : 1;
		this.context = context;
		// An association that has failed or closed cannot be opened again.
		options.transport.on('sctpstatechange', (state) => {
			if (state === 'failed' || state === 'closed') this.close('connectionClosed');
		});
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** The data channels that the client sends on. */
	get pushers(): DataPusher[] {
		return [...this.streams.values()].flatMap(({ pusher }) => pusher ?? []);
	}

	/** Closes all channels and streams. */
	close(reason: PusherCloseReason & PullerCloseReason): void {
		if (this.#closed) return;
		this.#closed = true;
		clearInterval(this.#poll);
		for (const channel of [...this.pullers.values(), ...this.pushers]) channel.close(reason);
		for (const stream of this.streams.values()) void stream.close();
	}

	/** @throws {@link SfuError} `closed` */
	assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the data channels have been closed');
	}

	/** Begins to close the channels that the client has closed. */
	watch(): void {
		if (this.#closed) return;
		this.#poll ??= setInterval(() => {
			this.beforePoll?.();
			// A worker that answers slowly must not get more and more requests.
			if (this.#polling) return;
			this.#polling = true;
			void this.attempt('data channels are not watched', () => this.#closeWhatClientClosed()).then(() => {
				this.#polling = false;
			});
		}, pollInterval);
	}

	/** Makes one change of the streams after the other. */
	inOrder<Result>(change: () => Promise<Result>): Promise<Result> {
		const result = this.#changes.then(change);
		this.#changes = result.catch(() => undefined);
		return result;
	}

	/** Does something that nobody waits for. If it fails for an internal reason, `failure` is logged. */
	async attempt(failure: string, act: () => Promise<unknown>): Promise<void> {
		const { userId, logger } = this.context;
		try {
			await act();
		} catch (error) {
			if (this.#closed || toSfuError(error).code !== 'internal') return;
			logger.warn(failure, { userId, connectionId: this.connectionId, error });
		}
	}

	async #closeWhatClientClosed(): Promise<void> {
		const consumerIds = new Map<DataPusher | DataPuller, string>();
		for (const puller of this.pullers.values()) consumerIds.set(puller, puller.consumer.id);
		for (const { pusher, replyConsumerId } of this.streams.values()) {
			if (pusher && replyConsumerId !== undefined) consumerIds.set(pusher, replyConsumerId);
		}
		if (consumerIds.size === 0) return;
		const { dataConsumerIds } = await this.transport.dump();
		const held = new Set(dataConsumerIds);
		for (const [channel, id] of consumerIds) if (!held.has(id)) channel.close('channelClosed');
	}
}
