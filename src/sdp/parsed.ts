import type { MediaDescription, SessionDescription } from 'sdp-transform';

/** The type that sdp-transform really returns for hostile input: any part may be missing, any text may be a number. */
type Lenient<T> = T extends readonly (infer Item)[]
	? Lenient<Item>[]
	: T extends object
		? { [Key in keyof T]?: Lenient<NonNullable<T[Key]>> }
		: string | number;

/**
 * The attributes of which sdp-transform keeps the last line only (`fingerprint`), or of which it does not know all
 * characters.
 */
export const wholeAttributes = ['fingerprint', 'msid', 'rid', 'simulcast'] as const;

/** The values of {@link wholeAttributes} as written, in the order of the lines. */
export type WholeAttributes = Readonly<Partial<Record<(typeof wholeAttributes)[number], readonly string[]>>>;

/** An m-line as sdp-transform returns it, with some of its attributes as written. */
export type ParsedMedia = Lenient<MediaDescription> & { whole?: WholeAttributes };
/** A description as sdp-transform returns it, with some of its attributes as written. */
export type ParsedSession = Omit<Lenient<SessionDescription>, 'media'> & {
	media?: ParsedMedia[];
	whole?: WholeAttributes;
};
