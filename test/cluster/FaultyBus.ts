import type { Bus } from '../../src/cluster/Bus.js';
import type { FakeClock } from './FakeClock.js';
import type { FaultyNetwork } from './FaultyNetwork.js';

let made = 0;

interface Subscription {
	subject: string;
	listener: (message: Uint8Array) => void;
}

/** A server's end of a bus that has faults. */
export class FaultyBus implements Bus {
	readonly place: number;
	readonly name: string;
	/** Whether the server has been killed: nothing leaves it. */
	isSilent = false;
	/** Whether what it publishes is lost unnoticed. */
	isMute = false;
	/** Whether what is published to it is lost unnoticed. */
	isDeaf = false;
	/** When {@link FaultyBus.connected} has changed last, in ms. */
	changedAt = 0;
	readonly #network: FaultyNetwork;
	readonly #clock: FakeClock;
	readonly #subscriptions = new Set<Subscription>();
	readonly #watchers = new Set<(connected: boolean) => void>();
	#connected = true;
	#closed = false;

	constructor(place: number, network: FaultyNetwork, clock: FakeClock) {
		this.place = place;
		this.name = `${place}-${made++}`;
		this.#network = network;
		this.#clock = clock;
	}

	get connected(): boolean {
		return this.#connected;
	}

	set connected(connected: boolean) {
		if (connected === this.#connected) return;
		this.#connected = connected;
		this.changedAt = this.#clock.now;
		for (const watcher of [...this.#watchers]) watcher(connected);
	}

	/** What is subscribed to. */
	get subjects(): string[] {
		return [...this.#subscriptions].map(({ subject }) => subject);
	}

	publish(subject: string, message: Uint8Array): Promise<void> {
		if (this.#closed || !this.#connected) return Promise.reject(new Error('the bus is gone'));
		if (!this.isSilent && !this.isMute) this.#network.carry(this, subject, message);
		return Promise.resolve();
	}

	subscribe(subject: string, listener: (message: Uint8Array) => void): Promise<() => void> {
		return new Promise((resolve, reject) => {
			this.#clock.later(this.#network.delay(), () => {
				if (this.#closed || !this.#connected) {
					reject(new Error('the bus is gone'));
					return;
				}
				const subscription = { subject, listener };
				this.#subscriptions.add(subscription);
				resolve(() => this.#subscriptions.delete(subscription));
			});
		});
	}

	/** For each subscription of a subject: brings a message to it, if it is still there by then. */
	arrivals(subject: string): ((message: Uint8Array) => void)[] {
		const found = [...this.#subscriptions].filter((subscription) => subscription.subject === subject);
		return found.map((subscription) => (message) => {
			if (this.#connected && !this.isDeaf && this.#subscriptions.has(subscription)) subscription.listener(message);
		});
	}

	onConnected(listener: (connected: boolean) => void): () => void {
		this.#watchers.add(listener);
		return () => this.#watchers.delete(listener);
	}

	close(): Promise<void> {
		this.#closed = true;
		this.#subscriptions.clear();
		this.#watchers.clear();
		this.#network.disconnect(this);
		return Promise.resolve();
	}
}
