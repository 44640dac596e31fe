import sdpTransform from 'sdp-transform';
import type { SharedLines } from './parsed.js';

/** Whether a line is one of {@link SharedLines}, apart from the `m=` line. */
export const isShared = (line: string): boolean =>
	line.startsWith('a=rtcp-fb:') ||
	line.startsWith('a=rtpmap:') ||
	line.startsWith('a=fmtp:') ||
	line.startsWith('a=extmap:');

// Those of a video of Chromium have 5 KB.
const longestKept = 8192;
const mostKept = 32;

/** The last ones, by their text. */
const kept = new Map<string, SharedLines>();

/**
 * Parses the shared lines of an m-line. The result for the same lines is mostly the same object, and nobody may change it.
 *
 * @param lines - its `m=` line, if it has one, and the lines of its shared attributes
 */
export function parseSharedLines(lines: readonly string[]): SharedLines {
	const text = lines.join('\r\n');
	const known = kept.get(text);
	if (known) return known;
	const {
		media: [parsed],
		...ofSession
	} = sdpTransform.parse(text);
	const shared = (parsed ?? ofSession) as SharedLines;
	if (text.length > longestKept) return shared;
	kept.set(text, shared);
	for (const oldest of kept.keys()) {
		if (kept.size <= mostKept) break;
		kept.delete(oldest);
	}
	return shared;
}
