/** A connection as the monitor sees it. */
interface MonitoredConnection {
	on(event: 'stateChanged', listener: (event: { state: string }) => void): unknown;
	once(event: 'closed', listener: () => void): unknown;
}

/** Looks at the connections of a room again and again, by one timer. It runs while a connection is connected. */
export class ConnectionMonitor<Connection extends MonitoredConnection> {
	readonly #interval: number;
	readonly #look: (connection: Connection) => Promise<void>;
	readonly #connections = new Set<Connection>();
	#timer: NodeJS.Timeout | undefined;
	#isLooking = false;

	/**
	 * @param interval - in ms; 0 stands for never
	 * @param look - looks at one connection; it never rejects
	 */
	constructor(interval: number, look: (connection: Connection) => Promise<void>) {
		this.#interval = interval;
		this.#look = look;
	}

	/** Looks at a connection from the moment when it is connected until it closes. */
	add(connection: Connection): void {
		if (this.#interval === 0) return;
		connection.on('stateChanged', ({ state }) => {
			if (state !== 'connected') return;
			this.#connections.add(connection);
			this.#timer ??= setInterval(() => {
				void this.#lookAtAll();
			}, this.#interval);
		});
		connection.once('closed', () => {
			this.#connections.delete(connection);
			if (this.#connections.size > 0) return;
			clearInterval(this.#timer);
			this.#timer = undefined;
		});
	}

	async #lookAtAll(): Promise<void> {
		// A slow worker is not asked again before it has answered.
		if (this.#isLooking) return;
		this.#isLooking = true;
		await Promise.all([...this.#connections].map(this.#look));
		this.#isLooking = false;
	}
}
