import type { WebRtcTransport } from 'mediasoup/types';
import type { DataChannels } from '../data/DataChannels.js';
import { isOpen } from '../isOpen.js';
import { Rollback } from '../Rollback.js';
import { parseAnswer, type ParsedAnswer } from '../sdp/parseAnswer.js';
import { SfuError } from '../SfuError.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { Puller } from '../tracks/Puller.js';
import type { PullTargets } from '../tracks/PullOptions.js';
import { dataPullers, type AnyPusher } from '../tracks/tracks.js';
import { wantedBitrate } from './BitrateLimits.js';
import { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import {
	expectedInAnswer,
	firstSection,
	isAccepted,
	receives,
	rejectedSection,
	videoLimits,
	type OfferingSection,
} from './MediaSection.js';
import { OfferDraft } from './OfferDraft.js';
import { OfferedPullerFactory } from './OfferedPullerFactory.js';
import { PendingOffer } from './PendingOffer.js';
import { PullRequests, type Caller, type PullRequest } from './PullRequests.js';
import type { ServerOffer } from './ServerOffer.js';

/**
 * The counterpart of an RTCPeerConnection for which the server offers. It carries all that a user pulls so, from any users.
 *
 * ```
 *          something to offer             made               answer()
 * stable ────────────────────▶ making ──────────▶ offered ─────────────▶ applying
 *   ▲                            │                   │                      │
 *   └── nothing to offer, failed ┘◀──── refuse() ────┘◀──────── done ───────┘
 * ```
 *
 * Meanwhile further requests wait.
 */
export class OfferingConnection extends Connection {
	readonly offeredBy = 'server';
	readonly #offered: (offer: ServerOffer) => void;
	#negotiationState: 'stable' | 'making' | 'offered' | 'applying' = 'stable';
	#sessionVersion = 0;
	/** The m-lines as of the last answer. */
	#sections: readonly OfferingSection[] = [];
	readonly #pullerFactory: OfferedPullerFactory;
	readonly #requests = new PullRequests();
	/** Whether the next offer restarts ICE. */
	#restart = false;
	/** Whether ICE has restarted, and the client has not answered yet. */
	#restarting = false;
	#pending: PendingOffer | undefined;
	/** What came with an offer that was not answered. A client that answers again gets it. */
	#missed: AnyPusher[] = [];
	#follows = false;
	#fingerprint: string | undefined;

	/**
	 * @internal
	 * @param offered - called with each offer that no call waits for
	 */
	constructor(context: ConnectionContext, offered: (offer: ServerOffer) => void) {
		super(context);
		this.#offered = offered;
		this.#pullerFactory = new OfferedPullerFactory(this, context, this.bitrates);
		this.once('closed', () => {
			this.#settle();
			this.#requests.reject(this.failure(undefined));
		});
	}

	/** @internal The offer that waits for its answer. */
	get pendingOffer(): ServerOffer | undefined {
		return this.#pending?.offer;
	}

	/** @internal Whether it pulls what others push from now on. Then it stays when there is nothing to offer. */
	get follows(): boolean {
		return this.#follows;
	}

	/** @internal Sends the targets, too. Resolves with the offer that tells the client. */
	pull(targets: PullTargets): Promise<ServerOffer> {
		return new Promise((resolve, reject) => {
			this.assertOpen();
			this.#requests.add({ ...targets, caller: { resolve, reject } });
			this.#negotiateIfNeeded();
		});
	}

	/** @internal Sends these pushers, too, with the next offer, and waits for more. */
	follow(pushers: readonly AnyPusher[]): void {
		if (this.closed) return;
		this.#follows = true;
		this.#requests.follow(pushers);
		this.#negotiateIfNeeded();
	}

	/**
	 * @internal Restarts ICE with the next offer.
	 * @throws {@link SfuError} `closed`, `unavailable`, `conflict` if there has been no offer yet
	 */
	restartIce(): void {
		this.assertOpen();
		if (!this.transport) throw new SfuError('conflict', 'there has been no offer yet');
		this.#restart = true;
		this.#negotiateIfNeeded();
	}

	protected override media(): Puller[] {
		const all = [...this.#sections, ...(this.#pending?.sections ?? [])].flatMap(({ puller }) => puller ?? []);
		return [...new Set(all)];
	}

	#negotiateIfNeeded(): void {
		const isNeeded = this.#restart || !this.#requests.isEmpty || this.#sections.some(({ puller }) => puller?.closed);
		if (this.#negotiationState !== 'stable' || this.closed || !isNeeded) return;
		this.#negotiationState = 'making';
		const making = this.context.observers.run('offer', {}, () => this.#makeOffer()).catch(() => false);
		void making.then((isMade) => {
			if (!isMade) this.#becomeStable();
		});
	}

	#becomeStable(): void {
		this.#negotiationState = 'stable';
		this.#negotiateIfNeeded();
	}

	/** @returns whether an offer was made; rejects after everybody who waits for it has been told */
	async #makeOffer(): Promise<boolean> {
		// One offer tells of all that closes at the same time.
		await Promise.resolve();
		const requests = this.#requests.take();
		const rollback = new Rollback();
		const sections = this.#sections.length > 0 ? this.#sections : [firstSection];
		const draft = new OfferDraft(sections, this.context.options.limits.mediaSections);
		const callers: Caller[] = [];
		try {
			const transport = this.transport ?? (await this.createTransport(rollback));
			const hasDataChannel = (pusherId: string) => this.dataChannels?.carries(pusherId) ?? false;
			const openDataChannels = () => this.#openDataChannels(transport, rollback);
			const carried = { router: this.assertRouter(), hasDataChannel, openDataChannels };
			for (const request of requests) {
				try {
					await draft.attempt(() => this.#pullerFactory.add(request, draft, transport, carried));
					if (request.caller) callers.push(request.caller);
				} catch (error) {
					const failure = this.#reportedFailure(error);
					request.caller?.reject(failure);
				}
			}
			this.assertOpen();
			if (this.#sections.length === 0 && draft.added.length === 0) {
				rollback.run();
				this.#closeUnused();
				return false;
			}
			if (!this.#restart && !draft.changed && callers.length === 0) {
				this.#startInBand(dataPullers(draft.added));
				return false;
			}
			if (this.#restart) await transport.restartIce();
			this.assertOpen();
			this.#restarting ||= this.#restart;
			this.#restart = false;
			const offer = this.#writeOffer(transport, draft, requests);
			for (const puller of offer.added) {
				// A data channel leaves no m-line behind.
				if (puller.kind === 'data') continue;
				puller.once('closed', () => {
					this.#negotiateIfNeeded();
				});
			}
			this.emitAdded(offer.added);
			if (callers.length === 0) this.#offered(offer);
			for (const caller of callers) caller.resolve(offer);
			return true;
		} catch (error) {
			rollback.run();
			for (const puller of draft.added) puller.close('negotiationFailed');
			const failure = this.#reportedFailure(error);
			for (const { caller } of requests) caller?.reject(failure);
			if (this.#sections.length > 0) this.close('offerFailed');
			else this.#closeUnused();
			throw failure;
		}
	}

	async #openDataChannels(transport: WebRtcTransport, rollback: Rollback): Promise<DataChannels> {
		if (this.dataChannels) return this.dataChannels;
		// The answerer takes the role of the DTLS client (RFC 8842, section 5.3). The client opens no data channels here.
		const role = { clientIsDtlsClient: true, opened: () => undefined };
		const channels = await this.createDataChannels(role, transport, rollback);
		rollback.add(() => {
			this.dataChannels = undefined;
		});
		this.dataChannels = channels;
		return channels;
	}

	#closeUnused(): void {
		this.#restart = false;
		if (!this.#follows && this.#requests.isEmpty) this.close('negotiationFailed');
	}

	/** Logs errors that perhaps nobody waits for. */
	#reportedFailure(error: unknown): SfuError {
		const failure = this.reported(error, 'an offer could not be made');
		if (failure.code === 'limit_exceeded') {
			this.logger.warn('not everything is offered', { reason: failure.message });
		}
		return failure;
	}

	/** Starts data channels that no offer tells of. The client learns of them in-band. */
	#startInBand(pullers: readonly DataPuller[]): void {
		this.emitAdded(pullers, true);
		this.dataChannels?.start(pullers);
	}

	#writeOffer(transport: WebRtcTransport, draft: OfferDraft, requests: readonly PullRequest[]): ServerOffer {
		const { sections, added } = draft;
		const { pullers: channels = [] } = this.dataChannels ?? {};
		this.#sessionVersion++;
		const offer: ServerOffer = {
			connection: this,
			sdp: draft.toSdp(this.assertRouter().describe(transport), {
				sessionId: this.sessionId,
				sessionVersion: this.#sessionVersion,
			}),
			pullers: [...sections.flatMap(({ puller }) => puller ?? []), ...channels].filter(isOpen),
			added: added.filter(isOpen),
			answer: (sdp) => this.context.observers.run('answer', {}, () => this.#answer(offer, sdp)),
			refuse: () => {
				this.#refuse(offer);
			},
			expire: () => {
				this.#expire(offer);
			},
		};
		const { answerTimeout: timeout } = this.context.options.webRtc;
		this.#pending = new PendingOffer(offer, { sections, requests, timeout });
		this.#negotiationState = 'offered';
		this.logger.debug('an offer was made', { added: offer.added.length, pullers: offer.pullers.length });
		return offer;
	}

	async #answer(offer: ServerOffer, sdp: string): Promise<void> {
		const { sections } = this.#assertPending(offer);
		const answer = this.#readAnswer(sdp, sections);
		this.#settle();
		this.#sections = sections;
		this.#negotiationState = 'applying';
		try {
			await this.#apply(answer, dataPullers(offer.added));
			this.logger.debug('an answer was applied');
			if (this.#missed.length > 0) this.follow(this.#missed.splice(0).filter(isOpen));
		} catch (error) {
			const failure = this.reported(error, 'an answer could not be applied');
			this.close('offerFailed');
			throw failure;
		} finally {
			this.#becomeStable();
		}
	}

	#refuse(offer: ServerOffer): void {
		if (this.#pending?.offer !== offer) return;
		this.#settle();
		this.logger.debug('an offer was refused by the client');
		// The client has not heard of the restart.
		if (this.#restarting) this.#restart = true;
		for (const puller of offer.added) puller.close('rejected');
		// Without any m-line there is no transport. And an offer that takes something away must be applied.
		if (this.#sections.length === 0 || offer.added.length === 0) this.close('offerFailed');
		else this.#becomeStable();
	}

	#expire(offer: ServerOffer): void {
		if (this.#pending?.offer !== offer) return;
		if (this.#sections.length === 0) {
			this.close('answerTimeout');
			return;
		}
		const { sections, followed } = this.#pending;
		this.#settle();
		this.logger.info('an offer was not answered in time', { added: offer.added.length });
		// The client may have applied it all the same. So the next offer has its m-lines, too.
		this.#sections = sections;
		if (this.#restarting) this.#restart = true;
		this.#missed.push(...followed);
		for (const puller of offer.added) puller.close('answerTimeout');
		this.#becomeStable();
	}

	#assertPending(offer: ServerOffer): PendingOffer {
		this.assertOpen();
		if (this.#pending?.offer !== offer) throw new SfuError('conflict', 'the offer has been settled already');
		return this.#pending;
	}

	#settle(): void {
		this.#pending?.settle();
		this.#pending = undefined;
	}

	#readAnswer(sdp: string, sections: readonly OfferingSection[]): ParsedAnswer {
		const answer = parseAnswer(sdp, sections.map(expectedInAnswer), this.context.options.limits);
		const [fingerprint] = answer.dtls?.fingerprints ?? [];
		if (fingerprint && this.#fingerprint !== undefined && fingerprint.value !== this.#fingerprint) {
			throw new SfuError('conflict', 'the answer is that of another RTCPeerConnection: its a=fingerprint has changed');
		}
		return answer;
	}

	async #apply({ dtls, bandwidth, media }: ParsedAnswer, addedData: readonly DataPuller[]): Promise<void> {
		const rejected = this.#sections.filter((section, index) => !isAccepted(section, media[index]));
		this.#sections = this.#sections.map((section, index) =>
			media[index]?.accepted ? section : rejectedSection(section),
		);
		for (const { puller } of rejected) puller?.close('rejected');
		if (rejected.some(({ kind }) => kind === 'data')) {
			// The client may accept the data channels of a later offer.
			this.dataChannels?.close('rejected');
			this.dataChannels = undefined;
		}
		const connects = dtls && this.#fingerprint === undefined;
		if (connects) this.#fingerprint = dtls.fingerprints[0]?.value;
		// A client that rejects all m-lines of the first offer has nothing to connect to.
		if (this.#fingerprint === undefined) {
			this.close('offerFailed');
			return;
		}
		await Promise.all([
			connects && this.transport?.connect({ dtlsParameters: dtls }),
			...this.#sections.map(async ({ puller }, index) => {
				if (puller && !puller.closed) await puller.setPaused('direction', !receives(media[index]));
			}),
			this.bitrates.setWanted(wantedBitrate(bandwidth, videoLimits(this.#sections, media))),
		]);
		this.assertOpen();
		this.dataChannels?.start(addedData);
		this.awaitClient({ restarted: this.#restarting });
		this.#restarting = false;
	}
}
