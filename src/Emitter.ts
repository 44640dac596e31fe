import { EventEmitter } from 'eventemitter3';
import type { EventMap } from 'typed-emitter';
import type { Logger } from './Logger.js';

type Listener = (...args: unknown[]) => unknown;

/**
 * A class with typed events. If a listener throws, or its promise rejects, the error is logged, and the other listeners are
 * called all the same.
 */
export abstract class Emitter<Events extends EventMap> {
	readonly #events = new EventEmitter();
	// One wrapper for each listener, so that off() finds the wrapper that on() and once() added.
	readonly #contained = new WeakMap<Listener, Listener>();
	readonly #logger: Logger;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** Calls `listener` at each `event`. */
	on<Event extends keyof Events>(event: Event, listener: Events[Event]): this {
		this.#events.on(event as string, this.#contain(listener));
		return this;
	}

	/** Calls `listener` at the next `event` only. */
	once<Event extends keyof Events>(event: Event, listener: Events[Event]): this {
		this.#events.once(event as string, this.#contain(listener));
		return this;
	}

	/** Stops calling `listener` at `event`. */
	off<Event extends keyof Events>(event: Event, listener: Events[Event]): this {
		this.#events.off(event as string, this.#contain(listener));
		return this;
	}

	/** The number of listeners of `event`. */
	listenerCount(event: keyof Events): number {
		return this.#events.listenerCount(event as string);
	}

	protected emit<Event extends keyof Events>(event: Event, ...args: Parameters<Events[Event]>): void {
		this.#events.emit(event as string, ...(args as unknown[]));
	}

	#contain(listener: Listener): Listener {
		let contained = this.#contained.get(listener);
		if (!contained) {
			const failed = (error: unknown) => {
				this.#logger.error(`a listener of ${this.constructor.name} failed`, { error });
			};
			contained = (...args) => {
				try {
					const result = listener(...args);
					if (result instanceof Promise) result.catch(failed);
				} catch (error) {
					failed(error);
				}
			};
			this.#contained.set(listener, contained);
		}
		return contained;
	}
}
