import type { HttpSession } from './HttpSession.js';
import { fragmentType } from './cors.js';
import { noSession, Problem } from './Problem.js';
import { readFragment } from './sdpFragment.js';

/** How a condition of a request compares with an entity tag (RFC 9110, section 13.1.1). */
function matchOf(header: string, tag: string): 'any' | 'tag' | undefined {
	const tags = header.split(',').map((one) => one.trim());
	// The examples of RFC 9725 write the asterisk in quotation marks, too.
	if (tags.includes('*') || tags.includes('"*"')) return 'any';
	return tags.includes(tag) ? 'tag' : undefined;
}

/**
 * Handles candidates and ICE restarts of a client (RFC 9725, section 4.3).
 *
 * @param fragment - the body
 * @throws {@link Problem} (rejects) 400, 412, 428, and the errors of the restart
 */
export async function patchSession(session: HttpSession, { headers }: Request, fragment: string): Promise<Response> {
	if (session.user.closed) throw noSession();
	const condition = headers.get('if-match');
	if (condition === null) throw new Problem(428, 'If-Match is missing: it must have the ETag, or * to restart ICE');
	const ice = readFragment(fragment);
	const match = matchOf(condition, session.entityTag);
	if (!match) throw new Problem(412, 'If-Match is not the ETag of the ICE session', { code: 'conflict' });
	if (ice && !session.hasIce(ice)) return fragmentResponse(session, await session.restartIce(ice));
	const { lastFragment } = session;
	// The response to the restart was lost, and the client sends it again.
	if (ice && match === 'any' && lastFragment !== undefined) return fragmentResponse(session, lastFragment);
	return new Response(null, { status: 204 });
}

const fragmentResponse = ({ entityTag }: HttpSession, fragment: string) =>
	new Response(fragment, { headers: { 'content-type': fragmentType, etag: entityTag } });
