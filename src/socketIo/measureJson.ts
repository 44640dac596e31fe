/**
 * Measures about how many UTF-16 code units a value has as JSON, without making it. It needs no recursion, since a client
 * nests as deep as it likes.
 *
 * @param most - from which length on it need not be measured further
 * @returns `undefined` if the value is none that JSON has, for example binary
 */
export function measureJson(value: unknown, most = Infinity): number | undefined {
	let length = 0;
	const rest = [value];
	while (rest.length > 0 && length <= most) {
		const part = rest.pop();
		if (typeof part === 'string') {
			length += part.length + 2;
		} else if (typeof part === 'boolean' || part === null || Number.isFinite(part)) {
			length += 4;
		} else if (Array.isArray(part)) {
			length += part.length + 2;
			if (length <= most) for (const item of part) rest.push(item);
		} else if (isPlain(part)) {
			length += 2;
			for (const [key, item] of Object.entries(part)) {
				length += key.length + 4;
				if (length > most) break;
				rest.push(item);
			}
		} else {
			return undefined;
		}
	}
	return length;
}

function isPlain(value: unknown): value is Record<string, unknown> {
	if (typeof value !== 'object' || value === null) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}
