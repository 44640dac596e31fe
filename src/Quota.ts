import { SfuError } from './SfuError.js';

/** Gives back what was taken. Later calls do nothing. */
export type GiveBack = () => void;

/** Limits how many things of a kind exist at a time. */
export class Quota {
	readonly #limit: number;
	readonly #what: string;
	readonly #parent: Pick<Quota, 'take'> | undefined;
	#taken = 0;

	/**
	 * @param what - the name of the things in the message, such as "pushers of one user"
	 * @param parent - a quota that each thing counts against, too
	 */
	constructor(limit: number, what: string, parent?: Pick<Quota, 'take'>) {
		this.#limit = limit;
		this.#what = what;
		this.#parent = parent;
	}

	/** How many places are taken. */
	get taken(): number {
		return this.#taken;
	}

	/**
	 * Takes one place.
	 *
	 * @returns a function that gives the place back
	 * @throws {@link SfuError} `limit_exceeded` if all places are taken
	 */
	take(): GiveBack {
		if (this.#taken >= this.#limit) {
			throw new SfuError('limit_exceeded', `more than ${this.#limit} ${this.#what} are not allowed`);
		}
		const giveBackToParent = this.#parent?.take();
		this.#taken++;
		let given = false;
		return () => {
			if (given) return;
			given = true;
			this.#taken--;
			giveBackToParent?.();
		};
	}
}

/** Limits the pullers of a user. */
export interface PullerQuota {
	/** @throws {@link SfuError} `limit_exceeded` */
	take(pusherId: string): GiveBack;
}
