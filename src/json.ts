import { SfuError } from './SfuError.js';

/**
 * Copies a value and freezes the copy, so that nobody can make it exceed the limit later.
 *
 * @param subject - the name of the value in the message of an error
 * @param longest - in bytes of its JSON
 * @throws {@link SfuError} `invalid_argument` if it is no JSON value, or nested too deep; `too_large`
 */
export function jsonCopy(value: unknown, subject: string, longest: number): unknown {
	const json = jsonOf(value);
	if (json === undefined) throw new SfuError('invalid_argument', `${subject} must be a JSON value`);
	const bytes = Buffer.byteLength(json);
	if (bytes > longest) {
		throw new SfuError('too_large', `${subject} has ${bytes} bytes as JSON, more than the ${longest} that are allowed`);
	}
	const copy: unknown = JSON.parse(json);
	freezeAll(copy, subject);
	return copy;
}

/** A value that is nested deeper could overflow the stack of those who write it as JSON again, within something else. */
const deepest = 1000;

/** Freezes a value and all that it has. @throws {@link SfuError} `invalid_argument` */
function freezeAll(value: unknown, subject: string): void {
	let level = [value];
	for (let depth = 0; level.length > 0; depth++) {
		if (depth > deepest) throw new SfuError('invalid_argument', `${subject} is nested deeper than ${deepest} levels`);
		level = level.flatMap((part) =>
			typeof part === 'object' && part !== null ? (Object.values(Object.freeze(part)) as unknown[]) : [],
		);
	}
}

/** Whether a value can be written as JSON. */
export const isJson = (value: unknown): boolean => value === undefined || jsonOf(value) !== undefined;

/** Returns `undefined` for a value without JSON: a function, a cycle, a BigInt, one nested too deep, a toJSON() that throws. */
function jsonOf(value: unknown): string | undefined {
	try {
		return JSON.stringify(value);
	} catch {
		return undefined;
	}
}
