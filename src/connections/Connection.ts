import type { WebRtcTransport } from 'mediasoup/types';
import { randomInt, randomUUID } from 'node:crypto';
import { Emitter } from '../Emitter.js';
import { SfuError } from '../SfuError.js';
import { BitrateLimits } from './BitrateLimits.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { callWorker, toSfuError } from '../media/callWorker.js';
import type { Puller, PullerCloseReason } from '../tracks/Puller.js';
import type { Pusher, PusherCloseReason } from '../tracks/Pusher.js';
import { QualityLevel, rate, type Quality } from '../stats/quality.js';
import { checkStatsOptions, connectionStats, type ConnectionStats, type StatsOptions } from '../stats/stats.js';
import type { Rollback } from '../Rollback.js';

/** Why a connection has closed. */
export type ConnectionCloseReason =
	/** {@link Connection.close} without a reason. */
	| 'closed'
	/** Its user has left. */
	| 'userLeft'
	/** The client closed its RTCPeerConnection, or the DTLS handshake failed. */
	| 'dtlsClosed'
	/** The DTLS handshake was not finished in time. */
	| 'connectTimeout'
	/** The client was silent for too long. */
	| 'disconnected'
	/** Its first offer could not be answered, or made. */
	| 'negotiationFailed'
	/** The client refused an offer of ours, or answered with what cannot be applied. */
	| 'offerFailed'
	/** The client did not answer an offer in time. */
	| 'answerTimeout'
	/** Its media worker died. */
	| 'workerDied'
	| (string & {});

/** How far the transport has come. */
export type ConnectionState = 'new' | 'connected' | 'disconnected' | 'closed';

export type ConnectionEvents = {
	/** The state has changed, to anything but `closed`. */
	stateChanged: (event: { state: Exclude<ConnectionState, 'closed'> }) => void;
	/** Its quality has changed, or is known for the first time. */
	qualityChanged: (event: { quality: Quality }) => void;
	/** Emitted once, last. */
	closed: (event: { reason: ConnectionCloseReason }) => void;
};

/** The counterpart of one RTCPeerConnection: a transport, and what its m-lines carry. */
export abstract class Connection extends Emitter<ConnectionEvents> {
	/** Unique, and made by us. */
	readonly connectionId = randomUUID();
	readonly userId: string;
	/** Who makes the offers: the client, or the server. */
	abstract readonly offeredBy: 'client' | 'server';
	protected readonly context: ConnectionContext;
	// The session ids of SDP have at most 63 bits (RFC 8829, section 5.2.1); randomInt() gives up to 48.
	protected readonly sessionId = randomInt(1, 2 ** 47);
	protected transport: WebRtcTransport | undefined;
	protected readonly bitrates: BitrateLimits;
	readonly #quality = new QualityLevel();
	/** When the client was last heard of, and how many bytes had come by then. */
	#heard = { at: 0, bytes: -1 };
	#state: ConnectionState = 'new';
	#closeReason: ConnectionCloseReason | undefined;
	#deadline: NodeJS.Timeout | undefined;

	/** @internal */
	constructor(context: ConnectionContext) {
		super(context.logger);
		this.userId = context.userId;
		this.context = context;
		const { maxIncomingBitrate: incoming, maxOutgoingBitrate: outgoing } = context.options.webRtc;
		this.bitrates = new BitrateLimits({ incoming, outgoing });
	}

	get state(): ConnectionState {
		return this.#state;
	}

	get closed(): boolean {
		return this.#state === 'closed';
	}

	/**
	 * How well it carries what it carries, by the losses, the delay and the jitter of the last reports of RTCP; `undefined`
	 * before that has been measured, and without `qualityInterval`.
	 */
	get quality(): Quality | undefined {
		return this.#quality.level;
	}

	/** What the client may send in all, in bit/s; 0 for any amount. */
	get maxIncomingBitrate(): number {
		return this.bitrates.incoming;
	}

	/** What the client is sent in all, in bit/s; 0 for as much as it can take. Its own SDP may have bounded it further. */
	get maxOutgoingBitrate(): number {
		return this.bitrates.outgoing;
	}

	/**
	 * Bounds what the client sends, which it is told by RTCP (REMB): browsers obey when they have offered transport-wide
	 * congestion control or abs-send-time.
	 *
	 * @param bitrate - in bit/s, 0 for any amount
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async setMaxIncomingBitrate(bitrate: number): Promise<void> {
		this.assertOpen();
		await this.bitrates.setIncoming(bitrate);
	}

	/**
	 * Bounds the estimate of what the client can take, by which layers are chosen.
	 *
	 * @param bitrate - in bit/s, 0 for no bound; less than 30,000 counts as that
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async setMaxOutgoingBitrate(bitrate: number): Promise<void> {
		this.assertOpen();
		await this.bitrates.setOutgoing(bitrate);
	}

	/**
	 * How its transport does at the moment, and all media that goes through it.
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

	/** @internal Measures its quality. Never rejects. */
	async measure(): Promise<void> {
		try {
			const { bytesReceived, pushers, pullers } = await this.getStats();
			const now = performance.now();
			if (bytesReceived !== this.#heard.bytes) this.#heard = { at: now, bytes: bytesReceived };
			const streams = [...pushers, ...pullers].flatMap((child) => child.streams).filter(({ bitrate }) => bitrate > 0);
			const measured = this.#state === 'disconnected' ? 'lost' : rate({ silence: now - this.#heard.at, streams });
			if (this.#quality.add(measured)) this.emit('qualityChanged', { quality: this.#quality.level ?? measured });
		} catch (error) {
			if (!this.closed) this.context.logger.warn('the quality of a connection could not be measured', error);
		}
	}

	/** Closes the transport and all that goes through it. */
	close(reason: ConnectionCloseReason = 'closed'): void {
		if (this.closed) return;
		this.#state = 'closed';
		this.#closeReason = reason;
		clearTimeout(this.#deadline);
		const childReason = reason === 'userLeft' || reason === 'workerDied' ? reason : 'connectionClosed';
		for (const child of this.carried()) child.close(childReason);
		this.transport?.close();
		this.emit('closed', { reason });
	}

	/**
	 * @internal
	 * @throws {@link SfuError} `closed`, or `unavailable` when the media worker has died
	 */
	assertOpen(): void {
		if (!this.closed) return;
		throw this.#closeReason === 'workerDied'
			? new SfuError('unavailable', 'the media worker is gone')
			: new SfuError('closed', 'the connection has been closed');
	}

	/** The media that goes through it. */
	protected abstract media(): (Pusher | Puller)[];

	/** All that goes through it. */
	protected carried(): { close(reason: PusherCloseReason & PullerCloseReason): void }[] {
		return this.media();
	}

	/**
	 * Makes the transport, which `undo` takes back.
	 *
	 * @param maxMessageSize - of the messages of data channels that the client takes, in bytes
	 */
	protected async createTransport(undo: Rollback, maxMessageSize = Infinity): Promise<WebRtcTransport> {
		const { fabric, options } = this.context;
		const { dataMessageBytes, dataBufferBytes } = options.limits;
		const transport = await fabric.createTransport({
			enableUdp: true,
			enableTcp: true,
			preferUdp: true,
			iceConsentTimeout: Math.ceil(options.webRtc.consentTimeout / 1000),
			initialAvailableOutgoingBitrate: options.webRtc.initialOutgoingBitrate,
			// Also for clients that have no data channel yet, as it cannot be had later; it takes 3 KB.
			enableSctp: true,
			maxSendMessageSize: Math.min(dataMessageBytes, maxMessageSize),
			maxReceiveMessageSize: dataMessageBytes,
			sctpSendBufferSize: dataBufferBytes,
			sctpPerStreamSendQueueLimit: dataBufferBytes,
			// Several messages at once, as mediasoup has it by default.
			sctpMaxReceiverWindowBufferSize: 20 * dataMessageBytes,
		});
		undo.add(() => {
			this.transport = undefined;
			transport.close();
		});
		this.assertOpen();
		this.transport = transport;
		this.#follow(transport);
		await this.bitrates.bound(transport);
		this.assertOpen();
		return transport;
	}

	/** Gives the client a bounded time to connect for the first time, or to come back after an ICE restart. */
	protected awaitClient({ restarted }: { restarted: boolean }): void {
		const { connectTimeout, disconnectTimeout } = this.context.options.webRtc;
		if (!this.#deadline) this.#closeUnlessConnected(connectTimeout, 'connectTimeout');
		else if (restarted) this.#closeUnlessConnected(disconnectTimeout, 'disconnected');
	}

	/** What was under way when the connection was closed failed because of that, whatever it says. */
	protected failure(error: unknown): SfuError {
		try {
			this.assertOpen();
			return toSfuError(error);
		} catch (closed) {
			return toSfuError(closed);
		}
	}

	#follow(transport: WebRtcTransport): void {
		transport.on('routerclose', () => {
			this.close('workerDied');
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
