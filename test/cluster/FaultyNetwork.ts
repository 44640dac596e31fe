import type { Direct, DirectAddress, DirectOptions } from '../../src/cluster/DirectLink.js';
import type { FakeClock } from './FakeClock.js';
import { FaultyBus } from './FaultyBus.js';

/** What the bus does to messages. */
export interface Weather {
	/** How many of them it loses, of 1. */
	loss: number;
	/** How many of them it brings twice, of 1. */
	double: number;
	/** How long one takes at most, in ms. */
	delay: number;
	/** Whether those from one server to another keep their order. */
	ordered: boolean;
}

export const fair: Weather = { loss: 0, double: 0, delay: 3, ordered: true };

/** From one place to another. */
const way = (from: number, to: number) => `${from}>${to}`;

/** A bus that servers in one process share, and the direct links between them. Both have faults. Each server has a place. */
export class FaultyNetwork {
	weather = fair;
	readonly #clock: FakeClock;
	readonly #random: () => number;
	readonly #buses = new Set<FaultyBus>();
	readonly #links = new Map<string, { place: number; heard: DirectOptions['heard']; nodeId: string }>();
	readonly #cuts = new Set<string>();
	readonly #directCuts = new Map<string, number>();
	/** Since when a direct way is whole again. */
	readonly #directSince = new Map<string, number>();
	/** When the last message arrives, by server and by way. */
	readonly #arrivals = new Map<FaultyBus | string, number>();
	/** What waits until the bus goes on. */
	#held: (() => void)[] | undefined;

	constructor(clock: FakeClock, seed: number) {
		this.#clock = clock;
		this.#random = randomFrom(seed);
	}

	/** A server's end of the bus. */
	connect(place: number): FaultyBus {
		const bus = new FaultyBus(place, this, this.#clock);
		this.#buses.add(bus);
		return bus;
	}

	disconnect(bus: FaultyBus): void {
		this.#buses.delete(bus);
		this.#links.delete(bus.name);
	}

	/** When the last message of a server arrives, as far as that can be known. */
	lastArrivalFrom(bus: FaultyBus): number {
		if (this.#held) return this.#clock.now;
		return this.#arrivals.get(bus) ?? 0;
	}

	/** Lets the bus lose all messages from one place to another, or no more. */
	cut(from: number, to: number, isCut: boolean): void {
		if (isCut) this.#cuts.add(way(from, to));
		else this.#cuts.delete(way(from, to));
	}

	/** Cuts the direct way from one place to another, or mends it. */
	cutDirect(from: number, to: number, isCut: boolean): void {
		if (isCut) this.#directCuts.set(way(from, to), this.#clock.now);
		else if (this.#directCuts.delete(way(from, to))) this.#directSince.set(way(from, to), this.#clock.now);
	}

	/** Since when the direct ways between two places are whole in both directions. */
	directSince(one: number, other: number): number {
		const ways = [way(one, other), way(other, one)];
		return Math.max(...ways.map((one) => (this.#directCuts.has(one) ? Infinity : (this.#directSince.get(one) ?? 0))));
	}

	/** Ends all faults of the ways. */
	mend(): void {
		this.weather = fair;
		this.resume();
		this.#cuts.clear();
		for (const one of [...this.#directCuts.keys()]) {
			this.#directCuts.delete(one);
			this.#directSince.set(one, this.#clock.now);
		}
	}

	/** Stops the bus, as SIGSTOP does: it takes all messages, and keeps them. */
	stop(): void {
		this.#held ??= [];
	}

	/** Lets the bus go on, with all that it has kept. */
	resume(): void {
		const held = this.#held ?? [];
		this.#held = undefined;
		for (const carry of held) carry();
	}

	/** How long something takes, in ms. */
	delay(): number {
		// Some take much longer than the others.
		return this.#random() ** 6 * this.weather.delay;
	}

	carry(from: FaultyBus, subject: string, message: Uint8Array): void {
		if (this.#held) {
			this.#held.push(() => {
				this.carry(from, subject, message);
			});
			return;
		}
		for (const to of this.#buses) {
			if (this.#cuts.has(way(from.place, to.place))) continue;
			for (const arrive of to.arrivals(subject)) {
				if (this.#random() < this.weather.loss) continue;
				this.#arriveLater(from, to, () => {
					arrive(message);
				});
				if (this.#random() >= this.weather.double) continue;
				this.#arriveLater(from, to, () => {
					arrive(message);
				});
			}
		}
	}

	/** Opens the direct link of a server. Its direct signs are never late. */
	openDirect(bus: FaultyBus, { nodeId, heard }: DirectOptions): Promise<Direct> {
		const known = new Set<string>();
		this.#links.set(bus.name, {
			nodeId,
			place: bus.place,
			heard: (from) => {
				known.add(from);
				heard(from);
			},
		});
		return Promise.resolve({
			address: { ip: bus.name, port: bus.place + 1 },
			hasHeard: (from) => known.has(from),
			forget: (from) => known.delete(from),
			send: (address) => {
				this.#sendDirectly(bus, nodeId, address);
			},
			close: () => this.#links.delete(bus.name),
		});
	}

	#sendDirectly(bus: FaultyBus, nodeId: string, { ip, port }: DirectAddress): void {
		if (bus.isSilent || this.#directCuts.has(way(bus.place, port - 1))) return;
		this.#clock.later(1, () => {
			this.#links.get(ip)?.heard(nodeId);
		});
	}

	#arriveLater(from: FaultyBus, to: FaultyBus, arrive: () => void): void {
		const { now } = this.#clock;
		const key = `${from.name} ${to.name}`;
		const earliest = this.weather.ordered ? (this.#arrivals.get(key) ?? 0) : 0;
		const at = Math.max(now + this.delay(), earliest);
		this.#arrivals.set(key, Math.max(at, this.#arrivals.get(key) ?? 0));
		this.#arrivals.set(from, Math.max(at, this.#arrivals.get(from) ?? 0));
		this.#clock.later(at - now, arrive);
	}
}

/** Numbers from 0 to 1, always the same ones of a seed: mulberry32. */
function randomFrom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}
