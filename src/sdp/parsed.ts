import type { MediaDescription, SessionDescription } from 'sdp-transform';

/** What sdp-transform really returns for hostile input: anything may be missing, and any text may be a number. */
type Lenient<T> = T extends readonly (infer Item)[]
	? Lenient<Item>[]
	: T extends object
		? { [Key in keyof T]?: Lenient<NonNullable<T[Key]>> }
		: string | number;

export type ParsedMedia = Lenient<MediaDescription>;
export type ParsedSession = Lenient<SessionDescription>;
