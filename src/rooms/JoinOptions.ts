import type { Limits } from '../options.js';
import { bitrate, checkLength, codecNames, nonEmpty, validator } from '../schemas.js';
import { SfuError } from '../SfuError.js';
import { isJson, jsonCopy } from '../json.js';
import { changePermissions, defaultPermissions, type Permissions } from './Permissions.js';
import { SharedQuota } from './SharedQuota.js';

/** How to add a user to a room. */
export interface JoinOptions {
	/** The id of the user. It must be unique in the room. */
	userId: string;
	/** The name of the user, for people to read. Default: the user id. */
	userName?: string;
	/**
	 * A JSON value of the app's own that the others are told, of at most {@link Limits.metadataBytes}. The library never
	 * looks into it. `null` stands for none. Default: none.
	 */
	metadata?: unknown;
	/**
	 * A value of the app's own that no client is told, and none can change. The library never looks into it. In a cluster it
	 * must be JSON, since other servers are told of it. Default: none.
	 */
	appData?: unknown;
	/**
	 * The codecs that the user's pushers may send, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Codecs
	 * that the room does not have are ignored. If the list has none of a kind, that kind stays as the room has it.
	 */
	codecs?: readonly string[];
	/** Replaces `webRtc.maxIncomingBitrate` for each connection of the user. In bit/s. */
	maxIncomingBitrate?: number;
	/** Replaces `webRtc.maxOutgoingBitrate` for each connection of the user. In bit/s. */
	maxOutgoingBitrate?: number;
	/** What the user may do. A permission that is missing is given. Default: everything, and it is not hidden. */
	permissions?: Partial<Permissions>;
	/** Whether the user joins past the lobby and the lock of the room. A ban holds all the same. Default false. */
	admitted?: boolean;
	/** Whether it takes the place of a user with the same id who has joined on another server. Default false: `conflict`. */
	takeOver?: boolean;
	/** Limits that the user shares with others, for example with those of the same account. Default: none. */
	sharedQuota?: SharedQuota;
	/** Ends the wait in the lobby when it is aborted: the join rejects with `closed`. */
	signal?: AbortSignal;
}

const check = validator<JoinOptions>(
	{
		type: 'object',
		properties: {
			userId: nonEmpty,
			userName: { type: 'string' },
			codecs: codecNames,
			maxIncomingBitrate: bitrate,
			maxOutgoingBitrate: bitrate,
			permissions: { type: 'object' },
			admitted: { type: 'boolean' },
			takeOver: { type: 'boolean' },
		},
		required: ['userId'],
	},
	'options',
);

/**
 * @param isShared - whether other servers are told of the user
 * @throws {@link SfuError} `invalid_argument`, `too_large`
 */
export function checkJoinOptions(
	options: JoinOptions,
	{ idLength, metadataBytes }: Limits,
	isShared = false,
): JoinOptions {
	const checked = check(options);
	const { userId, userName = userId, permissions, sharedQuota } = checked;
	checkLength(userId, 'options.userId', idLength);
	checkLength(userName, 'options.userName', idLength);
	if (sharedQuota !== undefined && !(sharedQuota instanceof SharedQuota)) {
		throw new SfuError('invalid_argument', 'options.sharedQuota must be a SharedQuota');
	}
	if (isShared && !isJson(checked.appData)) {
		throw new SfuError('invalid_argument', 'options.appData must be JSON, because other servers are told of it');
	}
	if (permissions) changePermissions(defaultPermissions, permissions);
	const { metadata } = checked;
	if (metadata === undefined) return checked;
	return { ...checked, metadata: jsonCopy(metadata, 'options.metadata', metadataBytes) };
}
