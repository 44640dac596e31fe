import type { MediaKind } from 'mediasoup/types';
import { bitrate, nonEmpty, strict, validator } from '../schemas.js';
import { SfuError } from '../SfuError.js';
import type { AnyPusher } from '../tracks/tracks.js';
import type { RoomMember } from './RoomMember.js';

/** What a user may push. A property that is missing allows everything. */
export interface PushPermissions {
	/** The kinds of tracks that it may push. Default: both. */
	kinds?: readonly MediaKind[];
	/**
	 * The sources that its tracks may have, such as `camera`. A track without a source has that of its kind: `audio` or
	 * `video`. Default: any.
	 */
	sources?: readonly string[];
	/** How many tracks it may push at a time, beside `limits.pushersPerUser`. Default: no limit. */
	maxPushers?: number;
	/**
	 * The most that each of its RTCPeerConnections is asked to send in all, by RTCP (REMB), in bit/s, beside
	 * `maxIncomingBitrate`. Browsers obey; nothing forces another client to. Default: no limit.
	 */
	maxBitrate?: number;
}

/** A question whether a user may pull. */
export interface PullRequestOfUser {
	/** The user that pulls. */
	user: RoomMember;
	/** The user that it pulls from. */
	target: RoomMember;
	/** The track or the data channel that it pulls. */
	pusher: AnyPusher;
}

/**
 * What a user may do. The core enforces it by effect, whichever call or message leads to it. The app itself is not bound by
 * it.
 */
export interface Permissions {
	/** Whether it may push tracks, or which. Default true. */
	push: boolean | PushPermissions;
	/** Whether it may open data channels, announced or in-band, and so send on them. Default true. */
	openDataChannels: boolean;
	/** Whether it may send text messages. Adapters enforce it. Default true. */
	sendText: boolean;
	/**
	 * Whether it may pull: everything, nothing, or what a function returns `true` for. The function is asked once for each
	 * puller that comes to be, automatic ones, too, and again after `user.setPermissions()`. It is synchronous; if it
	 * throws, the puller is denied and the error is logged. Default true.
	 */
	pull: boolean | ((request: PullRequestOfUser) => boolean);
	/**
	 * Whether it may change its name and its metadata, and the source and the metadata of its pushers, once it has joined
	 * and pushed. Default true.
	 */
	updateMetadata: boolean;
	/**
	 * Whether it is a viewer whom no client is told of. A hidden user pushes nothing, opens no data channels and sends no
	 * text, whatever the other permissions say. Default false.
	 */
	hidden: boolean;
	/** Whether its `join` may open a room that is open on no server. Adapters enforce it; a user in a room has no use for it. Default true. */
	createRoom: boolean;
}

/** What a user may do unless the app says otherwise: everything, seen by all. */
export const defaultPermissions: Readonly<Permissions> = Object.freeze({
	push: true,
	openDataChannels: true,
	sendText: true,
	pull: true,
	updateMetadata: true,
	hidden: false,
	createRoom: true,
});

const boolean = { type: 'boolean' } as const;

const check = validator<Omit<Partial<Permissions>, 'pull'>>(
	strict({
		push: {
			anyOf: [
				boolean,
				strict({
					kinds: { type: 'array', items: { enum: ['audio', 'video'] } },
					sources: { type: 'array', items: nonEmpty },
					maxPushers: { type: 'integer', minimum: 0 },
					maxBitrate: bitrate,
				}),
			],
		},
		openDataChannels: boolean,
		sendText: boolean,
		updateMetadata: boolean,
		hidden: boolean,
		createRoom: boolean,
	}),
	'permissions',
);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Changes permissions. A property that `changes` does not have, or has as `undefined`, stays.
 *
 * @throws {@link SfuError} `invalid_argument`
 */
export function changePermissions(before: Readonly<Permissions>, changes: Partial<Permissions>): Readonly<Permissions> {
	if (!isObject(changes)) {
		throw new SfuError('invalid_argument', 'permissions must be object');
	}
	const given = Object.fromEntries(Object.entries<unknown>({ ...changes }).filter(([, value]) => value !== undefined));
	const { pull, ...others }: Record<string, unknown> = given;
	check(others);
	if (pull !== undefined && typeof pull !== 'boolean' && typeof pull !== 'function') {
		throw new SfuError('invalid_argument', 'permissions.pull must be boolean or a function');
	}
	const permissions: Permissions = { ...before, ...given };
	if (typeof permissions.push === 'object') permissions.push = copied(permissions.push);
	return Object.freeze(permissions);
}

/** What these permissions come to: a hidden user sends nothing. */
export const effective = (permissions: Readonly<Permissions>): Readonly<Permissions> =>
	permissions.hidden
		? Object.freeze({ ...permissions, push: false, openDataChannels: false, sendText: false })
		: permissions;

/** A copy that the app cannot change later. */
function copied({ kinds, sources, maxPushers, maxBitrate }: PushPermissions): PushPermissions {
	return Object.freeze({
		...(kinds && { kinds: Object.freeze([...kinds]) }),
		...(sources && { sources: Object.freeze([...sources]) }),
		...(maxPushers !== undefined && { maxPushers }),
		...(maxBitrate !== undefined && { maxBitrate }),
	});
}
