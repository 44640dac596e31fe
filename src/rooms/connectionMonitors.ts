import type { Connection } from '../connections/Connection.js';
import type { ResolvedOptions } from '../options.js';
import { ConnectionMonitor } from '../stats/ConnectionMonitor.js';

/** What looks at the connections of a room again and again: how good they are, and whether what they send arrives. */
export const connectionMonitors = ({
	qualityInterval,
	stallInterval,
}: Pick<ResolvedOptions, 'qualityInterval' | 'stallInterval'>): ConnectionMonitor<Connection>[] => [
	new ConnectionMonitor<Connection>(qualityInterval, (connection) => connection.measure()),
	new ConnectionMonitor<Connection>(stallInterval, (connection) => connection.watchArrival()),
];
