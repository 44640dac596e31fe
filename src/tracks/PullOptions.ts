import type { MediaKind } from 'mediasoup/types';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { validator } from '../schemas.js';
import type { DataPusher } from './DataPusher.js';
import type { Pusher } from './Pusher.js';
import type { AnyPusher } from './tracks.js';

/** One pusher to pull. */
export interface PullSpec {
	/** The pusher. */
	pusherId: string;
	/** The kind that the pusher must have. Default: any. */
	kind?: MediaKind | 'data';
	/**
	 * For a data channel: whether the client opens it itself, with `negotiated: true` and the `channelId` of the puller.
	 * Default false: the server opens it, and the client gets `ondatachannel` with the pusher's label and protocol.
	 */
	negotiated?: boolean;
}

/** The pushers to pull by an offer of the server. */
export interface ServerPullOptions {
	/** The user that pushes them. It may be the user that pulls. */
	targetUserId: string;
	/** The pushers, each of them once. */
	specs: readonly PullSpec[];
	/** Left out: with an offer of the client these would be {@link PullOptions}. */
	offer?: never;
}

/** The pushers to pull by an offer of the client. */
export interface PullOptions extends Omit<ServerPullOptions, 'offer'> {
	/**
	 * The pushers, each of them once. Each takes the next m-line of its kind that receives. Data channels share the m-line
	 * for data channels.
	 */
	specs: readonly PullSpec[];
	/** The SDP offer. */
	offer: string;
	/** The id of the connection that the offer belongs to, if there is one already. Default: the offer tells. */
	connectionId?: string;
}

/** A data channel to pull. */
export interface DataTarget {
	readonly pusher: DataPusher;
	/** Whether the client opens it itself. */
	readonly negotiated: boolean;
}

/** The pushers to pull: tracks and data channels. */
export interface PullTargets {
	readonly media: Pusher[];
	readonly data: DataTarget[];
}

/** @throws {@link SfuError} `invalid_argument` */
export const checkPullOptions = validator<Omit<PullOptions, 'offer'> & { offer?: string }>(
	{
		type: 'object',
		properties: {
			targetUserId: { type: 'string' },
			offer: { type: 'string' },
			connectionId: { type: 'string' },
			specs: {
				type: 'array',
				minItems: 1,
				items: {
					type: 'object',
					properties: {
						pusherId: { type: 'string' },
						kind: { enum: ['audio', 'video', 'data'] },
						negotiated: { type: 'boolean' },
					},
					required: ['pusherId'],
				},
			},
		},
		required: ['targetUserId', 'specs'],
	},
	'options',
);

interface Target {
	userId: string;
	pushers: ReadonlyMap<string, AnyPusher>;
}

/**
 * Finds the pushers of a user that specs name.
 *
 * @param isFormer - whether a pusher may be missing, because the connection pulled it before
 * @throws {@link SfuError} `not_found`, `invalid_argument`
 */
export function findTargets(
	{ userId, pushers }: Target,
	specs: readonly PullSpec[],
	isFormer: (pusherId: string) => boolean = () => false,
): PullTargets {
	const targets: PullTargets = { media: [], data: [] };
	const found = new Set<AnyPusher>();
	for (const { pusherId, kind, negotiated = false } of specs) {
		const pusher = pushers.get(pusherId);
		if (!pusher && isFormer(pusherId)) continue;
		if (!pusher) throw new SfuError('not_found', `user ${quoted(userId)} has no pusher ${quoted(pusherId)}`);
		if (kind !== undefined && kind !== pusher.kind) {
			throw new SfuError('invalid_argument', `pusher "${pusherId}" is ${pusher.kind}, not ${kind}`);
		}
		if (found.has(pusher)) throw new SfuError('invalid_argument', `specs name pusher "${pusherId}" twice`);
		found.add(pusher);
		if (pusher.kind === 'data') targets.data.push({ pusher, negotiated });
		else targets.media.push(pusher);
	}
	return targets;
}
