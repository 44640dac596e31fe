import type { MediaKind } from 'mediasoup/types';
import { quote } from '../quote.js';
import { SfuError } from '../SfuError.js';
import { validator } from '../validation.js';
import type { Pusher } from './Pusher.js';

/** What to pull. */
export interface PullSpec {
	pusherId: string;
	/** When given it must be the pusher's. */
	kind?: MediaKind;
}

export interface ServerPullOptions {
	/** The user to pull from; it may be the puller itself. */
	targetUserId: string;
	/** Which of its pushers, each once. */
	specs: readonly PullSpec[];
}

export interface PullOptions extends ServerPullOptions {
	/** Which of its pushers, each once. Each takes the next m-line of its kind that receives. */
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
					properties: { pusherId: { type: 'string' }, kind: { enum: ['audio', 'video'] } },
					required: ['pusherId'],
				},
			},
		},
		required: ['targetUserId', 'specs'],
	},
	'options',
);

/**
 * The pushers of a user that specs name.
 *
 * @param isFormer - whether it is no fault to name a pusher that is not there, because it was pulled before
 * @throws {@link SfuError} `not_found`, `invalid_argument`
 */
export function findPushers(
	{ userId, pushers }: { userId: string; pushers: ReadonlyMap<string, Pusher> },
	specs: readonly PullSpec[],
	isFormer: (pusherId: string) => boolean | undefined,
): Pusher[] {
	const found = specs.flatMap(({ pusherId, kind }) => {
		const pusher = pushers.get(pusherId);
		if (!pusher && isFormer(pusherId)) return [];
		if (!pusher) throw new SfuError('not_found', `user ${quote(userId)} has no pusher ${quote(pusherId)}`);
		if (kind !== undefined && kind !== pusher.kind) {
			throw new SfuError('invalid_argument', `pusher "${pusherId}" is ${pusher.kind}, not ${kind}`);
		}
		return [pusher];
	});
	const twice = found.find((pusher, index) => found.indexOf(pusher) !== index);
	if (twice) throw new SfuError('invalid_argument', `specs name pusher "${twice.pusherId}" twice`);
	return found;
}
