import { monitorEventLoopDelay } from 'node:perf_hooks';

// How often the event loop is looked at, in ms.
const resolution = 20;

/** How late the event loop of this process is. */
export class EventLoopDelay {
	readonly #histogram = monitorEventLoopDelay({ resolution });

	constructor() {
		this.#histogram.enable();
	}

	/** The delays since the last call, in seconds. */
	take(): { p99: number; max: number } {
		const { count, max } = this.#histogram;
		// Node measures from one look to the next one, and so the time between them, too.
		const seconds = (nanoseconds: number) => (count === 0 ? 0 : Math.max(nanoseconds / 1e9 - resolution / 1000, 0));
		const taken = { p99: seconds(this.#histogram.percentile(99)), max: seconds(max) };
		this.#histogram.reset();
		return taken;
	}

	close(): void {
		this.#histogram.disable();
	}
}
