/** So many numbers of a server are remembered. */
const most = 1000;
/** So many servers are remembered that have gone. */
const mostGone = 100;

interface Numbers {
	/** This one and those below are not new. */
	floor: number;
	/** Those above that have come. */
	seen: Set<number>;
}

/** The numbers of the last messages of each server, which rise. A bus may bring a message twice. */
export class Recent {
	readonly #numbers = new Map<string, Numbers>();
	/** The last numbers of servers that have gone: they may come back, and so may their messages. */
	readonly #gone = new Map<string, number>();

	/** @returns whether this number is new */
	add(nodeId: string, number: number): boolean {
		const numbers = this.#numbers.get(nodeId) ?? { floor: this.#gone.get(nodeId) ?? -Infinity, seen: new Set() };
		this.#numbers.set(nodeId, numbers);
		const { seen } = numbers;
		if (number <= numbers.floor || seen.has(number)) return false;
		seen.add(number);
		for (const oldest of seen) {
			if (seen.size <= most) break;
			seen.delete(oldest);
			numbers.floor = Math.max(numbers.floor, oldest);
		}
		return true;
	}

	/** Forgets a server that has gone, but for its last number. */
	lose(nodeId: string): void {
		const numbers = this.#numbers.get(nodeId);
		if (!numbers) return;
		this.#numbers.delete(nodeId);
		this.#gone.delete(nodeId);
		this.#gone.set(nodeId, Math.max(numbers.floor, ...numbers.seen));
		for (const first of this.#gone.keys()) {
			if (this.#gone.size <= mostGone) break;
			this.#gone.delete(first);
		}
	}
}
