import { SfuError } from '../SfuError.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { Puller } from '../tracks/Puller.js';
import type { Slot } from './MediaSection.js';

/** Where something can be sent. */
export interface Place {
	readonly index: number;
	readonly mid: string;
}

/** The m-lines of the next offer: those that there are, in order, and those that come to them. */
export class OfferDraft {
	readonly #before: readonly Slot[];
	readonly #maxSections: number;
	readonly #added: (Puller | DataPuller)[] = [];
	#slots: Slot[];
	#free: Set<number>;

	/**
	 * @param before - the m-lines as of the last answer
	 * @param maxSections - how many there may be
	 */
	constructor(before: readonly Slot[], maxSections: number) {
		this.#before = before;
		this.#maxSections = maxSections;
		this.#slots = before.map((slot) => (slot.puller?.closed ? { ...slot, puller: undefined } : slot));
		// What is to be told inactive with this offer is used again with a later one: not every client takes both at once.
		this.#free = new Set(before.flatMap(({ puller }, index) => (puller ? [] : [index])));
	}

	/** What this offer adds. */
	get added(): readonly (Puller | DataPuller)[] {
		return this.#added;
	}

	get slots(): readonly Slot[] {
		return this.#slots;
	}

	/** Whether its SDP differs from what was offered before: by more data channels it does not. */
	get changed(): boolean {
		return this.#slots.some(({ mid, puller }, index) => {
			const before = this.#before[index];
			return mid !== before?.mid || puller !== before.puller;
		});
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
	place(kind: Slot['kind'], newMid: () => string): Place {
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

	put({ index, mid }: Place, puller: Puller | DataPuller): void {
		this.#added.push(puller);
		if (puller.kind === 'data') {
			// There is room for all of them.
			this.#free.add(index);
			this.#slots[index] = { mid, kind: 'data', rejected: false };
		} else {
			this.#free.delete(index);
			this.#slots[index] = { mid, kind: puller.kind, puller, parameters: puller.rtpParameters, rejected: false };
		}
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
