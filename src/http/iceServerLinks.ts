import type { IceServer } from '../index.js';

/** Whether a text can be in a header as it is. */
const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

const isUri = (text: string): boolean => /^(stun|stuns|turn|turns):[^\s<>"]+$/.test(text) && isPlain(text);

const quotedString = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** Writes STUN and TURN servers as values of `Link` (RFC 9725, section 4.6). Those that a header cannot have are left out. */
export function iceServerLinks(servers: readonly IceServer[]): string[] {
	return servers.flatMap(({ urls, username, credential }) => {
		const attributes = [
			...(username === undefined ? [] : [`username=${quotedString(username)}`]),
			...(credential === undefined ? [] : [`credential=${quotedString(credential)}`, 'credential-type="password"']),
		];
		if (!attributes.every(isPlain)) return [];
		return [urls]
			.flat()
			.filter(isUri)
			.map((url) => [`<${url}>; rel="ice-server"`, ...(url.startsWith('turn') ? attributes : [])].join('; '));
	});
}
