import type { Connection } from '../connections/Connection.js';

/** Measures the connections of a room, by one timer that runs while there are any that have connected. */
export class QualityMonitor {
	readonly #interval: number;
	readonly #connections = new Set<Connection>();
	#timer: NodeJS.Timeout | undefined;
	#measuring = false;

	/** @param interval - in ms; 0 for never */
	constructor(interval: number) {
		this.#interval = interval;
	}

	/** Measures a connection from when it is connected until it closes. */
	add(connection: Connection): void {
		if (this.#interval === 0) return;
		connection.on('stateChanged', ({ state }) => {
			if (state !== 'connected') return;
			this.#connections.add(connection);
			this.#timer ??= setInterval(() => {
				void this.#measure();
			}, this.#interval);
		});
		connection.once('closed', () => {
			this.#connections.delete(connection);
			if (this.#connections.size > 0) return;
			clearInterval(this.#timer);
			this.#timer = undefined;
		});
	}

	async #measure(): Promise<void> {
		// A worker that is slow to answer is not asked more and more.
		if (this.#measuring) return;
		this.#measuring = true;
		await Promise.all([...this.#connections].map((connection) => connection.measure()));
		this.#measuring = false;
	}
}
