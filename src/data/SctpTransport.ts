import type { DataConsumer, WebRtcTransport } from 'mediasoup/types';
import { SfuError } from '../SfuError.js';
import type { Logger } from '../Logger.js';
import type { ResolvedOptions } from '../options.js';
import type { Quota } from '../Quota.js';
import { toSfuError } from '../media/callWorker.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { DataStream } from './DataStream.js';

// How often the worker is asked which channels the clients have closed, in ms: it does not tell by itself.
const pollInterval = 1000;

/** The parts of a room and a user that data channels need. */
export interface DataContext {
	readonly userId: string;
	readonly dataPusherQuota: Quota;
	readonly pullerQuota: Quota;
	readonly options: ResolvedOptions;
	readonly logger: Logger;
}

/** A data channel, and what sends on it, which the worker drops when the client closes its end. */
interface Sent {
	channel: DataPusher | DataPuller;
	consumer: DataConsumer;
}

/** What both directions of a connection's data channels share: an association of SCTP, and the ids of its streams. */
export class SctpTransport {
	readonly connectionId: string;
	readonly transport: WebRtcTransport;
	readonly context: DataContext;
	/**
	 * The first id of the client's half: even ones are the DTLS client's (RFC 8832, section 6). But aiortc and werift go by
	 * the role of ICE; so the first channel that a client opens decides.
	 */
	firstId: number;
	/** What the client sends on, or may, by id. */
	readonly streams = new Map<number, DataStream>();
	/** The data channels on those. */
	readonly pushers = new Map<number, DataPusher>();
	/** The data channels that are sent to the client, by id. */
	readonly pullers = new Map<number, DataPuller>();
	readonly #polled: () => void;
	readonly #timers = new Set<NodeJS.Timeout>();
	#poll: NodeJS.Timeout | undefined;
	#polling = false;
	#changes: Promise<unknown> = Promise.resolve();
	#closed = false;

	/** @param of - `polled`: told each time before the worker is asked which channels there are */
	constructor(
		of: { connectionId: string; transport: WebRtcTransport; clientIsDtlsClient: boolean; polled: () => void },
		context: DataContext,
	) {
		this.connectionId = of.connectionId;
		this.transport = of.transport;
		this.firstId = of.clientIsDtlsClient ? 0 : 1;
		this.#polled = of.polled;
		this.context = context;
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** Stops what it does by itself. What is on it is not closed by this. */
	close(): void {
		this.#closed = true;
		clearInterval(this.#poll);
		for (const timer of this.#timers) clearTimeout(timer);
	}

	/** @throws {@link SfuError} `closed` */
	assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the data channels have been closed');
	}

	/** Closes, from now on, the channels that the client has closed. */
	watch(): void {
		if (this.#closed) return;
		this.#poll ??= setInterval(() => {
			this.#polled();
			// A worker that is slow to answer is not asked more and more.
			if (this.#polling) return;
			this.#polling = true;
			void this.attempt('data channels are not watched', () => this.#closeWhatHasGone()).then(() => {
				this.#polling = false;
			});
		}, pollInterval);
	}

	/** Does one change of the streams after the other. */
	inOrder<Result>(change: () => Promise<Result>): Promise<Result> {
		const result = this.#changes.then(change);
		this.#changes = result.catch(() => undefined);
		return result;
	}

	/** Does what nobody waits for. */
	async attempt(failure: string, act: () => Promise<unknown>): Promise<void> {
		try {
			await act();
		} catch (error) {
			// What closes takes with it what is under way.
			if (!this.#closed && toSfuError(error).code === 'internal') this.context.logger.warn(failure, error);
		}
	}

	/** The same, after so many ms. */
	later(delay: number, failure: string, act: () => Promise<unknown>): void {
		if (this.#closed) return;
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			void this.attempt(failure, act);
		}, delay);
		this.#timers.add(timer);
	}

	async #closeWhatHasGone(): Promise<void> {
		const pullers = [...this.pullers.values()].map((channel): Sent => ({ channel, consumer: channel.consumer }));
		const pushers = [...this.pushers].flatMap(([id, channel]): Sent[] => {
			const consumer = this.streams.get(id)?.openBack;
			return consumer ? [{ channel, consumer }] : [];
		});
		const sent = [...pullers, ...pushers];
		if (sent.length === 0) return;
		const { dataConsumerIds } = await this.transport.dump();
		const held = new Set(dataConsumerIds);
		for (const { channel, consumer } of sent) if (!held.has(consumer.id)) channel.close('channelClosed');
	}
}
