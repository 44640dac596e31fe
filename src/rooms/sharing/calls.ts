import { SfuError } from '../../SfuError.js';
import type { StatsOptions } from '../../stats/stats.js';
import type { PauseOrigin } from '../../tracks/Pauses.js';
import type { PusherDetails } from '../../tracks/PushOptions.js';
import { readSent } from '../../tracks/RemoteDataPusher.js';
import type { AnyPusher } from '../../tracks/tracks.js';
import type { Permissions } from '../Permissions.js';
import type { User } from '../User.js';
import type { UserDetails } from '../UserDetails.js';

/** A call that another server asks for, and its arguments. */
type Call = Record<string, unknown>;

/** Does with a user of this server what another one asks for. @throws {@link SfuError} (rejects) */
export async function callUser(user: User, { call, ...args }: Call): Promise<unknown> {
	switch (call) {
		case 'close':
			user.close(String(args.reason));
			return undefined;
		case 'update':
			user.update(args.details as UserDetails);
			return undefined;
		case 'send':
			user.send(String(args.name), args.data);
			return undefined;
		case 'request':
			return user.request(String(args.name), args.data, { timeout: Number(args.timeout) });
		case 'setPermissions':
			user.setPermissions(args.changes as Partial<Permissions>);
			return undefined;
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
