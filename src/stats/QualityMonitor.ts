/** A connection as the monitor sees it. */
interface MeasurableConnection {
	on(event: 'stateChanged', listener: (event: { state: string }) => void): unknown;
	once(event: 'closed', listener: () => void): unknown;
	/** Measures the quality. Never rejects. */
	measure(): Promise<void>;
}

/** Measures the connections of a room by one timer. It runs while a connection is connected. */
export class QualityMonitor {
	readonly #interval: number;
	readonly #connections = new Set<MeasurableConnection>();
	#timer: NodeJS.Timeout | undefined;
	#measuring = false;

	/** @param interval - in ms; 0 stands for never */
	constructor(interval: number) {
		this.#interval = interval;
	}

	/** Measures a connection from the moment when it is connected until it closes. */
	add(connection: MeasurableConnection): void {
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
		// A slow worker is not asked again before it has answered.
		if (this.#measuring) return;
		this.#measuring = true;
		await Promise.all([...this.#connections].map((connection) => connection.measure()));
		this.#measuring = false;
	}
}
