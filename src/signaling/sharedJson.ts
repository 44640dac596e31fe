/** Write lists that {@link SharedList} has made. */
const writers = new WeakMap<object, () => string>();

/** A value that many get, and its JSON once it was written. */
export interface Shared<Value> {
	readonly value: Value;
	json?: string;
}

/**
 * Items of which each receiver gets all but one: a room of 500 tells each user who joins of all others. They are written as JSON
 * once for all. Nobody changes them, or a list that was got here.
 */
export class SharedList<Value> {
	readonly #items: readonly Shared<Value>[];
	#written: { json: string; ends: readonly number[] } | undefined;

	constructor(items: readonly Shared<Value>[]) {
		this.#items = items;
	}

	/** The values of all items but one. */
	without(item: Shared<Value> | undefined): Value[] {
		const index = item ? this.#items.indexOf(item) : -1;
		const list = this.#items.map(({ value }) => value);
		if (index >= 0) list.splice(index, 1);
		writers.set(list, () => this.#jsonWithout(index));
		return list;
	}

	#jsonWithout(index: number): string {
		const { json, ends } = (this.#written ??= this.#writeAll());
		if (index < 0) return `[${json}]`;
		// With the comma after the first item, or before any other.
		const begin = index === 0 ? 0 : (ends[index - 1] ?? 0);
		const end = (ends[index] ?? 0) + (index === 0 ? 1 : 0);
		return `[${json.slice(0, begin)}${json.slice(end)}]`;
	}

	#writeAll(): { json: string; ends: number[] } {
		const texts = this.#items.map((item) => (item.json ??= JSON.stringify(item.value)));
		let length = -1;
		return { json: texts.join(','), ends: texts.map((text) => (length += text.length + 1)) };
	}
}

/**
 * Writes the data of a response as `JSON.stringify()` does, only faster: who joins is told of all others in the room, and they are
 * written once for all who join.
 *
 * @param data - the data of a {@link RequestResult}
 * @returns the JSON
 */
export function writeJson(data: object): string {
	// Joined, each part would be copied once more, which is most of the time for a large room.
	let members = '';
	for (const [key, value] of Object.entries(data as Record<string, unknown>)) {
		const write = typeof value === 'object' && value !== null ? writers.get(value) : undefined;
		const json = write ? write() : (JSON.stringify(value) as string | undefined);
		if (json !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${json}`;
	}
	return `{${members}}`;
}
