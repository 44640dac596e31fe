import type { ConnectionContext } from '../connections/ConnectionContext.js';
import type { Limits } from '../options.js';
import { Quota } from '../Quota.js';
import type { SharedQuota } from './SharedQuota.js';

/** The quotas of a user. */
export type UserQuotas = Pick<ConnectionContext, 'connectionQuota' | 'pusherQuota' | 'dataPusherQuota' | 'pullerQuota'>;

/** Makes the quotas of a user. What it takes counts against those that it shares, too. */
export function userQuotas(limits: Limits, shared: SharedQuota | undefined): UserQuotas {
	const { connectionsPerUser, pushersPerUser, dataPushersPerUser, pullersPerUser } = limits;
	const pullers = new Quota(pullersPerUser, 'pullers of one user');
	return {
		connectionQuota: new Quota(
			connectionsPerUser,
			'connections of one user',
			shared && { take: () => shared.takeConnection() },
		),
		pusherQuota: new Quota(pushersPerUser, 'pushers of one user'),
		dataPusherQuota: new Quota(dataPushersPerUser, 'data channels that one user pushes'),
		pullerQuota: {
			take: (pusherId) => {
				const giveBackShared = shared?.takePuller(pusherId);
				try {
					const giveBack = pullers.take();
					return () => {
						giveBack();
						giveBackShared?.();
					};
				} catch (error) {
					giveBackShared?.();
					throw error;
				}
			},
		},
	};
}
