/** Creates a value when it is first needed. Concurrent callers share one creation. After a failure the next call tries again. */
export class Lazy<Value> {
	readonly #create: () => Promise<Value>;
	#value: Promise<Value> | undefined;

	constructor(create: () => Promise<Value>) {
		this.#create = create;
	}

	/** The promise of the value, `undefined` while nobody has asked for it. */
	get current(): Promise<Value> | undefined {
		return this.#value;
	}

	get(): Promise<Value> {
		if (this.#value) return this.#value;
		const creating = this.#create();
		this.#value = creating;
		creating.catch(() => {
			this.forget(creating);
		});
		return creating;
	}

	/**
	 * Lets the next call create a new value.
	 *
	 * @param value - if given, only this one is forgotten, and not a later one
	 */
	forget(value = this.#value): void {
		if (this.#value === value) this.#value = undefined;
	}
}
