import { SfuError } from './SfuError.js';

/** A number of things that may exist at a time. */
export class Quota {
	readonly #limit: number;
	readonly #what: string;
	#taken = 0;

	/** @param what - the things, as in "pushers of one user" */
	constructor(limit: number, what: string) {
		this.#limit = limit;
		this.#what = what;
	}

	/**
	 * Takes one; calling the returned function gives it back.
	 *
	 * @throws {@link SfuError} `limit_exceeded` when there may be no more
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
