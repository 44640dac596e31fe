import type { IceServer } from './protocol/iceServers.js';
import { strict, validator } from './schemas.js';
import { SfuError } from './SfuError.js';

/** The schema of one or more URLs that begin with one of these schemes. */
export const urlsOf = (schemes: string) => {
	const url = { type: 'string', pattern: `^(${schemes}):[^\\s]+$`, maxLength: 1024 } as const;
	return { anyOf: [url, { type: 'array', minItems: 1, maxItems: 32, items: url }] } as const;
};

const text = { type: 'string', maxLength: 4096 } as const;

const schema = {
	type: 'array',
	maxItems: 32,
	items: strict({ urls: urlsOf('stuns?|turns?'), username: text, credential: text }, ['urls']),
};

const checks = {
	'options.iceServers': validator<readonly IceServer[]>(schema, 'options.iceServers'),
	iceServers: validator<readonly IceServer[]>(schema, 'iceServers'),
};

/**
 * Checks that an RTCPeerConnection takes the servers. It throws for a TURN server without a name and a password.
 *
 * @param subject - the name of the list in the message of an error
 * @returns a copy
 * @throws {@link SfuError} `invalid_argument`
 */
export function checkIceServers(servers: unknown, subject: keyof typeof checks): IceServer[] {
	return checks[subject](servers).map(({ urls, username, credential }, index) => {
		const isTurn = [urls].flat().some((url) => url.startsWith('turn'));
		if (isTurn && (username === undefined || credential === undefined)) {
			throw new SfuError('invalid_argument', `${subject}.${index} is a TURN server, and needs username and credential`);
		}
		return {
			urls: typeof urls === 'string' ? urls : [...urls],
			...(username !== undefined && { username }),
			...(credential !== undefined && { credential }),
		};
	});
}
