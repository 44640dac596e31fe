import { jsonCopy } from '../json.js';
import type { Limits } from '../options.js';
import { checkLength, strict, validator } from '../schemas.js';

/** What the others are told of a user. */
export interface UserDetails {
	/** The name of the user, for people to read, of at most {@link Limits.idLength}. */
	userName?: string;
	/**
	 * A JSON value of the app's own, of at most {@link Limits.metadataBytes}. The library never looks into it. `null`
	 * removes it.
	 */
	metadata?: unknown;
}

const checkDetails = validator<UserDetails>(strict({ userName: { type: 'string' }, metadata: {} }), 'details');

/** @throws {@link SfuError} `invalid_argument`, `too_large` */
export function readUserDetails(given: UserDetails, { idLength, metadataBytes }: Limits): UserDetails {
	const { userName, metadata } = checkDetails(given);
	if (userName !== undefined) checkLength(userName, 'details.userName', idLength);
	return {
		...(userName !== undefined && { userName }),
		...(metadata !== undefined && { metadata: jsonCopy(metadata, 'details.metadata', metadataBytes) }),
	};
}
