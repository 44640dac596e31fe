// A client learns from a few of them what it has misspelt.
const most = 10;
const longestName = 64;

interface Schema {
	readonly properties?: Readonly<Record<string, unknown>>;
	readonly items?: unknown;
}

/**
 * Finds the fields of a checked value that its schema does not know.
 *
 * @returns their paths, such as `specs.0.pusherId`, and no more than ten
 */
export function unknownFields(value: unknown, schema: object): string[] {
	const found: string[] = [];
	search(value, schema, '', found);
	return found;
}

function search(value: unknown, { properties, items }: Schema, path: string, found: string[]): void {
	if (typeof value !== 'object' || value === null) return;
	if (Array.isArray(value)) {
		if (items === undefined) return;
		for (let index = 0; index < value.length && found.length < most; index++) {
			search(value[index], items as Schema, `${path}${index}.`, found);
		}
		return;
	}
	// Without properties it is a value of the app's own.
	if (!properties) return;
	for (const name in value) {
		if (found.length >= most) return;
		if (Object.hasOwn(properties, name)) {
			search((value as Record<string, unknown>)[name], properties[name] as Schema, `${path}${name}.`, found);
		} else {
			found.push(path + (name.length > longestName ? `${name.slice(0, longestName)}…` : name));
		}
	}
}
