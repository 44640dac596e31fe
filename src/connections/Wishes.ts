import type { SfuError } from '../SfuError.js';
import type { DataTarget } from '../data/DataSender.js';
import type { Pusher } from '../tracks/Pusher.js';
import type { ServerOffer } from './ServerOffer.js';

/** What is asked of a connection for which the server offers, and shall come with its next offer. */
export interface Wish {
	readonly targets: readonly Pusher[];
	readonly data: readonly DataTarget[];
	/** Whoever waits for the offer; nobody does when the room has changed. */
	readonly caller?: Caller;
}

export interface Caller {
	readonly resolve: (offer: ServerOffer) => void;
	readonly reject: (error: SfuError) => void;
}

/** The wishes that wait for their offer. */
export class Wishes {
	#waiting: Wish[] = [];

	get size(): number {
		return this.#waiting.length;
	}

	add(...wishes: readonly Wish[]): void {
		this.#waiting.push(...wishes);
	}

	/** Those of the next offer: one offer answers one call, and what nobody waits for comes along. */
	take(): Wish[] {
		const asked = this.#waiting.find(({ caller }) => caller);
		const taken = this.#waiting.filter((wish) => !wish.caller || wish === asked);
		this.#waiting = this.#waiting.filter((wish) => !taken.includes(wish));
		return taken;
	}

	/** There will be no more offer. */
	reject(error: SfuError): void {
		for (const { caller } of this.#waiting.splice(0)) caller?.reject(error);
	}
}
