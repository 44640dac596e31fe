import { Problem } from './Problem.js';

/** The ICE credentials of one side. */
export interface FragmentIce {
	usernameFragment: string;
	password: string;
}

// RFC 8839, section 5.4.
const ufragLine = /^a=ice-ufrag:([A-Za-z0-9+/]{4,256})$/;
const passwordLine = /^a=ice-pwd:([A-Za-z0-9+/]{22,256})$/;

// RFC 8839, section 5.1: foundation, component, transport, priority, address, port, type.
const candidateLine = /^a=candidate:[A-Za-z0-9+/]{1,32} \d{1,5} \S+ \d{1,10} \S+ \d{1,5} typ \S+/;

const malformed = (reason: string) =>
	new Problem(400, `the SDP fragment is malformed: ${reason}`, { code: 'invalid_argument' });

/**
 * Reads an SDP fragment (RFC 8840). Its candidates are checked and left at that: an ICE-lite agent waits for checks, and needs
 * no candidates.
 *
 * @returns the credentials; undefined if it has none
 * @throws {@link Problem} 400
 */
export function readFragment(fragment: string): FragmentIce | undefined {
	const lines = fragment.split(/\r\n|\r|\n/).filter((line) => line !== '');
	if (!lines.some((line) => line.startsWith('a='))) throw malformed('it has no attribute');
	for (const line of lines) {
		if (!/^[a-z]=/.test(line)) throw malformed('it has a line that is not one of SDP');
		if (line.startsWith('a=candidate:') && !candidateLine.test(line)) throw malformed('it has an invalid candidate');
	}
	const usernameFragment = valueOf(lines, 'a=ice-ufrag:', ufragLine);
	const password = valueOf(lines, 'a=ice-pwd:', passwordLine);
	if (usernameFragment === undefined && password === undefined) return undefined;
	if (usernameFragment === undefined || password === undefined) {
		throw malformed('it has only one of a=ice-ufrag and a=ice-pwd');
	}
	return { usernameFragment, password };
}

/** The value of the lines that begin so. All of them must have the same one, because one transport carries everything. */
function valueOf(lines: readonly string[], start: string, pattern: RegExp): string | undefined {
	const written = new Set(lines.filter((line) => line.startsWith(start)));
	const [line] = written;
	if (line === undefined) return undefined;
	const value = pattern.exec(line)?.[1];
	if (written.size > 1 || value === undefined) throw malformed(`it has no valid ${start.slice(0, -1)}`);
	return value;
}

/** The credentials of an offer or an answer. Undefined if it has none. */
export function iceOf(sdp: string): FragmentIce | undefined {
	const usernameFragment = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
	const password = /^a=ice-pwd:(\S+)/m.exec(sdp)?.[1];
	return usernameFragment === undefined || password === undefined ? undefined : { usernameFragment, password };
}

/** An offer with other credentials. The candidates, which belong to those before, are left out. */
export const withIce = (sdp: string, { usernameFragment, password }: FragmentIce): string =>
	sdp
		.replace(/^a=(candidate:|end-of-candidates).*(\r\n|\r|\n)/gm, '')
		.replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${usernameFragment}`)
		.replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${password}`);

/** What an answer says of ICE, as a fragment: of the first m-line, whose transport carries all. */
export function writeFragment(answer: string): string {
	const [session = '', ...media] = answer.split(/^(?=m=)/m);
	const carrier = media.find((section) => !/^m=\S+ 0 /.test(section)) ?? '';
	const wanted = /^(m=|a=(ice-lite|ice-options|ice-ufrag|ice-pwd|group|mid|candidate|end-of-candidates))/;
	const lines = [session, carrier].flatMap((section) => section.split('\r\n')).filter((line) => wanted.test(line));
	return `${lines.join('\r\n')}\r\n`;
}

/** The m-lines of an offer, by their index: what kind they are of, and their mid. */
export function mediaOf(offer: string): { kind: string; mid: string | undefined }[] {
	const [, ...media] = offer.split(/^(?=m=)/m);
	return media.map((section) => ({
		kind: /^m=(\S+)/.exec(section)?.[1] ?? '',
		mid: /^a=mid:(\S+)/m.exec(section)?.[1],
	}));
}

/** An answer with `a=rtcp-mux-only` in each m-line that shares its port with RTCP (RFC 9725, section 4.4.1; RFC 8858). */
export const withMuxOnly = (answer: string): string =>
	answer.replace(/^a=rtcp-mux\r\n/gm, 'a=rtcp-mux\r\na=rtcp-mux-only\r\n');
