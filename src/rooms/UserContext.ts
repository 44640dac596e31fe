import type { Connection } from '../connections/Connection.js';
import type { ConnectionContext } from '../connections/ConnectionContext.js';
import type { ConnectionMonitor } from '../stats/ConnectionMonitor.js';
import type { AnyPusher } from '../tracks/tracks.js';
import type { AppPauses } from './AppPauses.js';
import type { Permissions } from './Permissions.js';
import type { RoomMember } from './RoomMember.js';
import type { SharedQuota } from './SharedQuota.js';
import type { UserQuotas } from './userQuotas.js';

/** Another user of the room. */
export interface OtherUser extends RoomMember {
	readonly permissions: Readonly<Permissions>;
	readonly pushers: ReadonlyMap<string, AnyPusher>;
}

/** The parts of a room that a user needs. */
export interface UserContext extends Omit<ConnectionContext, 'userId' | 'gate' | keyof UserQuotas> {
	sharedQuota: SharedQuota | undefined;
	monitors: readonly ConnectionMonitor<Connection>[];
	pauses: AppPauses;
	ban: (userId: string) => void;
	/** @throws {@link SfuError} `not_found` */
	findUser: (userId: string) => OtherUser;
	/** The user follows what others push from now on. */
	follows: (userId: string) => void;
	/** All users of the room but this one. */
	othersThan: (user: RoomMember) => OtherUser[];
}
