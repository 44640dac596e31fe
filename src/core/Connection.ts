import type { WebRtcTransport } from 'mediasoup/types';
import { randomInt, randomUUID } from 'node:crypto';
import { Emitter } from '../Emitter.js';
import type { Offer } from '../sdp/Offer.js';
import { writeAnswer, type AnsweredMedia } from '../sdp/writeAnswer.js';
import { SfuError } from '../SfuError.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { toSfuError } from './mediaErrors.js';
import type { Puller } from './Puller.js';
import { createPuller, planPulls } from './pullNegotiation.js';
import type { Pusher } from './Pusher.js';
import { createPusher, planPushes } from './pushNegotiation.js';

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
	/** Its first offer could not be answered. */
	| 'negotiationFailed'
	/** Its media worker died. */
	| 'workerDied'
	| (string & {});

/** How far the transport has come. */
export type ConnectionState = 'new' | 'connected' | 'disconnected' | 'closed';

export type ConnectionEvents = {
	/** The state has changed, to anything but `closed`. */
	stateChanged: (event: { state: Exclude<ConnectionState, 'closed'> }) => void;
	/** Emitted once, last. */
	closed: (event: { reason: ConnectionCloseReason }) => void;
};

/** The counterpart of one RTCPeerConnection: a transport, and what its m-lines carry. */
export class Connection extends Emitter<ConnectionEvents> {
	/** Unique, and made by us. */
	readonly connectionId = randomUUID();
	readonly userId: string;
	readonly #context: ConnectionContext;
	readonly #media = new Set<Pusher | Puller>();
	// The worker's sessions have an id of at most 63 bits (RFC 8829, section 5.2.1); randomInt() gives up to 48.
	readonly #sessionId = randomInt(1, 2 ** 47);
	#transport: WebRtcTransport | undefined;
	#negotiated = false;
	#negotiations: Promise<unknown> = Promise.resolve();
	#state: ConnectionState = 'new';
	#closeReason: ConnectionCloseReason | undefined;
	#deadline: NodeJS.Timeout | undefined;

	/** @internal */
	constructor(context: ConnectionContext) {
		super(context.logger);
		this.userId = context.userId;
		this.#context = context;
	}

	get state(): ConnectionState {
		return this.#state;
	}

	get closed(): boolean {
		return this.#state === 'closed';
	}

	/** Closes the transport and all that goes through it. */
	close(reason: ConnectionCloseReason = 'closed'): void {
		if (this.closed) return;
		this.#state = 'closed';
		this.#closeReason = reason;
		clearTimeout(this.#deadline);
		const childReason = reason === 'userLeft' || reason === 'workerDied' ? reason : 'connectionClosed';
		for (const child of this.#media) child.close(childReason);
		this.#transport?.close();
		this.emit('closed', { reason });
	}

	/** @internal Receives what the offer sends. */
	push(offer: Offer): Promise<{ answer: string; pushers: Pusher[] }> {
		return this.#negotiate(async () => {
			const planned = planPushes(offer, this.#context.codecs);
			const transport = await this.#connect(offer);
			const answered = inactive(offer);
			const extensionIds = new Map<string, number>();
			const pushers: Pusher[] = [];
			for (const plan of planned) {
				const { pusher, parameters } = await createPusher(
					plan,
					transport,
					this.connectionId,
					extensionIds,
					this.#context,
				);
				this.#adopt(pusher);
				pushers.push(pusher);
				answered[plan.media.index] = { direction: 'recvonly', parameters };
			}
			return { answer: this.#answer(transport, offer, answered), pushers };
		});
	}

	/** @internal Sends `targets` on the m-lines of the offer that receive. */
	pull(offer: Offer, targets: readonly Pusher[]): Promise<{ answer: string; pullers: Puller[] }> {
		return this.#negotiate(async () => {
			const planned = planPulls(offer, targets);
			const transport = await this.#connect(offer);
			const answered = inactive(offer);
			const pullers: Puller[] = [];
			for (const plan of planned) {
				const puller = await createPuller(plan, transport, this.connectionId, this.#context);
				if (!puller) continue;
				this.#adopt(puller);
				pullers.push(puller);
				answered[plan.media.index] = {
					direction: 'sendonly',
					parameters: puller.rtpParameters,
					streamId: plan.pusher.streamId,
					trackId: plan.pusher.pusherId,
				};
			}
			if (pullers.length === 0) throw new SfuError('not_found', 'the pushers have gone');
			await Promise.all(pullers.filter(({ closed }) => !closed).map((puller) => puller.start()));
			return { answer: this.#answer(transport, offer, answered), pullers };
		});
	}

	/** Handles the offers of one RTCPeerConnection one after the other. */
	#negotiate<Result>(negotiate: () => Promise<Result>): Promise<Result> {
		const negotiation = this.#negotiations.then(async () => {
			this.#assertOpen();
			if (this.#negotiated) {
				throw new SfuError('conflict', 'another offer must come from a new RTCPeerConnection');
			}
			try {
				const result = await negotiate();
				this.#assertOpen();
				this.#negotiated = true;
				this.#closeUnlessConnected(this.#context.options.webRtc.connectTimeout, 'connectTimeout');
				return result;
			} catch (error) {
				const failure = this.#failure(error);
				this.close('negotiationFailed');
				if (failure.code === 'internal') this.#context.logger.error('an offer could not be answered', error);
				throw failure;
			}
		});
		this.#negotiations = negotiation.catch(() => undefined);
		return negotiation;
	}

	/** What was under way when the connection was closed failed because of that, whatever it says. */
	#failure(error: unknown): SfuError {
		try {
			this.#assertOpen();
			return toSfuError(error);
		} catch (closed) {
			return toSfuError(closed);
		}
	}

	async #connect(offer: Offer): Promise<WebRtcTransport> {
		const { fabric, options } = this.#context;
		const transport = await fabric.createTransport({
			enableUdp: true,
			enableTcp: true,
			preferUdp: true,
			iceConsentTimeout: Math.ceil(options.webRtc.consentTimeout / 1000),
			initialAvailableOutgoingBitrate: options.webRtc.initialOutgoingBitrate,
		});
		if (this.closed) transport.close();
		this.#assertOpen();
		this.#transport = transport;
		this.#follow(transport);
		await transport.connect({ dtlsParameters: offer.dtls });
		this.#assertOpen();
		return transport;
	}

	#follow(transport: WebRtcTransport): void {
		transport.on('routerclose', () => {
			this.close('workerDied');
		});
		transport.on('dtlsstatechange', (state) => {
			if (state === 'connected') this.#setState('connected');
			if (state === 'failed' || state === 'closed') this.close('dtlsClosed');
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
		else this.#closeUnlessConnected(this.#context.options.webRtc.disconnectTimeout, 'disconnected');
		this.emit('stateChanged', { state });
	}

	#closeUnlessConnected(delay: number, reason: ConnectionCloseReason): void {
		clearTimeout(this.#deadline);
		if (this.#state === 'connected') return;
		this.#deadline = setTimeout(() => {
			this.close(reason);
		}, delay);
	}

	#adopt(child: Pusher | Puller): void {
		this.#media.add(child);
		child.once('closed', () => this.#media.delete(child));
	}

	#answer(transport: WebRtcTransport, offer: Offer, media: readonly AnsweredMedia[]): string {
		return writeAnswer({ offer, media, transport, sessionId: this.#sessionId, sessionVersion: 1 });
	}

	#assertOpen(): void {
		if (!this.closed) return;
		throw this.#closeReason === 'workerDied'
			? new SfuError('unavailable', 'the media worker is gone')
			: new SfuError('closed', 'the connection has been closed');
	}
}

const inactive = ({ media }: Offer): AnsweredMedia[] => media.map(() => ({ direction: 'inactive' }));
