import type { MediaDescription } from 'sdp-transform';
import type { OwnLines } from './ownLines.js';

/** The type that sdp-transform really returns for hostile input: any part may be missing, any text may be a number. */
type Lenient<T> = T extends readonly (infer Item)[]
	? Lenient<Item>[]
	: T extends object
		? { [Key in keyof T]?: Lenient<NonNullable<T[Key]>> }
		: string | number;

/** The lines of an m-line that are the same for all clients of one browser. Most lines of an offer are these. */
export type SharedLines = Lenient<
	Pick<MediaDescription, 'type' | 'port' | 'protocol' | 'payloads' | 'rtp' | 'fmtp' | 'rtcpFb' | 'ext'>
>;

/** An m-line, whose contents have not been checked. */
export type ParsedMedia = SharedLines & Partial<OwnLines>;

/** A description, whose contents have not been checked. */
export type ParsedSession = ParsedMedia & { media: ParsedMedia[] };
