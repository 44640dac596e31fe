import type { ConnectionState } from '../../connections/ConnectionEvents.js';
import type { WorkerLoad } from '../../media/placement.js';
import type { Room } from '../Room.js';

/** A number for each kind of pushers or pullers. */
export interface KindCounts {
	/** Tracks of audio. */
	audio: number;
	/** Tracks of video. */
	video: number;
	/** Data channels. */
	data: number;
}

/** How many there are of everything on this server. It can be serialised as JSON. */
export interface SfuCounts {
	/** The open rooms. */
	rooms: number;
	/** The users who have joined here. */
	users: number;
	/** The users who wait in a lobby. */
	waiting: number;
	/** The connections, by their states. */
	connections: Record<Exclude<ConnectionState, 'closed'>, number>;
	/** What the users who have joined here push. */
	pushers: KindCounts;
	/** The tracks among them of which nothing arrives, though nobody has paused them. */
	stalledPushers: number;
	/** What the users who have joined here pull. */
	pullers: KindCounts;
	/** The tracks and data channels that go from one router to another. */
	pipes: {
		/** Those that stay on this server: to another worker, or under other payload types to the same one. */
		workers: number;
		/** Those that go to other servers of the cluster. */
		servers: number;
	};
}

/** Counts everything: this takes time in proportion to the number of pullers. */
export function countAll({
	rooms,
	workers,
}: {
	rooms: ReadonlyMap<string, Room>;
	workers: readonly WorkerLoad[];
}): SfuCounts {
	const counts: SfuCounts = {
		rooms: rooms.size,
		users: 0,
		waiting: 0,
		connections: { new: 0, connected: 0, disconnected: 0 },
		pushers: { audio: 0, video: 0, data: 0 },
		stalledPushers: 0,
		pullers: { audio: 0, video: 0, data: 0 },
		pipes: { workers: 0, servers: 0 },
	};
	for (const room of rooms.values()) countRoom(room, counts);
	const pipes = workers.reduce((sum, worker) => sum + worker.pipes, 0);
	counts.pipes.workers = Math.max(pipes - counts.pipes.servers, 0);
	return counts;
}

function countRoom({ users, waiting, serverPipes }: Room, counts: SfuCounts): void {
	counts.waiting += waiting.size;
	counts.pipes.servers += serverPipes?.outgoing ?? 0;
	for (const { isRemote, connections, pushers, pullers } of users.values()) {
		// Its own server counts it.
		if (isRemote) continue;
		counts.users++;
		for (const { state } of connections) if (state !== 'closed') counts.connections[state]++;
		for (const pusher of pushers.values()) {
			counts.pushers[pusher.kind]++;
			if (pusher.kind !== 'data' && pusher.stalled) counts.stalledPushers++;
		}
		for (const { kind } of pullers.values()) counts.pullers[kind]++;
	}
}
