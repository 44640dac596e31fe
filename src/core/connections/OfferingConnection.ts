import type { WebRtcTransport } from 'mediasoup/types';
import { offeredCapabilities } from '../../media/offeredCapabilities.js';
import { PayloadTypeTable } from '../../media/PayloadTypeTable.js';
import { parseAnswer, type Answer, type AnsweredSection } from '../../sdp/parseAnswer.js';
import { quote } from '../../quote.js';
import { writeOffer } from '../../sdp/writeOffer.js';
import { SfuError } from '../../SfuError.js';
import { Connection } from './Connection.js';
import type { ConnectionContext } from './ConnectionContext.js';
import { createPuller, type PullerOptions } from '../pullers/createPuller.js';
import { firstSlot, OfferDraft, offeredTracks, type Place, type Slot } from './OfferDraft.js';
import type { Puller } from '../pullers/Puller.js';
import type { Pusher } from '../pushers/Pusher.js';
import { Undo } from '../Undo.js';

/** An SDP offer of ours, to be answered before there is another one for the same RTCPeerConnection. */
export interface ServerOffer {
	readonly connection: OfferingConnection;
	/** The SDP offer. */
	readonly offer: string;
	/** All that the connection carries by it, in the order of the m-lines. */
	readonly pullers: readonly Puller[];
	/** Those that it brings. */
	readonly added: readonly Puller[];
	/**
	 * Takes the client's SDP answer. What it rejects is closed (`rejected`), what it does not receive is paused.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large` when it does not fit the offer, which then goes on
	 *   waiting for one that does; `conflict` when it has been answered or refused already; `closed`, `unavailable`,
	 *   `internal`
	 */
	answer(sdp: string): Promise<void>;
	/** The client could not take it: what it adds is closed (`rejected`), and all else goes on as before. */
	refuse(): void;
}

/** @internal What is asked of a connection, and shall come with its next offer. */
interface Wish {
	targets: readonly Pusher[];
	/** Whoever waits for the offer; nobody does when the room has changed. */
	caller?: { resolve: (offer: ServerOffer) => void; reject: (error: SfuError) => void };
}

/** An offer that waits for its answer. */
interface Outstanding {
	offer: ServerOffer;
	slots: readonly Slot[];
	deadline: NodeJS.Timeout;
}

/** The counterpart of an RTCPeerConnection for which the server offers. It carries what a user pulls, from any users. */
export class OfferingConnection extends Connection {
	readonly #offered: (offer: ServerOffer, asked: boolean) => void;
	readonly #payloadTypes = new PayloadTypeTable();
	#sessionVersion = 0;
	/** As of the last answer. */
	#slots: readonly Slot[] = [];
	#nextMid = Number(firstSlot.mid) + 1;
	#wishes: Wish[] = [];
	/** ICE restarts with the next offer. */
	#restart = false;
	/** ICE has restarted, and the client has yet to come back. */
	#restarting = false;
	#outstanding: Outstanding | undefined;
	#busy = false;
	#follows = false;
	#fingerprint: string | undefined;

	/**
	 * @internal
	 * @param offered - told of each offer before anybody else; `asked` when a call waits for it
	 */
	constructor(context: ConnectionContext, offered: (offer: ServerOffer, asked: boolean) => void) {
		super(context);
		this.#offered = offered;
		this.once('closed', () => {
			this.#settle();
			for (const { caller } of this.#wishes.splice(0)) caller?.reject(this.failure(undefined));
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

	/** @internal Sends `targets`, too: the offer to tell the client of it by. */
	pull(targets: readonly Pusher[]): Promise<ServerOffer> {
		return new Promise((resolve, reject) => {
			this.assertOpen();
			this.#wishes.push({ targets, caller: { resolve, reject } });
			this.#proceed();
		});
	}

	/** @internal Sends `targets`, too, whenever the next offer can be made; and waits for more. */
	add(targets: readonly Pusher[]): void {
		if (this.closed) return;
		this.#follows = true;
		this.#wishes.push(...targets.map((pusher) => ({ targets: [pusher] })));
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
		return this.#restart || this.#wishes.length > 0 || this.#slots.some(({ puller }) => puller?.closed);
	}

	async #makeOffer(): Promise<void> {
		// What closes at the same time is told together.
		await Promise.resolve();
		const wishes = this.#takeWishes();
		const undo = new Undo();
		const draft = new OfferDraft(
			this.#slots.length > 0 ? this.#slots : [firstSlot],
			this.context.options.limits.mediaSections,
		);
		const callers: NonNullable<Wish['caller']>[] = [];
		try {
			const transport = this.transport ?? (await this.createTransport(undo));
			for (const wish of wishes) {
				try {
					await draft.attempt(() => this.#fulfil(wish, draft, transport));
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
			if (!this.#restart && !draft.changed && callers.length === 0) return;
			if (this.#restart) await transport.restartIce();
			this.assertOpen();
			if (this.#restart) this.#restarting = true;
			this.#restart = false;
			const offer = this.#offer(transport, draft);
			for (const puller of offer.added) {
				puller.once('closed', () => {
					this.#proceed();
				});
			}
			this.#offered(offer, callers.length > 0);
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
		if (!this.#follows && this.#wishes.length === 0) this.close('negotiationFailed');
	}

	/** What nobody may be waiting to be told. */
	#reported(error: unknown): SfuError {
		const failure = this.failure(error);
		if (failure.code === 'internal') this.context.logger.error('an offer could not be made', error);
		else if (failure.code === 'limit_exceeded') {
			this.context.logger.warn(`not everything is offered to ${quote(this.userId)}: ${failure.message}`);
		}
		return failure;
	}

	/** One offer answers one call; what nobody waits for comes along. */
	#takeWishes(): Wish[] {
		const asked = this.#wishes.find(({ caller }) => caller);
		const taken = this.#wishes.filter((wish) => !wish.caller || wish === asked);
		this.#wishes = this.#wishes.filter((wish) => !taken.includes(wish));
		return taken;
	}

	async #fulfil({ targets }: Wish, draft: OfferDraft, transport: WebRtcTransport): Promise<void> {
		for (const pusher of targets) {
			if (pusher.closed || draft.carries(pusher.pusherId)) continue;
			const place = draft.place(pusher.kind, () => String(this.#nextMid++));
			const puller = await createPuller(this.#pullerOptions(pusher, place), transport, this.connectionId, this.context);
			if (puller) draft.put(place, puller);
			this.assertOpen();
		}
		if (targets.length > 0 && targets.every(({ closed }) => closed)) {
			throw new SfuError('not_found', 'the pushers have gone');
		}
	}

	#pullerOptions(pusher: Pusher, { mid }: Place): PullerOptions {
		const [codec, rtx] = pusher.rtpParameters.codecs;
		if (!codec) throw new SfuError('internal', 'a pusher without a codec');
		const payloadTypes = this.#payloadTypes.choose(codec, rtx);
		return {
			pusher,
			mid,
			packetMid: mid,
			payloadTypes,
			capabilities: (rtxPayloadType) =>
				offeredCapabilities(pusher.kind, codec, { payloadType: payloadTypes.payloadType, rtxPayloadType }),
		};
	}

	#offer(transport: WebRtcTransport, { slots, added }: OfferDraft): ServerOffer {
		this.#sessionVersion++;
		const live = slots.filter(({ rejected }) => !rejected).map(({ mid }) => mid);
		const offer: ServerOffer = {
			connection: this,
			offer: writeOffer({
				tracks: offeredTracks(slots),
				mids: live.sort((a, b) => Number(a) - Number(b)),
				transport,
				sessionId: this.sessionId,
				sessionVersion: this.#sessionVersion,
			}),
			pullers: slots.flatMap(({ puller }) => puller ?? []).filter(isOpen),
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
			await this.#apply(answer);
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
		const frames = slots.map(({ mid, kind, rejected }) => ({ mid, type: kind, stopped: rejected }));
		const answer = parseAnswer(sdp, frames, this.context.options.limits);
		const [fingerprint] = answer.dtls?.fingerprints ?? [];
		if (fingerprint && this.#fingerprint !== undefined && fingerprint.value !== this.#fingerprint) {
			throw new SfuError('conflict', 'the answer is that of another RTCPeerConnection: its a=fingerprint has changed');
		}
		return answer;
	}

	async #apply({ dtls, media }: Answer): Promise<void> {
		const rejected = this.#slots.filter((slot, index) => !accepts(slot, media[index]));
		this.#slots = this.#slots.map((slot, index) => (media[index]?.accepted ? slot : stopped(slot)));
		for (const { puller } of rejected) puller?.close('rejected');
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
		await Promise.all(
			this.#slots.map(async ({ puller }, index) => {
				if (puller && !puller.closed) await puller.setPaused('direction', !receives(media[index]));
			}),
		);
		this.assertOpen();
		this.awaitClient({ restarted: this.#restarting });
		this.#restarting = false;
	}
}

const isOpen = ({ closed }: Puller): boolean => !closed;

const receives = (section: AnsweredSection | undefined): boolean =>
	section?.direction === 'recvonly' || section?.direction === 'sendrecv';

/** Whether what is sent on an m-line can be received. */
function accepts({ parameters: { codecs } }: Slot, section: AnsweredSection | undefined): boolean {
	const [codec] = codecs;
	return section !== undefined && section.accepted && !!codec && section.payloadTypes.includes(codec.payloadType);
}

const stopped = (slot: Slot): Slot => ({ ...slot, puller: undefined, rejected: true });
