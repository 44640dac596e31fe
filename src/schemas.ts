import { Ajv, type ErrorObject } from 'ajv';
import { SfuError } from './SfuError.js';

const ajv = new Ajv({ allowUnionTypes: true });

function reason({ instancePath, keyword, params, message }: ErrorObject, subject: string): string {
	const path = [subject, ...instancePath.split('/').slice(1)].join('.');
	switch (keyword) {
		case 'required':
			return `${path}.${String(params.missingProperty)} is missing`;
		case 'additionalProperties':
			return `${path}.${String(params.additionalProperty)} is not known`;
		case 'enum':
		case 'const':
			return `${path} must be one of ${JSON.stringify(params.allowedValues ?? [params.allowedValue])}`;
		default:
			return `${path} ${message ?? 'is invalid'}`;
	}
}

/**
 * Checks the length of a text, in Unicode code points.
 *
 * @param subject - as for {@link validator}
 */
export function checkLength(text: string, subject: string, longest: number): void {
	// A code point has at most two code units.
	if (text.length > longest * 2 || Array.from(text).length > longest) {
		throw new SfuError('invalid_argument', `${subject} must NOT have more than ${longest} characters`);
	}
}

/**
 * Compiles a JSON schema to a function that returns a valid value, and throws `invalid_argument` for another one. ajv keeps
 * compiled schemas for ever, so compile each schema once.
 *
 * @param subject - the name of the value in the message, such as "data" in "data.sdp is missing"
 */
export function validator<Value>(schema: object, subject: string): (value: unknown) => Value {
	const validate = ajv.compile<Value>(schema);
	return (value) => {
		if (validate(value)) return value;
		const [error] = validate.errors ?? [];
		throw new SfuError('invalid_argument', error ? reason(error, subject) : `${subject} is invalid`);
	};
}
