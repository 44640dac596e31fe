import type { MediaKind, RtpParameters } from 'mediasoup/types';
import { idleOpus } from '../../media/PayloadTypeTable.js';
import type { OfferedTrack } from '../../sdp/writeOffer.js';
import { SfuError } from '../../SfuError.js';
import type { Puller } from '../pullers/Puller.js';

/** One m-line of a session that we offer. */
export interface Slot {
	readonly mid: string;
	readonly kind: MediaKind;
	/** What is sent on it. */
	readonly puller: Puller | undefined;
	/** What is sent on it, or was. */
	readonly parameters: RtpParameters;
	/** The client has rejected it: it may be used again with another mid. */
	readonly rejected: boolean;
}

/** Where something can be sent. */
export interface Place {
	readonly index: number;
	readonly mid: string;
}

/**
 * The first m-line of a session. It names the transport, and browsers lose theirs when they reject it; this one they
 * accept, since all clients have Opus and PCMU (RFC 7874, section 3). The first audio takes its place.
 */
export const firstSlot: Slot = {
	mid: '0',
	kind: 'audio',
	puller: undefined,
	parameters: {
		codecs: [
			{ mimeType: 'audio/opus', payloadType: idleOpus, clockRate: 48000, channels: 2 },
			{ mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000, channels: 1 },
		],
	},
	rejected: false,
};

/** The m-lines of the next offer: those that there are, in order, and those that come to them. */
export class OfferDraft {
	readonly #added: Puller[] = [];
	readonly #released: boolean;
	readonly #maxSections: number;
	#slots: Slot[];
	#free: Set<number>;

	/**
	 * @param before - the m-lines as of the last answer
	 * @param maxSections - how many there may be
	 */
	constructor(before: readonly Slot[], maxSections: number) {
		this.#maxSections = maxSections;
		this.#released = before.some(({ puller }) => puller?.closed);
		this.#slots = before.map((slot) => (slot.puller?.closed ? { ...slot, puller: undefined } : slot));
		// What is to be told inactive with this offer is used again with a later one: not every client takes both at once.
		this.#free = new Set(before.flatMap(({ puller }, index) => (puller ? [] : [index])));
	}

	/** What this offer adds. */
	get added(): readonly Puller[] {
		return this.#added;
	}

	get slots(): readonly Slot[] {
		return this.#slots;
	}

	/** Whether it differs from what was offered before. */
	get changed(): boolean {
		return this.#released || this.#added.length > 0;
	}

	carries(pusherId: string): boolean {
		return this.#slots.some(({ puller }) => puller?.pusherId === pusherId && !puller.closed);
	}

	/**
	 * An m-line for one more. What was rejected comes back as the same kind alone, because Firefox refuses another one, and
	 * the first m-line not at all, because with it the transport was lost.
	 *
	 * @param newMid - makes a mid that the session has not had
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	place(kind: MediaKind, newMid: () => string): Place {
		const indexes = [...this.#free].filter((index) => this.#slots[index]?.kind === kind);
		for (const index of indexes) {
			const { mid, rejected } = this.#slots[index] ?? {};
			if (mid !== undefined && !rejected) return { index, mid };
		}
		const index = indexes.find((free) => free > 0) ?? this.#slots.length;
		if (index >= this.#maxSections) {
			throw new SfuError('limit_exceeded', `more than ${this.#maxSections} m-lines on one connection are not allowed`);
		}
		return { index, mid: newMid() };
	}

	put({ index, mid }: Place, puller: Puller): void {
		this.#free.delete(index);
		this.#slots[index] = { mid, kind: puller.kind, puller, parameters: puller.rtpParameters, rejected: false };
		this.#added.push(puller);
	}

	/** Does all of `change`, or nothing of it: what it has put is closed when it fails. */
	async attempt(change: () => Promise<void>): Promise<void> {
		const [slots, free, added] = [[...this.#slots], new Set(this.#free), this.#added.length];
		try {
			await change();
		} catch (error) {
			this.#slots = slots;
			this.#free = free;
			for (const puller of this.#added.splice(added)) puller.close('negotiationFailed');
			throw error;
		}
	}
}

/** The m-lines as SDP tells them. */
export function offeredTracks(slots: readonly Slot[]): OfferedTrack[] {
	return slots.map(({ mid, kind, puller, parameters, rejected }) => ({
		mid,
		kind,
		parameters,
		rejected,
		...(puller && !puller.closed && { send: { parameters, streamId: puller.streamId, trackId: puller.pusherId } }),
	}));
}
