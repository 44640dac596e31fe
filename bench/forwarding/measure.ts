import { setTimeout as sleep } from 'node:timers/promises';
import type { Media } from './Load.js';
import { processorTime } from './processorTime.js';
import { openRoom } from './room.js';
import { systems, type System } from './Server.js';

/** What one system has used in one window. Processor time is in percent of a core, delays are in ms. */
export interface Sample {
	node: number;
	worker: number;
	/** The load generator: the pusher and all pullers. */
	load: number;
	/** Packets that all pullers together have received in a second. */
	rate: number;
	/** Packets that some puller has not received. */
	lost: number;
	profile: string;
	p50: number;
	p95: number;
	p99: number;
}

/** For how long media flows before it is measured, in ms, so that Node has compiled what it runs often. */
const warmUp = 6000;

/** Measures a room with one pusher for `duration` ms. */
export async function measure(
	binary: string,
	system: System,
	{
		pullers: count,
		media,
		duration,
		execArgv = [],
	}: { pullers: number; media: Media; duration: number; execArgv?: string[] },
): Promise<Sample> {
	const options = { ...systems[system], workers: 1, video: true };
	const room = await openRoom(binary, options, { count, media, execArgv });
	const { server, pusher, pullers } = room;
	try {
		await sleep(warmUp);
		await pullers.forget();
		const before = await pullers.tell();
		const used = () => ({
			node: processorTime(server.pid),
			worker: server.workers.map((pid) => processorTime(pid)).reduce((sum, time) => sum + time),
			load: processorTime(pusher.pid) + processorTime(pullers.pid),
			at: performance.now(),
		});
		const first = used();
		await sleep(duration);
		const last = used();
		const after = await pullers.tell();
		const took = last.at - first.at;
		return {
			node: ((last.node - first.node) / took) * 100,
			worker: ((last.worker - first.worker) / took) * 100,
			load: ((last.load - first.load) / took) * 100,
			rate: ((after.received - before.received) / took) * 1000,
			lost: after.lost - before.lost + after.drops - before.drops,
			profile: after.profile,
			p50: after.p50,
			p95: after.p95,
			p99: after.p99,
		};
	} finally {
		await room.end();
	}
}
