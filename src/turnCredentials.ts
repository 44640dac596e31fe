import { createHmac } from 'node:crypto';
import { urlsOf } from './iceServers.js';
import type { IceServer } from './protocol/iceServers.js';
import { nonEmpty, strict, validator } from './schemas.js';

/** What {@link turnCredentials} needs. */
export interface TurnCredentialsOptions {
	/** The secret that the TURN server has, too: `static-auth-secret` of coturn. */
	secret: string;
	/** The URLs of the TURN server, such as `turn:turn.example.com` and `turns:turn.example.com?transport=tcp`. */
	urls: string | readonly string[];
	/**
	 * How long a client may begin to use it, in ms, at least 1000. What it has begun goes on, as long as the TURN server lets it.
	 * Default 86,400,000: a day.
	 */
	lifetime?: number;
	/** The id of the user, for the log of the TURN server. Default: none. */
	userId?: string;
}

const lifetime = { type: 'number', minimum: 1000, maximum: 2 ** 41 };

const check = validator<TurnCredentialsOptions>(
	strict({ secret: nonEmpty, urls: urlsOf('turns?'), lifetime, userId: { type: 'string' } }, ['secret', 'urls']),
	'options',
);

/** A TURN server takes names of at most 508 bytes (RFC 8489, section 14.3), and writes them into its log. */
const longestId = 256;

/**
 * Makes an ICE server with a name and a password that count for a time, by the secret that a TURN server shares with the app: a
 * "REST API" for TURN (draft-uberti-behave-turn-rest-00), `use-auth-secret` of coturn. The clocks of both must agree.
 *
 * @throws {@link SfuError} `invalid_argument`
 * @example
 * ```ts
 * const urls = ['turn:turn.example.com', 'turns:turn.example.com?transport=tcp'];
 * const sfu = await Sfu.create({
 * 	iceServers: ({ userId }) => [turnCredentials({ secret: process.env.TURN_SECRET ?? '', urls, userId })],
 * });
 * ```
 */
export function turnCredentials(options: TurnCredentialsOptions): IceServer {
	const { secret, urls, lifetime = 86_400_000, userId } = check(options);
	const until = Math.floor((Date.now() + lifetime) / 1000);
	// What is no ASCII would have to be prepared by both sides in the same way (RFC 8265).
	const id = userId === undefined ? '' : `:${encodeURIComponent(Buffer.from(userId).toString()).slice(0, longestId)}`;
	const username = `${until}${id}`;
	const credential = createHmac('sha1', secret).update(username).digest('base64');
	return { urls: typeof urls === 'string' ? urls : [...urls], username, credential };
}
