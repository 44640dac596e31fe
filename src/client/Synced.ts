/** Something that the server shall know as the client wants it. It is told until both agree. */
export class Synced<Value> {
	readonly #want: () => Value;
	readonly #tell: (value: Value) => Promise<void>;
	/** `undefined` while it is not known what the server has. */
	#told: Value | undefined;
	#telling: Promise<void> | undefined;

	/**
	 * @param told - what the server has
	 * @param want - what it shall have
	 * @param tell - tells it
	 */
	constructor(told: Value, want: () => Value, tell: (value: Value) => Promise<void>) {
		this.#told = told;
		this.#want = want;
		this.#tell = tell;
	}

	/** Tells the server if need be. If that fails, the next call tries again. */
	sync(): Promise<void> {
		this.#telling ??= this.#run().finally(() => (this.#telling = undefined));
		return this.#telling;
	}

	async #run(): Promise<void> {
		for (let value = this.#want(); value !== this.#told; value = this.#want()) {
			try {
				await this.#tell(value);
				this.#told = value;
			} catch {
				this.#told = undefined;
				return;
			}
		}
	}
}
