import type { NameOf } from './definitions.js';
import type { Labels, Tell } from './MetricSet.js';

/** Counts what happens between scrapes, by metrics and labels. */
export class Tally {
	readonly #counts = new Map<string, { name: NameOf<'counter'>; labels: Labels; value: number }>();

	/** @param labels - in the same order for the same metric */
	add(name: NameOf<'counter'>, labels: Labels = {}): void {
		const key = JSON.stringify([name, labels]);
		const count = this.#counts.get(key) ?? { name, labels, value: 0 };
		count.value++;
		this.#counts.set(key, count);
	}

	/** Tells all counts. */
	tell(tell: Tell): void {
		for (const { name, labels, value } of this.#counts.values()) tell(name, labels, value);
	}
}
