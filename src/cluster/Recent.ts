/** So many numbers of a server are remembered. */
const most = 1000;

/** The numbers of the last messages of each server. A bus may bring a message twice. */
export class Recent {
	readonly #numbers = new Map<string, Set<number>>();

	/** @returns whether this number is new */
	add(nodeId: string, number: number): boolean {
		const numbers = this.#numbers.get(nodeId) ?? new Set();
		this.#numbers.set(nodeId, numbers);
		if (numbers.has(number)) return false;
		numbers.add(number);
		for (const oldest of numbers) {
			if (numbers.size <= most) break;
			numbers.delete(oldest);
		}
		return true;
	}

	/** Forgets a server that has gone. */
	delete(nodeId: string): void {
		this.#numbers.delete(nodeId);
	}
}
