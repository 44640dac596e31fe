import type { WebRtcTransport } from 'mediasoup/types';
import { randomInt, randomUUID } from 'node:crypto';
import { DataChannels } from '../data/DataChannels.js';
import { Emitter } from '../Emitter.js';
import { isOpen } from '../isOpen.js';
import { withFields, type Logger } from '../Logger.js';
import { isExhausted, callWorker, toSfuError } from '../media/callWorker.js';
import type { RoomRouter } from '../media/RoomRouter.js';
import type { Rollback } from '../Rollback.js';
import { SfuError } from '../SfuError.js';
import { QualityLevel, rate, type Quality } from '../stats/quality.js';
import {
	checkStatsOptions,
	connectionStats,
	type ConnectionStats,
	type StatsOptions,
	type StreamStats,
	type TransportStats,
	transportStats,
} from '../stats/stats.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { AnyPuller, AnyPusher } from '../tracks/tracks.js';
import { ArrivalWatch } from './ArrivalWatch.js';
import { BitrateLimits } from './BitrateLimits.js';
import type { ConnectionContext } from './ConnectionContext.js';
import type { ConnectionCloseReason, ConnectionEvents, ConnectionState } from './ConnectionEvents.js';
import { observeConnecting } from './observeConnecting.js';

/** The counterpart of one RTCPeerConnection: a transport, and the pushers and pullers on its m-lines. */
export abstract class Connection extends Emitter<ConnectionEvents> {
	/** Its id. It is unique. */
	readonly connectionId = randomUUID();
	/** The user that it belongs to. */
	readonly userId: string;
	/** Who makes the offers on it. */
	abstract readonly offeredBy: 'client' | 'server';
	protected readonly context: ConnectionContext;
	// The session ids of SDP have at most 63 bits (RFC 8829, section 5.2.1); randomInt() gives up to 48.
	protected readonly sessionId = randomInt(1, 2 ** 47);
	protected router: RoomRouter | undefined;
	protected transport: WebRtcTransport | undefined;
	protected dataChannels: DataChannels | undefined;
	protected readonly bitrates: BitrateLimits;
	protected readonly logger: Logger;
	readonly #quality = new QualityLevel();
	readonly #arrival = new ArrivalWatch();
	/** When the client last sent something, and how many bytes it had sent by then. */
	#heard = { at: 0, bytes: -1 };
	#state: ConnectionState = 'new';
	#closeReason: ConnectionCloseReason | undefined;
	#deadline: NodeJS.Timeout | undefined;
	#isAwaited = false;

	/** @internal */
	constructor(context: ConnectionContext) {
		super(context.logger);
		this.userId = context.userId;
		this.context = { ...context, observers: context.observers.of({ connectionId: this.connectionId }) };
		this.logger = withFields(context.logger, { connectionId: this.connectionId });
		const { maxIncomingBitrate: incoming, maxOutgoingBitrate: outgoing } = context.options.webRtc;
		this.bitrates = new BitrateLimits({ incoming, outgoing, permitted: context.gate.maxBitrate });
	}

	/** The worker that it is on: its index in `sfu.workers`. Undefined before it has a transport. */
	get workerIndex(): number | undefined {
		return this.router?.workerIndex;
	}

	/** The state of the transport. */
	get state(): ConnectionState {
		return this.#state;
	}

	/** Whether it has closed. */
	get closed(): boolean {
		return this.#state === 'closed';
	}

	/**
	 * The quality of its media, by the loss, delay and jitter in the last RTCP reports. Undefined before the first
	 * measurement, and without `qualityInterval`.
	 */
	get quality(): Quality | undefined {
		return this.#quality.level;
	}

	/** The most that the client may send in all, in bit/s. 0 stands for no limit. */
	get maxIncomingBitrate(): number {
		return this.bitrates.incoming;
	}

	/** The most that the client is sent in all, in bit/s. 0 stands for no limit. The client's own SDP may have lowered it. */
	get maxOutgoingBitrate(): number {
		return this.bitrates.outgoing;
	}

	/**
	 * Limits what the client sends. The client is told by RTCP (REMB). Browsers obey if they have offered transport-wide
	 * congestion control or abs-send-time.
	 *
	 * @param bitrate - in bit/s; 0 stands for no limit
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async setMaxIncomingBitrate(bitrate: number): Promise<void> {
		this.assertOpen();
		await this.bitrates.setIncoming(bitrate);
	}

	/**
	 * Limits what the client is sent, by lower layers, and by holding video without layers. Audio and data are not stopped.
	 *
	 * @param bitrate - in bit/s; 0 stands for no limit; less than 30,000 counts as 30,000
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async setMaxOutgoingBitrate(bitrate: number): Promise<void> {
		this.assertOpen();
		await this.bitrates.setOutgoing(bitrate);
	}

	/**
	 * Measures its transport, and all media on it.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async getStats(options: StatsOptions = {}): Promise<ConnectionStats> {
		const checked = checkStatsOptions(options);
		return callWorker(this, 'the connection', async () => {
			const [stats, carried] = await Promise.all([
				this.transport?.getStats(),
				// What closes meanwhile has no stats.
				Promise.allSettled(this.media().map((child) => child.getStats(checked))),
			]);
			const told = carried.flatMap((child) => (child.status === 'fulfilled' ? child.value : []));
			return connectionStats(this.connectionId, stats?.[0], told);
		});
	}

	/**
	 * Measures its transport alone. It asks the worker once, however many tracks there are.
	 *
	 * @throws {@link SfuError} (rejects) `closed`, `unavailable`
	 */
	async getTransportStats(): Promise<TransportStats> {
		return callWorker(this, 'the connection', async () => {
			const [stats] = (await this.transport?.getStats()) ?? [];
			return transportStats(this.connectionId, stats);
		});
	}

	/** @internal Asks the client to send no more than its user may. Never rejects. */
	async followPermissions(): Promise<void> {
		try {
			await this.bitrates.setPermitted(this.context.gate.maxBitrate);
		} catch (error) {
			if (!this.closed) this.logger.warn('the bitrate of a connection could not be limited', { error });
		}
	}

	/** @internal Notices which of its pushers do not arrive any more. Never rejects. */
	async watchArrival(): Promise<void> {
		const pushers = this.media().flatMap((child) => ('pullerId' in child ? [] : child));
		try {
			if (this.transport) await this.#arrival.look(this.transport, pushers);
		} catch (error) {
			// What closes meanwhile has no statistics.
			if (!this.closed) this.logger.debug('what a client sends could not be watched', { error });
		}
	}

	/** @internal Measures its quality. Never rejects. */
	async measure(): Promise<void> {
		try {
			const { bytesReceived, pushers, pullers } = await this.getStats();
			const now = performance.now();
			const flowing = (children: readonly { streams: StreamStats[] }[]) =>
				children.flatMap(({ streams }) => streams).filter(({ bitrate }) => bitrate > 0);
			// Only a client that is sent something owes an answer: its RTCP reports. Others may have nothing to send.
			const isOwed = flowing(pullers).length > 0;
			if (bytesReceived !== this.#heard.bytes || !isOwed) this.#heard = { at: now, bytes: bytesReceived };
			const streams = [...flowing(pushers), ...flowing(pullers)];
			const measured = this.#state === 'disconnected' ? 'lost' : rate({ silence: now - this.#heard.at, streams });
			if (this.#quality.add(measured)) this.emit('qualityChanged', { quality: this.#quality.level ?? measured });
		} catch (error) {
			if (!this.closed) this.logger.warn('the quality of a connection could not be measured', { error });
		}
	}

	/** Closes the transport, and all pushers and pullers on it. */
	close(reason: ConnectionCloseReason = 'closed'): void {
		if (this.closed) return;
		this.#state = 'closed';
		this.#closeReason = reason;
		clearTimeout(this.#deadline);
		const childReason = reason === 'userLeft' || reason === 'workerDied' ? reason : 'connectionClosed';
		for (const child of this.media()) child.close(childReason);
		this.dataChannels?.close(childReason);
		this.transport?.close();
		this.context.observers.connectionClosed(reason);
		this.emit('closed', { reason });
	}

	/**
	 * @internal
	 * @throws {@link SfuError} `closed`, or `unavailable` if the media worker has died
	 */
	assertOpen(): void {
		if (!this.closed) return;
		throw this.#closeReason === 'workerDied'
			? new SfuError('unavailable', 'the media worker is gone')
			: new SfuError('closed', 'the connection has been closed');
	}

	/** The tracks on it. */
	protected abstract media(): (Pusher | Puller)[];

	/**
	 * Creates the transport, unless there is one.
	 *
	 * @param rollback - closes the new transport again
	 * @param maxMessageSize - the largest message of a data channel that the client takes, in bytes
	 */
	protected async createTransport(rollback: Rollback, maxMessageSize = Infinity): Promise<WebRtcTransport> {
		const { media, options } = this.context;
		const { dataMessageBytes, dataBufferBytes } = options.limits;
		const router = await media.routerFor(this);
		const transport = await router.createTransport({
			enableUdp: true,
			enableTcp: true,
			preferUdp: true,
			iceConsentTimeout: Math.ceil(options.webRtc.consentTimeout / 1000),
			initialAvailableOutgoingBitrate: options.webRtc.initialOutgoingBitrate,
			// SCTP cannot be added later. For clients without data channels it takes 3 KB.
			enableSctp: true,
			maxSendMessageSize: Math.min(dataMessageBytes, maxMessageSize),
			maxReceiveMessageSize: dataMessageBytes,
			sctpSendBufferSize: dataBufferBytes,
			sctpPerStreamSendQueueLimit: dataBufferBytes,
			// Room for several messages at once, as in mediasoup's default.
			sctpMaxReceiverWindowBufferSize: 20 * dataMessageBytes,
		});
		rollback.add(() => {
			this.transport = undefined;
			transport.close();
		});
		this.assertOpen();
		this.router = router;
		this.transport = transport;
		this.#follow(router, transport);
		await this.bitrates.applyTo(transport);
		this.assertOpen();
		return transport;
	}

	/**
	 * Creates the data channels of the connection.
	 *
	 * @param options - `opened` is called for each data channel that the client opens in-band
	 * @param rollback - closes them again
	 */
	protected async createDataChannels(
		options: { clientIsDtlsClient: boolean; opened: (pusher: DataPusher) => void },
		transport: WebRtcTransport,
		rollback: Rollback,
	): Promise<DataChannels> {
		const router = this.assertRouter();
		const direct = await router.directDataTransport();
		const channels = new DataChannels(
			{ ...options, connectionId: this.connectionId, router, transport, direct },
			this.context,
		);
		rollback.add(() => {
			channels.close('negotiationFailed');
		});
		this.assertOpen();
		return channels;
	}

	/** Tells of new tracks and data channels, unless they have closed already. */
	protected emitAdded(added: readonly (AnyPusher | AnyPuller)[], inBand = false): void {
		const open = added.filter(isOpen);
		const pushers = open.flatMap((track) => ('pullerId' in track ? [] : track));
		const pullers = open.filter((track) => 'pullerId' in track);
		if (pushers.length > 0) this.emit('pushersAdded', { pushers });
		if (pullers.length > 0) this.emit('pullersAdded', { pullers, inBand });
	}

	/** Maps an error as {@link Connection.failure} does, and logs it if it is the library's fault or the operator's concern. */
	protected reported(error: unknown, message: string): SfuError {
		const failure = this.failure(error);
		if (failure.code === 'internal' || isExhausted(failure.cause)) this.logger.error(message, { error });
		return failure;
	}

	/** The router of the transport. */
	protected assertRouter(): RoomRouter {
		if (!this.router) throw new SfuError('internal', 'the connection has no transport');
		return this.router;
	}

	/** Limits the time in which the client must connect for the first time, or come back after an ICE restart. */
	protected awaitClient({ restarted }: { restarted: boolean }): void {
		const { connectTimeout, disconnectTimeout } = this.context.options.webRtc;
		if (!this.#isAwaited) observeConnecting(this, this.context.observers);
		this.#isAwaited = true;
		if (!this.#deadline) this.#closeUnlessConnected(connectTimeout, 'connectTimeout');
		else if (restarted) this.#closeUnlessConnected(disconnectTimeout, 'disconnected');
	}

	/** Maps an error to `closed`, or `unavailable`, if the connection closed meanwhile. */
	protected failure(error: unknown): SfuError {
		try {
			this.assertOpen();
			return toSfuError(error);
		} catch (closed) {
			return toSfuError(closed);
		}
	}

	#follow(router: RoomRouter, transport: WebRtcTransport): void {
		transport.on('routerclose', () => {
			this.close(router.closeReason);
		});
		transport.on('dtlsstatechange', (state) => {
			if (state === 'connected') this.#setState('connected');
			if ((state === 'failed' || state === 'closed') && this.transport === transport) this.close('dtlsClosed');
		});
		transport.on('icestatechange', (state) => {
			if (state === 'disconnected') this.#setState('disconnected');
			else if (this.#state === 'disconnected' && transport.dtlsState === 'connected') this.#setState('connected');
		});
	}

	#setState(state: 'connected' | 'disconnected'): void {
		if (this.closed || this.#state === state) return;
		this.#state = state;
		if (state === 'connected') clearTimeout(this.#deadline);
		else this.#closeUnlessConnected(this.context.options.webRtc.disconnectTimeout, 'disconnected');
		this.emit('stateChanged', { state });
	}

	#closeUnlessConnected(delay: number, reason: ConnectionCloseReason): void {
		if (this.#state === 'connected') return;
		clearTimeout(this.#deadline);
		this.#deadline = setTimeout(() => {
			this.close(reason);
		}, delay);
	}
}
