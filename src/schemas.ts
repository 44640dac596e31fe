import { Ajv, type ErrorObject } from 'ajv';
import { SfuError } from './SfuError.js';

/** A text that must not be empty. */
export const nonEmpty = { type: 'string', minLength: 1 } as const;

/** A number of things, at least 1. */
export const count = { type: 'integer', minimum: 1 } as const;

/** A time in ms, at most as long as setTimeout() can wait. */
export const milliseconds = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 } as const;

/** A bitrate in bit/s: at most 4 Gbit/s, so that mediasoup's 32 bits hold it. */
export const bitrate = { type: 'integer', minimum: 0, maximum: 4_000_000_000 } as const;

/** A list of codecs, by their names. */
export const codecNames = { type: 'array', minItems: 1, maxItems: 32, items: nonEmpty } as const;

/** A spatial or temporal layer, counted from 0. */
export const layer = { type: 'integer', minimum: 0, maximum: 99 } as const;

/** The source and the metadata of a pusher. */
export const detailsProperties = { source: { type: ['string', 'null'], minLength: 1 }, metadata: {} } as const;

/** The options of a pusher of media. The pattern has the scalability modes that mediasoup's parser takes. */
export const mediaProperties = {
	...detailsProperties,
	scalabilityMode: { type: 'string', pattern: '^[LS][1-9]T[1-9](h|_KEY|_KEY_SHIFT)?$' },
	codecs: codecNames,
	maxBitrate: bitrate,
} as const;

const unsignedShort = { type: 'integer', minimum: 0, maximum: 0xffff } as const;

/** A data channel with a negotiated id. The id 65535 stands for none (RFC 8831, section 6.2). */
export const channelProperties = {
	...detailsProperties,
	id: { type: 'integer', minimum: 0, maximum: 0xfffe },
	label: { type: 'string' },
	protocol: { type: 'string' },
	ordered: { type: 'boolean' },
	maxPacketLifeTime: unsignedShort,
	maxRetransmits: unsignedShort,
} as const;

/** The options of the adapters that open WebSockets on the app's own server. */
export const webSocketProperties = {
	path: { type: 'string', pattern: '^/' },
	origins: { anyOf: [{ const: 'any' }, { type: 'array', items: { type: 'string' } }] },
	maxPayload: count,
	pingInterval: milliseconds,
} as const;

/** An object that has no other properties than these. */
export const strict = (properties: object, required: string[] = []) => ({
	type: 'object',
	properties,
	required,
	additionalProperties: false,
});

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

/** The first value that occurs a second time. */
export function firstTwice<Value>(values: readonly Value[]): Value | undefined {
	const seen = new Set<Value>();
	return values.find((value) => seen.size === seen.add(value).size);
}

// Control characters, line and paragraph separators, and those that turn the direction of a text around (Unicode TR36).
const deceptive = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/**
 * Checks a text that others are shown, such as an id or a name: its length, in Unicode code points, and that it has no
 * characters that nobody sees and that change how the rest is read.
 *
 * @param subject - as for {@link validator}
 */
export function checkLength(text: string, subject: string, longest: number): void {
	// A code point has at most two code units.
	if (text.length > longest * 2 || Array.from(text).length > longest) {
		throw new SfuError('invalid_argument', `${subject} must NOT have more than ${longest} characters`);
	}
	if (deceptive.test(text)) {
		throw new SfuError('invalid_argument', `${subject} must not have control or bidirectional characters`);
	}
}

/** @throws {@link SfuError} `invalid_argument` if a value is no text, or longer than that many code points */
export function checkText(text: unknown, subject: string, longest: number): void {
	if (typeof text !== 'string') throw new SfuError('invalid_argument', `${subject} must be string`);
	checkLength(text, subject, longest);
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
