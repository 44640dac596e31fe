import type { MediaKind } from 'mediasoup/types';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { validator } from '../schemas.js';
import type { DataTarget } from '../data/DataSender.js';
import type { DataPusher } from './DataPusher.js';
import type { Pusher } from './Pusher.js';

/** What to pull. */
export interface PullSpec {
	pusherId: string;
	/** When given it must be the pusher's. */
	kind?: MediaKind | 'data';
	/**
	 * Of a data channel: whether the client opens it itself, with `negotiated: true` and the `channelId` of the puller.
	 * Default false: the server opens it, so that the client gets `ondatachannel` with the pusher's label and protocol.
	 */
	negotiated?: boolean;
}

export interface ServerPullOptions {
	/** The user to pull from; it may be the puller itself. */
	targetUserId: string;
	/** Which of its pushers, each once. */
	specs: readonly PullSpec[];
}

export interface PullOptions extends ServerPullOptions {
	/**
	 * Which of its pushers, each once. Each takes the next m-line of its kind that receives; all data channels go on the
	 * one for them.
	 */
	specs: readonly PullSpec[];
	/** The SDP offer. */
	offer: string;
}

/** @throws {@link SfuError} `invalid_argument` */
export const checkPullOptions = validator<ServerPullOptions & Partial<PullOptions>>(
	{
		type: 'object',
		properties: {
			targetUserId: { type: 'string' },
			offer: { type: 'string' },
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
	pushers: ReadonlyMap<string, Pusher>;
	dataPushers: ReadonlyMap<string, DataPusher>;
}

/** Whether a spec is of a data channel. */
export const isOfData = ({ dataPushers, pushers }: Target, { kind, pusherId }: PullSpec): boolean =>
	dataPushers.has(pusherId) || (kind === 'data' && !pushers.has(pusherId));

/** As {@link findPushers}, of data channels. */
export function findDataPushers(
	{ userId, dataPushers }: Target,
	specs: readonly PullSpec[],
	isFormer: (pusherId: string) => boolean | undefined,
): DataTarget[] {
	return find(userId, dataPushers, specs, isFormer).map((pusher) => ({
		pusher,
		negotiated: specs.find(({ pusherId }) => pusherId === pusher.pusherId)?.negotiated ?? false,
	}));
}

/**
 * The pushers of a user that specs name.
 *
 * @param isFormer - whether it is no fault to name a pusher that is not there, because it was pulled before
 * @throws {@link SfuError} `not_found`, `invalid_argument`
 */
export function findPushers(
	{ userId, pushers }: Target,
	specs: readonly PullSpec[],
	isFormer: (pusherId: string) => boolean | undefined,
): Pusher[] {
	return find(userId, pushers, specs, isFormer);
}

function find<Kind extends Pusher | DataPusher>(
	userId: string,
	pushers: ReadonlyMap<string, Kind>,
	specs: readonly PullSpec[],
	isFormer: (pusherId: string) => boolean | undefined,
): Kind[] {
	const found = specs.flatMap(({ pusherId, kind }) => {
		const pusher = pushers.get(pusherId);
		if (!pusher && isFormer(pusherId)) return [];
		if (!pusher) throw new SfuError('not_found', `user ${quoted(userId)} has no pusher ${quoted(pusherId)}`);
		if (kind !== undefined && kind !== pusher.kind) {
			throw new SfuError('invalid_argument', `pusher "${pusherId}" is ${pusher.kind}, not ${kind}`);
		}
		return [pusher];
	});
	const twice = found.find((pusher, index) => found.indexOf(pusher) !== index);
	if (twice) throw new SfuError('invalid_argument', `specs name pusher "${twice.pusherId}" twice`);
	return found;
}
