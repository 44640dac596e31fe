import type { WebRtcTransport } from 'mediasoup/types';
import { isOpen } from '../isOpen.js';
import { parseAnswer, type Answer, type AnsweredSection } from '../sdp/parseAnswer.js';
import { quoted } from '../quoted.js';
import { writeOffer } from '../sdp/writeOffer.js';
import { SfuError } from '../SfuError.js';
import { wantedBitrate } from './BitrateLimits.js';
import { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import type { DataChannels } from '../data/DataChannels.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type { DataTarget } from '../data/DataSender.js';
import { OfferDraft } from './OfferDraft.js';
import type { OfferingListener, ServerOffer } from './ServerOffer.js';
import { accepts, firstSlot, offeredFrame, offeredLine, stopped, type Slot } from './MediaSection.js';
import { Supply } from './Supply.js';
import { Wishes, type Caller } from './Wishes.js';
import type { Puller } from '../tracks/Puller.js';
import type { Pusher } from '../tracks/Pusher.js';
import { Rollback } from '../Rollback.js';

/** An offer that waits for its answer. */
interface Outstanding {
	offer: ServerOffer;
	slots: readonly Slot[];
	deadline: NodeJS.Timeout;
}

/** The counterpart of an RTCPeerConnection for which the server offers. It carries what a user pulls, from any users. */
export class OfferingConnection extends Connection {
	readonly offeredBy = 'server';
	readonly #listener: OfferingListener;
	#sessionVersion = 0;
	/** As of the last answer. */
	#slots: readonly Slot[] = [];
	readonly #wishes = new Wishes();
	readonly #supply: Supply;
	/** ICE restarts with the next offer. */
	#restart = false;
	/** ICE has restarted, and the client has yet to come back. */
	#restarting = false;
	#outstanding: Outstanding | undefined;
	#busy = false;
	#follows = false;
	#fingerprint: string | undefined;

	/** @internal */
	constructor(context: ConnectionContext, listener: OfferingListener) {
		super(context);
		this.#listener = listener;
		this.#supply = new Supply(this, context);
		this.once('closed', () => {
			this.#settle();
			this.#wishes.reject(this.failure(undefined));
		});
	}

	/** The offer that waits for its answer. */
	get outstanding(): ServerOffer | undefined {
		return this.#outstanding?.offer;
	}

	/** Whether more will come by itself, so that it stays when there is nothing to offer. */
	get follows(): boolean {
		return this.#follows;
	}

	/** @internal Sends `targets` and `data`, too: the offer to tell the client of it by. */
	pull(targets: readonly Pusher[], data: readonly DataTarget[]): Promise<ServerOffer> {
		return new Promise((resolve, reject) => {
			this.assertOpen();
			this.#wishes.add({ targets, data, caller: { resolve, reject } });
			this.#proceed();
		});
	}

	/** @internal Sends these, too, whenever the next offer can be made; and waits for more. */
	add(pushers: readonly Pusher[], dataPushers: readonly DataPusher[]): void {
		if (this.closed) return;
		this.#follows = true;
		this.#wishes.add(
			...pushers.map((pusher) => ({ targets: [pusher], data: [] })),
			...dataPushers.map((pusher) => ({ targets: [], data: [{ pusher, negotiated: false }] })),
		);
		this.#proceed();
	}

	/**
	 * Restarts ICE, which the client is told by the next offer.
	 *
	 * @throws {@link SfuError} `closed`, `unavailable`, `conflict` when there has been no offer yet
	 */
	restartIce(): void {
		this.assertOpen();
		if (!this.transport) throw new SfuError('conflict', 'there has been no offer yet');
		this.#restart = true;
		this.#proceed();
	}

	protected override media(): Puller[] {
		const slots = [...this.#slots, ...(this.#outstanding?.slots ?? [])];
		return [...new Set(slots.flatMap(({ puller }) => puller ?? []))];
	}

	protected override carried(): (Puller | DataChannels)[] {
		return [...this.media(), this.#supply.dataChannels ?? []].flat();
	}

	/** Makes the next offer, when there is something to offer and no answer to wait for. */
	#proceed(): void {
		if (this.#busy || this.#outstanding || this.closed || !this.#hasChanges()) return;
		this.#busy = true;
		void this.#makeOffer().finally(() => {
			this.#busy = false;
			this.#proceed();
		});
	}

	#hasChanges(): boolean {
		return this.#restart || this.#wishes.size > 0 || this.#slots.some(({ puller }) => puller?.closed);
	}

	async #makeOffer(): Promise<void> {
		// What closes at the same time is told together.
		await Promise.resolve();
		const wishes = this.#wishes.take();
		const undo = new Rollback();
		const draft = new OfferDraft(
			this.#slots.length > 0 ? this.#slots : [firstSlot],
			this.context.options.limits.mediaSections,
		);
		const callers: Caller[] = [];
		try {
			const transport = this.transport ?? (await this.createTransport(undo));
			for (const wish of wishes) {
				try {
					await draft.attempt(() => this.#supply.fulfil(wish, draft, transport, undo));
					if (wish.caller) callers.push(wish.caller);
				} catch (error) {
					const failure = this.#reported(error);
					wish.caller?.reject(failure);
				}
			}
			this.assertOpen();
			if (this.#slots.length === 0 && draft.added.length === 0) {
				undo.run();
				this.#closeUnused();
				return;
			}
			if (!this.#restart && !draft.changed && callers.length === 0) {
				this.#bringData(dataOf(draft.added));
				return;
			}
			if (this.#restart) await transport.restartIce();
			this.assertOpen();
			if (this.#restart) this.#restarting = true;
			this.#restart = false;
			const offer = this.#offer(transport, draft);
			for (const puller of offer.added) {
				// A data channel leaves no m-line behind.
				if (puller.kind === 'data') continue;
				puller.once('closed', () => {
					this.#proceed();
				});
			}
			this.#listener.offered(offer, callers.length > 0);
			for (const caller of callers) caller.resolve(offer);
		} catch (error) {
			undo.run();
			for (const puller of draft.added) puller.close('negotiationFailed');
			const failure = this.#reported(error);
			for (const { caller } of wishes) caller?.reject(failure);
			if (this.#slots.length > 0) this.close('offerFailed');
			else this.#closeUnused();
		}
	}

	/** Nothing has been offered yet. */
	#closeUnused(): void {
		this.#restart = false;
		if (!this.#follows && this.#wishes.size === 0) this.close('negotiationFailed');
	}

	/** What nobody may be waiting to be told. */
	#reported(error: unknown): SfuError {
		const failure = this.failure(error);
		if (failure.code === 'internal') this.context.logger.error('an offer could not be made', error);
		else if (failure.code === 'limit_exceeded') {
			this.context.logger.warn(`not everything is offered to ${quoted(this.userId)}: ${failure.message}`);
		}
		return failure;
	}

	/** Lets data channels flow of which no offer tells: the client learns of them in-band. */
	#bringData(pullers: readonly DataPuller[]): void {
		for (const puller of pullers) if (!puller.closed) this.#listener.dataPulled(puller);
		this.#supply.dataChannels?.start(pullers);
	}

	#offer(transport: WebRtcTransport, { slots, added }: OfferDraft): ServerOffer {
		this.#sessionVersion++;
		const live = slots.filter(({ rejected }) => !rejected).map(({ mid }) => mid);
		const offer: ServerOffer = {
			connection: this,
			offer: writeOffer({
				lines: slots.map(offeredLine),
				mids: live.sort((a, b) => Number(a) - Number(b)),
				transport,
				sessionId: this.sessionId,
				sessionVersion: this.#sessionVersion,
			}),
			pullers: slots.flatMap(({ puller }) => puller ?? []).filter(isOpen),
			dataPullers: this.#supply.dataChannels?.pullers ?? [],
			added: added.filter(isOpen),
			answer: (sdp) => this.#answer(offer, sdp),
			refuse: () => {
				this.#refuse(offer);
			},
		};
		const deadline = setTimeout(() => {
			this.close('answerTimeout');
		}, this.context.options.webRtc.answerTimeout);
		this.#outstanding = { offer, slots, deadline };
		return offer;
	}

	async #answer(offer: ServerOffer, sdp: string): Promise<void> {
		const { slots } = this.#assertOutstanding(offer);
		const answer = this.#read(sdp, slots);
		this.#settle();
		this.#slots = slots;
		// The next offer waits until this one is in force.
		this.#busy = true;
		try {
			await this.#apply(answer, dataOf(offer.added));
		} catch (error) {
			const failure = this.failure(error);
			if (failure.code === 'internal') this.context.logger.error('an answer could not be applied', error);
			this.close('offerFailed');
			throw failure;
		} finally {
			this.#busy = false;
			this.#proceed();
		}
	}

	#refuse(offer: ServerOffer): void {
		this.#assertOutstanding(offer);
		this.#settle();
		// It has not heard of the restart.
		if (this.#restarting) this.#restart = true;
		for (const puller of offer.added) puller.close('rejected');
		// Without any m-line there is no transport; and what takes something away has to be taken.
		if (this.#slots.length === 0 || offer.added.length === 0) this.close('offerFailed');
		else this.#proceed();
	}

	#assertOutstanding(offer: ServerOffer): Outstanding {
		this.assertOpen();
		if (this.#outstanding?.offer !== offer) throw new SfuError('conflict', 'the offer has been settled already');
		return this.#outstanding;
	}

	#settle(): void {
		clearTimeout(this.#outstanding?.deadline);
		this.#outstanding = undefined;
	}

	#read(sdp: string, slots: readonly Slot[]): Answer {
		const answer = parseAnswer(sdp, slots.map(offeredFrame), this.context.options.limits);
		const [fingerprint] = answer.dtls?.fingerprints ?? [];
		if (fingerprint && this.#fingerprint !== undefined && fingerprint.value !== this.#fingerprint) {
			throw new SfuError('conflict', 'the answer is that of another RTCPeerConnection: its a=fingerprint has changed');
		}
		return answer;
	}

	async #apply({ dtls, bandwidth, media }: Answer, addedData: readonly DataPuller[]): Promise<void> {
		const rejected = this.#slots.filter((slot, index) => !accepts(slot, media[index]));
		this.#slots = this.#slots.map((slot, index) => (media[index]?.accepted ? slot : stopped(slot)));
		for (const { puller } of rejected) puller?.close('rejected');
		if (rejected.some(({ kind }) => kind === 'data')) this.#supply.rejectData();
		if (dtls && this.#fingerprint === undefined) {
			this.#fingerprint = dtls.fingerprints[0]?.value;
			await this.transport?.connect({ dtlsParameters: dtls });
			this.assertOpen();
		}
		// A client that rejects everything from the start has nothing to connect to.
		if (this.#fingerprint === undefined) {
			this.close('offerFailed');
			return;
		}
		const videos = this.#slots.flatMap(({ kind, puller }, index) => {
			const section = media[index];
			return kind === 'video' && puller && section && receives(section) ? [section.bandwidth] : [];
		});
		await Promise.all([
			...this.#slots.map(async ({ puller }, index) => {
				if (puller && !puller.closed) await puller.setPaused('direction', !receives(media[index]));
			}),
			this.bitrates.setWanted(wantedBitrate(bandwidth, videos)),
		]);
		this.assertOpen();
		this.#supply.dataChannels?.start(addedData);
		this.awaitClient({ restarted: this.#restarting });
		this.#restarting = false;
	}
}

const dataOf = (pullers: readonly (Puller | DataPuller)[]): DataPuller[] =>
	pullers.flatMap((puller) => (puller.kind === 'data' ? puller : []));

const receives = (section: AnsweredSection | undefined): boolean =>
	section?.direction === 'recvonly' || section?.direction === 'sendrecv';
