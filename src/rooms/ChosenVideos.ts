import type { Pusher } from '../tracks/Pusher.js';
import type { PullerCloseReason } from '../tracks/Puller.js';
import type { AnyPusher } from '../tracks/tracks.js';

/** What is done with the choice. */
interface Owner {
	/** Whether a video counts. Screens, for example, always come. */
	isCounted(pusher: Pusher): boolean;
	/** Whether one is pulled already. */
	isPulled(pusher: Pusher): boolean;
	/** Pulls these from now on. */
	pull(pushers: readonly AnyPusher[]): void;
	/** Pulls one no more. */
	drop(pusher: Pusher): void;
}

// After these the client would pull the pusher if it could.
const passing: readonly PullerCloseReason[] = [
	'notChosen',
	'pusherClosed',
	'connectionClosed',
	'answerTimeout',
	'workerDied',
	'interrupted',
	'userLeft',
];

/** As many are remembered: nobody sees more at once. */
const mostSpoken = 100;

/** Chooses which videos of a room a client gets: of whom it pins, and of who spoke last. */
export class ChosenVideos {
	readonly #owner: Owner;
	#limit = Infinity;
	/** In the order in which they were pushed, each with what ends its being followed. */
	readonly #candidates = new Map<Pusher, () => void>();
	#chosen = new Set<Pusher>();
	/** The users whom the client has pinned, the first one first. */
	readonly #pinned = new Set<string>();
	/** The users who have spoken, the last one first. */
	#spoken: string[] = [];

	constructor(owner: Owner) {
		this.#owner = owner;
	}

	/** Follows nothing any more. */
	close(): void {
		this.begin(Infinity);
	}

	/** Begins anew. @param limit - how many videos that count to choose at most */
	begin(limit: number): void {
		this.#limit = limit;
		this.#chosen.clear();
		for (const pusher of [...this.#candidates.keys()]) this.#forget(pusher);
	}

	/** Pulls what counts not, and what is chosen of the rest. */
	add(pushers: readonly AnyPusher[]): void {
		const counted = pushers.flatMap((pusher) => (this.#counts(pusher) ? pusher : []));
		this.#owner.pull(pushers.filter((pusher) => !this.#counts(pusher)));
		for (const pusher of counted) {
			if (this.#candidates.has(pusher)) continue;
			this.#follow(pusher);
			if (this.#owner.isPulled(pusher)) this.#chosen.add(pusher);
		}
		if (counted.length > 0) this.#choose();
	}

	/** Prefers the videos of a user, or no more. */
	pin(userId: string, pinned: boolean): void {
		if (pinned) this.#pinned.add(userId);
		else this.#pinned.delete(userId);
		this.#choose();
	}

	/** Notes that a user speaks. */
	spoke(userId: string): void {
		if (this.#spoken[0] === userId) return;
		this.#spoken = [userId, ...this.#spoken.filter((other) => other !== userId)].slice(0, mostSpoken);
		this.#choose();
	}

	/** Whether a pusher that is being pulled is wanted no more. */
	isDropped(pusherId: string): boolean {
		const pusher = this.#find(pusherId);
		return pusher !== undefined && !this.#chosen.has(pusher);
	}

	/** Notes that a puller has closed. One that the client has stopped does not come back. */
	pullerClosed(pusherId: string, reason: PullerCloseReason): void {
		if (passing.includes(reason)) return;
		const pusher = this.#find(pusherId);
		if (pusher) this.#forget(pusher);
		this.#choose();
	}

	#find(pusherId: string): Pusher | undefined {
		return [...this.#candidates.keys()].find((pusher) => pusher.pusherId === pusherId);
	}

	#follow(pusher: Pusher): void {
		const choose = () => {
			this.#choose();
		};
		const closed = () => {
			this.#forget(pusher);
			this.#choose();
		};
		pusher.on('paused', choose).on('resumed', choose).on('closed', closed);
		this.#candidates.set(pusher, () => {
			pusher.off('paused', choose).off('resumed', choose).off('closed', closed);
		});
	}

	#forget(pusher: Pusher): void {
		this.#candidates.get(pusher)?.();
		this.#candidates.delete(pusher);
	}

	#counts(pusher: AnyPusher): pusher is Pusher {
		return pusher.kind === 'video' && this.#limit < Infinity && this.#owner.isCounted(pusher);
	}

	#choose(): void {
		if (this.#candidates.size === 0) return;
		const place = (list: readonly string[], userId: string) => {
			const index = list.indexOf(userId);
			return index < 0 ? Infinity : index;
		};
		const pinned = [...this.#pinned];
		const ranked = [...this.#candidates.keys()]
			.map((pusher) => ({
				pusher,
				// A video that is paused shows nothing.
				rank: [Number(pusher.paused), place(pinned, pusher.userId), place(this.#spoken, pusher.userId)],
			}))
			.sort((a, b) => compare(a.rank, b.rank))
			.map(({ pusher }) => pusher);
		const before = this.#chosen;
		this.#chosen = new Set(ranked.slice(0, this.#limit));
		for (const pusher of before) if (!this.#chosen.has(pusher) && !pusher.closed) this.#owner.drop(pusher);
		const added = [...this.#chosen].filter((pusher) => !before.has(pusher));
		if (added.length > 0) this.#owner.pull(added);
	}
}

function compare(a: readonly number[], b: readonly number[]): number {
	for (const [index, value] of a.entries()) {
		const other = b[index] ?? 0;
		if (value !== other) return value < other ? -1 : 1;
	}
	return 0;
}
