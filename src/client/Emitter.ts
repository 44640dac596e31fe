/** Options of `on()`. */
export interface ListenOptions {
	/** Ends the listening when it aborts. */
	signal?: AbortSignal;
}

type Listener = (payload: never) => void;

/** An object with typed events. */
export class Emitter<Events> {
	readonly #listeners = new Map<keyof Events, Set<Listener>>();

	/**
	 * Calls `listener` at each `event`. A listener that throws is reported as an uncaught error, and the others are called all
	 * the same.
	 *
	 * @returns a function that ends it
	 */
	on<Event extends keyof Events>(
		event: Event,
		listener: (payload: Events[Event]) => void,
		{ signal }: ListenOptions = {},
	): () => void {
		const listeners = this.#listeners.get(event) ?? new Set();
		this.#listeners.set(event, listeners);
		const off = () => {
			listeners.delete(listener);
			signal?.removeEventListener('abort', off);
		};
		if (signal?.aborted) return off;
		listeners.add(listener);
		signal?.addEventListener('abort', off);
		return off;
	}

	/** @internal */
	emit<Event extends keyof Events>(event: Event, payload: Events[Event]): void {
		for (const listener of [...(this.#listeners.get(event) ?? [])]) {
			try {
				listener(payload as never);
			} catch (error) {
				reportError(error);
			}
		}
	}
}
