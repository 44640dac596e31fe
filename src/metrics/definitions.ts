import type { ConnectionCloseReason, OperationName } from '../index.js';

/** A metric as it is declared: its type, what it means, and the labels that it has beside `sfu`. */
interface Definition {
	type: 'gauge' | 'counter' | 'histogram';
	help: string;
	labels?: readonly string[];
}

/**
 * All metrics, by their names without the prefix. Each label has few values, whatever clients do: no label is an id of a room,
 * a user or a connection.
 */
export const definitions = {
	ready: { type: 'gauge', help: 'Whether the Sfu can serve somebody new: 1 or 0.' },
	rooms: { type: 'gauge', help: 'Open rooms.' },
	users: { type: 'gauge', help: 'Users who have joined on this server.' },
	waiting_users: { type: 'gauge', help: 'Users who wait in a lobby.' },
	connections: { type: 'gauge', help: 'RTCPeerConnections, by their state.', labels: ['state'] },
	pushers: { type: 'gauge', help: 'Tracks and data channels that users send.', labels: ['kind'] },
	stalled_pushers: { type: 'gauge', help: 'Tracks of which nothing arrives, though nobody has paused them.' },
	pullers: { type: 'gauge', help: 'Tracks and data channels that users receive.', labels: ['kind'] },
	pipes: {
		type: 'gauge',
		help: 'Tracks and data channels that go to another router, on this server or on another one.',
		labels: ['target'],
	},
	transfer_bytes_total: {
		type: 'counter',
		help: 'Bytes of media, data channels and overhead, as seen at each scrape.',
		labels: ['direction'],
	},
	transfer_bytes_per_second: {
		type: 'gauge',
		help: 'Bytes per second of media, data channels and overhead, at the moment.',
		labels: ['direction'],
	},
	operation_duration_seconds: {
		type: 'histogram',
		help: 'How long what succeeded has taken. Joins that waited in a lobby do not count.',
		labels: ['operation'],
	},
	operation_failures_total: {
		type: 'counter',
		help: 'What failed, by the code of the error.',
		labels: ['operation', 'code'],
	},
	message_failures_total: {
		type: 'counter',
		help: 'Messages of clients that were refused or have failed, by the code of the error.',
		labels: ['method', 'code'],
	},
	connections_closed_total: {
		type: 'counter',
		help: 'RTCPeerConnections that have closed, by the reason.',
		labels: ['reason'],
	},
	workers: { type: 'gauge', help: 'Running media workers.' },
	worker_deaths_total: { type: 'counter', help: 'Media workers that have died.' },
	worker_cpu_seconds_total: {
		type: 'counter',
		help: 'Processor time that a media worker has used since it began.',
		labels: ['worker'],
	},
	worker_resident_memory_bytes: { type: 'gauge', help: 'Memory of a media worker.', labels: ['worker'] },
	worker_tracks: { type: 'gauge', help: 'Tracks that a media worker receives and sends.', labels: ['worker'] },
	worker_full: { type: 'gauge', help: 'Whether a media worker is full: 1 or 0.', labels: ['worker'] },
	cluster_nodes: { type: 'gauge', help: 'Servers of the cluster that are alive, this one among them.' },
	cluster_bus_connected: { type: 'gauge', help: 'Whether messages come over the bus of the cluster: 1 or 0.' },
	event_loop_delay_p99_seconds: {
		type: 'gauge',
		help: 'How late the event loop of the process was, since the last scrape: 99 of 100 times less.',
	},
	event_loop_delay_max_seconds: {
		type: 'gauge',
		help: 'How late the event loop of the process was at worst, since the last scrape.',
	},
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof definitions;

/** The names of the metrics of a type. */
export type NameOf<Type extends Definition['type']> = {
	[Name in MetricName]: (typeof definitions)[Name] extends { type: Type } ? Name : never;
}[MetricName];

/** The values of the label `operation`. */
export const operations = Object.keys({
	openRoom: true,
	join: true,
	push: true,
	pull: true,
	offer: true,
	answer: true,
	connect: true,
} satisfies Record<OperationName, true>);

/** The values of the label `reason` beside `other`, which stands for those of the app. */
export const closeReasons: readonly ConnectionCloseReason[] = [
	'closed',
	'userLeft',
	'dtlsClosed',
	'connectTimeout',
	'disconnected',
	'negotiationFailed',
	'offerFailed',
	'answerTimeout',
	'workerDied',
	'replaced',
];

export const prefix = 'sfu_rooms_';

/** From what a quick answer takes to what the longest timeout allows, in seconds. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
