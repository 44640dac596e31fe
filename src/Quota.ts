import { SfuError } from './SfuError.js';

/** Limits how many things of a kind exist at a time. */
export class Quota {
	readonly #limit: number;
	readonly #what: string;
	#taken = 0;

	/** @param what - the name of the things in the message, such as "pushers of one user" */
	constructor(limit: number, what: string) {
		this.#limit = limit;
		this.#what = what;
	}

	/**
	 * Takes one place.
	 *
	 * @returns a function that gives the place back
	 * @throws {@link SfuError} `limit_exceeded` if all places are taken
	 */
	take(): () => void {
		if (this.#taken >= this.#limit) {
			throw new SfuError('limit_exceeded', `more than ${this.#limit} ${this.#what} are not allowed`);
		}
		this.#taken++;
		let given = false;
		return () => {
			if (!given) this.#taken--;
			given = true;
		};
	}
}
