import type { LocalTransport } from '../sdp/lines.js';
import { writeOffer } from '../sdp/writeOffer.js';
import { SfuError } from '../SfuError.js';
import type { AnyPuller } from '../tracks/tracks.js';
import { toOffer, type OfferingSection } from './MediaSection.js';

/** An m-line for one more puller. */
export interface Allocation {
	readonly index: number;
	readonly mid: string;
}

/** The m-lines of the next offer: the m-lines of the last answer, in order, and the new ones. */
export class OfferDraft {
	readonly #before: readonly OfferingSection[];
	readonly #maxSections: number;
	readonly #added: AnyPuller[] = [];
	#sections: OfferingSection[];
	#free: Set<number>;
	/** How many new m-lines are allocated, and not there yet. */
	#coming = 0;

	/**
	 * @param before - the m-lines as of the last answer
	 * @param maxSections - how many m-lines there may be
	 */
	constructor(before: readonly OfferingSection[], maxSections: number) {
		this.#before = before;
		this.#maxSections = maxSections;
		this.#sections = before.map((section) => (section.puller?.closed ? { ...section, puller: undefined } : section));
		// An m-line that this offer makes inactive is used again by a later offer. Not every client can take both at once.
		this.#free = new Set(before.flatMap(({ puller }, index) => (puller ? [] : [index])));
	}

	/** The pullers that this offer adds. */
	get added(): readonly AnyPuller[] {
		return this.#added;
	}

	get sections(): readonly OfferingSection[] {
		return this.#sections;
	}

	/** Whether its SDP differs from the last offer. One more data channel makes no difference. */
	get changed(): boolean {
		return this.#sections.some(({ mid, puller }, index) => {
			const before = this.#before[index];
			return mid !== before?.mid || puller !== before.puller;
		});
	}

	/** The SDP of the offer. */
	toSdp(transport: LocalTransport, session: { sessionId: number; sessionVersion: number }): string {
		const live = this.#sections.filter(({ rejected }) => !rejected).map(({ mid }) => mid);
		return writeOffer({
			media: this.#sections.map(toOffer),
			mids: live.sort((a, b) => Number(a) - Number(b)),
			transport,
			...session,
		});
	}

	carries(pusherId: string): boolean {
		return this.#sections.some(({ puller }) => puller?.pusherId === pusherId && !puller.closed);
	}

	/** Whether {@link OfferDraft.allocate} would find an m-line. */
	hasRoom(kind: OfferingSection['kind']): boolean {
		const isFree = [...this.#free].some((index) => this.#sections[index]?.kind === kind && this.#isUsable(index));
		return isFree || this.#sections.length + this.#coming < this.#maxSections;
	}

	/**
	 * Allocates an m-line for one more puller, until it is put there or {@link OfferDraft.release} is called. A rejected m-line
	 * comes back with the same kind only, because Firefox refuses another kind. The first m-line never comes back, because the
	 * client lost the transport with it.
	 *
	 * @param newMid - makes a mid that the session has not had
	 * @throws {@link SfuError} `limit_exceeded`
	 */
	allocate(kind: OfferingSection['kind'], newMid: () => string): Allocation {
		const indexes = [...this.#free].filter((index) => this.#sections[index]?.kind === kind);
		for (const index of indexes) {
			const { mid, rejected } = this.#sections[index] ?? {};
			if (mid === undefined || rejected) continue;
			this.#free.delete(index);
			return { index, mid };
		}
		const free = indexes.find((index) => this.#isUsable(index));
		if (free !== undefined) {
			this.#free.delete(free);
			return { index: free, mid: newMid() };
		}
		const index = this.#sections.length + this.#coming;
		if (index >= this.#maxSections) {
			throw new SfuError('limit_exceeded', `more than ${this.#maxSections} m-lines on one connection are not allowed`);
		}
		this.#coming++;
		return { index, mid: newMid() };
	}

	/** Gives an m-line back, on which nothing has been put. */
	release({ index }: Allocation): void {
		if (index < this.#sections.length) this.#free.add(index);
		else this.#coming--;
	}

	/** Pullers on new m-lines are put in the order of their allocation. */
	put({ index: allocated, mid }: Allocation, puller: AnyPuller): void {
		this.#added.push(puller);
		const isNew = allocated >= this.#sections.length;
		if (isNew) this.#coming--;
		// A new m-line before it may have been released.
		const index = isNew ? this.#sections.length : allocated;
		if (puller.kind === 'data') {
			// One m-line has room for all data channels.
			this.#free.add(index);
			this.#sections[index] = { mid, kind: 'data', rejected: false };
		} else {
			this.#sections[index] = { mid, kind: puller.kind, puller, parameters: puller.rtpParameters, rejected: false };
		}
	}

	#isUsable(index: number): boolean {
		return index > 0 || this.#sections[index]?.rejected === false;
	}

	/** Makes all of a change, or nothing of it. When it fails, the pullers that it has put close. */
	async attempt(change: () => Promise<void>): Promise<void> {
		const [sections, free, added] = [[...this.#sections], new Set(this.#free), this.#added.length];
		try {
			await change();
		} catch (error) {
			this.#sections = sections;
			this.#free = free;
			this.#coming = 0;
			for (const puller of this.#added.splice(added)) puller.close('negotiationFailed');
			throw error;
		}
	}
}
