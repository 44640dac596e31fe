import { SfuError, type Connection, type PushMediaOptions } from '../index.js';
import type { WatchTarget } from './authorize.js';
import { HttpSession, type SessionStart } from './HttpSession.js';
import { mediaOf } from './sdpFragment.js';

/** A session of WHIP: a user that pushes. */
export class WhipSession extends HttpSession {
	readonly #connection: Connection;

	private constructor(start: SessionStart, connection: Connection, answer: string) {
		super(start, connection, answer);
		this.#connection = connection;
	}

	/**
	 * Pushes what is offered, all of it or nothing (RFC 9725, section 4.4.3).
	 *
	 * @param sources - the sources of the audio and the video
	 * @throws {@link SfuError} (rejects) the errors of `user.push()`
	 */
	static async open(start: SessionStart, sources: Omit<WatchTarget, 'userId'>): Promise<WhipSession> {
		const { answer, connection } = await start.user.push(start.offer, {
			whole: true,
			media: mediaOptions(start.offer, sources),
		});
		return new WhipSession(start, connection, answer);
	}

	protected override async answerRestart(offer: string): Promise<string> {
		const { answer } = await this.user.push(offer, { connectionId: this.#connection.connectionId });
		return answer;
	}
}

/** Names the sources of m-lines by their mids. */
function mediaOptions(offer: string, sources: Omit<WatchTarget, 'userId'>): Record<string, PushMediaOptions> {
	const options: Record<string, PushMediaOptions> = {};
	for (const kind of ['audio', 'video'] as const) {
		const source = sources[kind];
		if (source === undefined) continue;
		const section = mediaOf(offer).find((media) => media.kind === kind);
		if (section?.mid === undefined) {
			throw new SfuError(
				'invalid_argument',
				`the URL names a source of ${kind}, and the offer has no such m-line with a mid`,
			);
		}
		options[section.mid] = { source };
	}
	return options;
}
