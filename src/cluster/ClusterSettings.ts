import type { Bus } from './Bus.js';
import type { Direct, DirectOptions } from './DirectLink.js';
import type { NodeInfo } from './wire.js';

/** What this server tells of itself, beside its name and address. */
export type OwnLoad = Pick<NodeInfo, 'draining' | 'load' | 'rooms' | 'users'>;

/** How a server takes part in a cluster. */
export interface ClusterSettings {
	/** Carries the messages, sealed already. */
	bus: Bus;
	secret: string;
	name?: string | undefined;
	listen: { ip: string; port: number; announcedAddress?: string | undefined };
	load: () => OwnLoad;
	/** The id of this server. Default: one that no other server ever had. */
	nodeId?: string;
	/** Default: {@link DirectLink.open}. */
	openDirect?: (options: DirectOptions) => Promise<Direct>;
	/** The clock, in ms. Default: that of the process. */
	now?: () => number;
}
