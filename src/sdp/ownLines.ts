import type { Direction } from './Offer.js';

/** The lines of a session or an m-line that clients of one browser have each for themselves. */
export interface OwnLines {
	origin?: { sessionId: string; sessionVersion: string };
	bandwidth?: { type: string; limit: string | number }[];
	groups?: { type: string; mids: string }[];
	setup?: string;
	iceUfrag?: string;
	icePwd?: string;
	icelite?: string;
	mid?: string;
	direction?: Direction;
	rtcpMux?: string;
	rtcpRsize?: string;
	bundleOnly?: string;
	extmapAllowMixed?: string;
	ssrcs?: { id: string | number; attribute: string; value?: string }[];
	ssrcGroups?: { semantics: string; ssrcs: string }[];
	sctpPort?: string | number;
	maxMessageSize?: string | number;
	/** Of the attributes that several lines may have, the values as written, in the order of the lines. */
	whole: WholeAttributes;
}

/** The values of attributes as written. */
export type WholeAttributes = Partial<Record<'fingerprint' | 'msid' | 'rid' | 'simulcast', string[]>>;

/** V8 keeps the whole text as long as a part of it is used. */
export const copied = (part: string): string => Buffer.from(part).toString();

/** As sdp-transform has it: a number if it is written as one. */
const numeric = (value: string): string | number => (String(Number(value)) === value ? Number(value) : value);

type Read = (lines: OwnLines, value: string) => void;

/** Reads the match of a pattern. Of several lines, the last one counts. */
const reader =
	<Key extends keyof OwnLines>(
		key: Key,
		pattern: RegExp,
		convert: (match: readonly string[]) => OwnLines[Key] | undefined,
	): Read =>
	(lines, value) => {
		const match = pattern.exec(value);
		const converted = match ? convert(match) : undefined;
		if (converted !== undefined) lines[key] = converted;
	};

const word = (key: 'setup' | 'iceUfrag' | 'icePwd' | 'mid', pattern = /^\S*/): Read =>
	reader(key, pattern, ([found = '']) => copied(found));

const number = (key: 'sctpPort' | 'maxMessageSize'): Read => reader(key, /^\d+$/, ([found = '']) => numeric(found));

const whole =
	(key: keyof WholeAttributes): Read =>
	(lines, value) => {
		(lines.whole[key] ??= []).push(copied(value.trim()));
	};

const flag =
	<Key extends 'icelite' | 'rtcpMux' | 'rtcpRsize' | 'bundleOnly' | 'extmapAllowMixed' | 'direction'>(
		key: Key,
		value: OwnLines[Key],
	) =>
	(lines: OwnLines): void => {
		lines[key] = value;
	};

/** The attributes with a value, by their names. */
const attributes: ReadonlyMap<string, Read> = new Map([
	['mid', word('mid')],
	['setup', word('setup', /^\w*/)],
	['ice-ufrag', word('iceUfrag')],
	['ice-pwd', word('icePwd')],
	['sctp-port', number('sctpPort')],
	['max-message-size', number('maxMessageSize')],
	['fingerprint', whole('fingerprint')],
	['msid', whole('msid')],
	['rid', whole('rid')],
	['simulcast', whole('simulcast')],
	[
		'group',
		(lines, value) => {
			const [, type, mids] = /^(\w*) (.*)/.exec(value) ?? [];
			if (type !== undefined && mids !== undefined) (lines.groups ??= []).push({ type, mids });
		},
	],
	[
		'ssrc',
		(lines, value) => {
			const [, id, attribute, said] = /^(\d*) ([\w-]*)(?::(.*))?/.exec(value) ?? [];
			if (id === undefined || attribute === undefined) return;
			(lines.ssrcs ??= []).push({ id: numeric(id), attribute, ...(said !== undefined && { value: said }) });
		},
	],
	[
		'ssrc-group',
		(lines, value) => {
			const [, semantics, ssrcs] = /^([\x21\x23-\x27\x2a\x2b\x2d\x2e\w]*) (.*)/.exec(value) ?? [];
			if (semantics !== undefined && ssrcs !== undefined) (lines.ssrcGroups ??= []).push({ semantics, ssrcs });
		},
	],
]);

/** The attributes without a value, by their names. */
const flags: ReadonlyMap<string, (lines: OwnLines) => void> = new Map([
	['ice-lite', flag('icelite', 'ice-lite')],
	['rtcp-mux', flag('rtcpMux', 'rtcp-mux')],
	['rtcp-rsize', flag('rtcpRsize', 'rtcp-rsize')],
	['bundle-only', flag('bundleOnly', 'bundle-only')],
	['extmap-allow-mixed', flag('extmapAllowMixed', 'extmap-allow-mixed')],
	...(['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map(
		(direction) => [direction, flag('direction', direction)] as const,
	),
]);

const readOrigin = reader('origin', /^\S* (\d*) (\d*) \S* IP\d \S*/, ([, sessionId = '', sessionVersion = '']) => ({
	sessionId: copied(sessionId),
	sessionVersion: copied(sessionVersion),
}));

/**
 * Reads a line, with the patterns of sdp-transform. That one tries each pattern of its grammar on each line, which takes most of
 * the time of a push.
 */
export function readOwnLine(lines: OwnLines, line: string): void {
	if (line.startsWith('a=')) {
		const colon = line.indexOf(':');
		const name = colon < 0 ? line.slice(2) : line.slice(2, colon);
		if (colon >= 0) attributes.get(name)?.(lines, line.slice(colon + 1));
		flags.get(name)?.(lines);
	} else if (line.startsWith('o=')) {
		readOrigin(lines, line.slice(2));
	} else if (line.startsWith('b=')) {
		const [, type, limit] = /^(TIAS|AS|CT|RR|RS):(\d*)/.exec(line.slice(2)) ?? [];
		if (type !== undefined && limit !== undefined) (lines.bandwidth ??= []).push({ type, limit: numeric(limit) });
	}
}
