import { SfuError } from '../../SfuError.js';
import type { StatsOptions } from '../../stats/stats.js';
import type { PauseOrigin } from '../../tracks/Pauses.js';
import type { PusherDetails } from '../../tracks/PushOptions.js';
import { readSent } from '../../tracks/RemoteDataPusher.js';
import type { AnyPusher } from '../../tracks/tracks.js';
import type { Permissions } from '../Permissions.js';
import type { User } from '../User.js';

/** A call that another server asks for, and its arguments. */
type Call = Record<string, unknown>;

/** Does with a user of this server what another one asks for. @throws {@link SfuError} */
export function callUser(user: User, { call, ...args }: Call): void {
	switch (call) {
		case 'close':
			user.close(String(args.reason));
			break;
		case 'rename':
			user.rename(String(args.userName));
			break;
		case 'setPermissions':
			user.setPermissions(args.changes as Partial<Permissions>);
			break;
		default:
			throw unknown();
	}
}

/** Does with a pusher of this server what another one asks for. @throws {@link SfuError} (rejects) */
export async function callPusher(pusher: AnyPusher, { call, ...args }: Call): Promise<unknown> {
	switch (call) {
		case 'close':
			pusher.close(String(args.reason));
			return undefined;
		case 'update':
			pusher.update(args.details as PusherDetails);
			return undefined;
		case 'setPaused':
			await pusher.setPaused(args.cause as PauseOrigin, args.paused === true);
			return undefined;
		case 'getStats':
			return pusher.kind === 'data' ? undefined : pusher.getStats(args.options as StatsOptions);
		case 'requestKeyframe':
			if (pusher.kind !== 'data') await pusher.requestKeyframe();
			return undefined;
		case 'send':
			if (pusher.kind === 'data') await pusher.send(readSent(args));
			return undefined;
		default:
			throw unknown();
	}
}

const unknown = (): SfuError => new SfuError('unsupported', 'the other server does not know this request');
