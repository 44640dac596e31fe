interface Timer {
	at: number;
	run: () => void;
	/** Of an interval, in ms. */
	every: number | undefined;
}

const { setImmediate: later } = globalThis;

/** A clock that waits for nothing, and lets the timers of one interval run alone, so that each can be counted for itself. */
export class FastClock {
	#now = 0;
	readonly #timers = new Set<Timer>();

	/** In ms. */
	get now(): number {
		return this.#now;
	}

	/** Takes the place of the global timers. @returns a function that ends this */
	install(): () => void {
		const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
		const set = (run: () => void, delay: number, every?: number) => {
			const timer = { at: this.#now + delay, run, every, unref: () => timer };
			this.#timers.add(timer);
			return timer;
		};
		const clear = (timer: Timer) => this.#timers.delete(timer);
		Object.assign(globalThis, {
			setTimeout: (run: () => void, delay = 1) => set(run, delay),
			setInterval: (run: () => void, delay: number) => set(run, delay, delay),
			clearTimeout: clear,
			clearInterval: clear,
		});
		return () => Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
	}

	/** Lets all intervals of this length run once. */
	async beat(every: number): Promise<void> {
		for (const timer of [...this.#timers]) {
			if (timer.every !== every) continue;
			timer.run();
			await settle();
		}
	}

	/** Lets time pass, for timeouts alone. */
	async pass(ms: number): Promise<void> {
		this.#now += ms;
		for (const timer of [...this.#timers]) {
			if (timer.every !== undefined || timer.at > this.#now || !this.#timers.delete(timer)) continue;
			timer.run();
		}
		await settle();
	}
}

/** Waits until all promises have had their consequences. */
export const settle = () => new Promise<void>((resolve) => later(resolve));
