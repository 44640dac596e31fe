import type { MediaDescription, SessionDescription } from 'sdp-transform';

/** The type that sdp-transform really returns for hostile input: any part may be missing, any text may be a number. */
type Lenient<T> = T extends readonly (infer Item)[]
	? Lenient<Item>[]
	: T extends object
		? { [Key in keyof T]?: Lenient<NonNullable<T[Key]>> }
		: string | number;

/** An m-line as sdp-transform returns it. */
export type ParsedMedia = Lenient<MediaDescription>;
/** A description as sdp-transform returns it. */
export type ParsedSession = Lenient<SessionDescription>;
