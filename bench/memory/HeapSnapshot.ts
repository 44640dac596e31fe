import { getHeapSnapshot } from 'node:v8';

/** What all objects of a kind take by themselves. */
export interface Held {
	count: number;
	bytes: number;
}

interface Meta {
	snapshot: { meta: { node_fields: string[]; node_types: [string[], ...unknown[]] } };
}

/** The types of nodes whose names are those of constructors. All others have their contents for names. */
const named = new Set(['object', 'native']);

const comma = 44;
const bracket = 93;
const zero = 48;

/**
 * Takes a snapshot of the heap, and adds up what the objects of each constructor take by themselves. Its text is read while it
 * is written, since that of a large heap is longer than a string may be.
 */
export async function takeHeapSnapshot(): Promise<Map<string, Held>> {
	let head = '';
	let nodes: NodeSums | undefined;
	const tail: Buffer[] = [];
	let found: 'nodes' | 'edges' | 'strings' = 'nodes';
	let rest = Buffer.alloc(0);
	for await (const chunk of getHeapSnapshot() as AsyncIterable<string | Buffer>) {
		let text = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
		if (found === 'nodes') {
			if (!nodes) {
				head += text.toString();
				const mark = '"nodes":[';
				const at = head.indexOf(mark);
				if (at < 0) continue;
				nodes = new NodeSums(JSON.parse(head.slice(0, at).trimEnd().replace(/,$/, '}')) as Meta);
				text = Buffer.from(head.slice(at + mark.length));
			}
			const end = nodes.read(text);
			if (end === undefined) continue;
			found = 'edges';
			text = text.subarray(end);
		}
		if (found === 'edges') {
			const mark = '"strings":[';
			rest = Buffer.concat([rest, text]);
			const at = rest.indexOf(mark);
			// The mark may be in two chunks.
			if (at < 0) {
				rest = rest.subarray(-mark.length);
				continue;
			}
			found = 'strings';
			text = rest.subarray(at + mark.length - 1);
		}
		tail.push(text);
	}
	const strings = JSON.parse(Buffer.concat(tail).toString().trimEnd().replace(/\}$/, '')) as string[];
	return nodes!.byName(strings);
}

/** Adds up the nodes of a snapshot. Each is a row of numbers. */
class NodeSums {
	readonly #types: string[];
	readonly #fields: number;
	readonly #typeAt: number;
	readonly #nameAt: number;
	readonly #sizeAt: number;
	readonly #isNamed: boolean[];
	/** By the index of the type, and that of the name. */
	readonly #sums = new Map<number, Held>();
	readonly #row: number[] = [];
	#number = 0;
	#field = 0;

	constructor({ snapshot: { meta } }: Meta) {
		this.#types = meta.node_types[0];
		this.#fields = meta.node_fields.length;
		this.#typeAt = meta.node_fields.indexOf('type');
		this.#nameAt = meta.node_fields.indexOf('name');
		this.#sizeAt = meta.node_fields.indexOf('self_size');
		this.#isNamed = this.#types.map((type) => named.has(type));
	}

	/** @returns the index after the last node, once that has come */
	read(text: Buffer): number | undefined {
		for (let index = 0; index < text.length; index++) {
			const byte = text[index]!;
			if (byte >= zero && byte <= zero + 9) this.#number = this.#number * 10 + byte - zero;
			else if (byte === comma || byte === bracket) {
				this.#row[this.#field++] = this.#number;
				this.#number = 0;
				if (this.#field === this.#fields) this.#add();
				if (byte === bracket) return index + 1;
			}
		}
		return undefined;
	}

	#add(): void {
		this.#field = 0;
		const type = this.#row[this.#typeAt]!;
		const name = this.#isNamed[type] ? this.#row[this.#nameAt]! + 1 : 0;
		const key = name * this.#types.length + type;
		const sum = this.#sums.get(key);
		const bytes = this.#row[this.#sizeAt]!;
		if (sum) {
			sum.count++;
			sum.bytes += bytes;
		} else this.#sums.set(key, { count: 1, bytes });
	}

	byName(strings: readonly string[]): Map<string, Held> {
		const all = [...this.#sums].map(([key, held]): [string, Held] => {
			const type = this.#types[key % this.#types.length]!;
			const name = Math.floor(key / this.#types.length);
			return [name > 0 ? strings[name - 1]! : `(${type})`, held];
		});
		// An object and a native one may have the same name.
		const sums = new Map<string, Held>();
		for (const [name, { count, bytes }] of all) {
			const before = sums.get(name) ?? { count: 0, bytes: 0 };
			sums.set(name, { count: before.count + count, bytes: before.bytes + bytes });
		}
		return sums;
	}
}

/** What all objects take. */
export const totalOf = (snapshot: ReadonlyMap<string, Held>): number =>
	[...snapshot.values()].reduce((sum, { bytes }) => sum + bytes, 0);
