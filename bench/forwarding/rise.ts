import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { idleTime, processorTime, waitingTime } from './processorTime.js';
import { openRoom, type LoadedRoom } from './room.js';
import { systems, type System } from './Server.js';

/** A rate at which a room has been sent to. */
export interface Step {
	/** Packets that the pusher has sent in a second. */
	input: number;
	/** Packets that were encrypted and sent to pullers in a second. */
	forwarded: number;
	/** Packets of the pusher that the first worker has not received. */
	lostInput: number;
	/** Packets that should have been sent to a puller and were not: for those above, and for those lost between workers. */
	notForwarded: number;
	/** The share of a core that each worker has used, in percent. */
	workers: number[];
	/** The same of the time for which it could have run, and did not get a processor. */
	waiting: number[];
	node: number;
	pusher: number;
	/** The share of all cores that nobody has used, in percent of one. */
	idle: number;
	/** What other processes on the machine have used of them. */
	others: number;
}

export interface Rise {
	pullers: number;
	workers: number;
	/** Bytes of a payload. */
	payload: number;
	/** The packets in a second of the first step. */
	first: number;
	/** How long a step takes, in ms. */
	duration: number;
}

const coarse = 1.25;
const fine = 1.05;
const noVideo = { rate: 0, packets: 0, payload: 0 };
/** So often a step is tried that others disturb. */
const mostAttempts = 5;
/** How long nothing is sent after a step, in ms, so that queues empty. */
const pause = 500;

/**
 * Freezes the pullers of a room, and has its pusher send faster in steps: in coarse ones up to the first in which something
 * is lost, and then in fine ones from the last one before it, up to the next loss.
 */
export async function rise(
	binary: string,
	system: System,
	{ pullers: count, workers, payload, first, duration }: Rise,
): Promise<Step[]> {
	const options = { ...systems[system], workers, video: false };
	const media = { audio: { rate: 50, payload }, video: noVideo };
	const room = await openRoom(binary, options, { count, media });
	try {
		room.pullers.freeze();
		const steps: Step[] = [];
		const climb = async (rate: number, factor: number): Promise<number> => {
			let step = await climbTo(room, { rate, payload, count, duration });
			for (let attempt = 1; attempt < mostAttempts && isDisturbed(step); attempt++) {
				steps.push(step);
				step = await climbTo(room, { rate, payload, count, duration });
			}
			steps.push(step);
			return isLossless(step) ? climb(rate * factor, factor) : rate / factor;
		};
		await climb((await climb(first, coarse)) * fine, fine);
		return steps;
	} finally {
		await room.end();
	}
}

export const isLossless = ({ lostInput, notForwarded }: Step): boolean => lostInput === 0 && notForwarded === 0;

/** Whether the loss may be the fault of other processes, that have taken more than a tenth of a core. */
const isDisturbed = (step: Step): boolean => !isLossless(step) && step.others > 10;

async function climbTo(
	{ server, pusher, ssrcs }: LoadedRoom,
	{ rate, payload, count, duration }: { rate: number; payload: number; count: number; duration: number },
): Promise<Step> {
	const send = (packets: number) => pusher.send({ audio: { rate: packets, payload }, video: noVideo }, ssrcs);
	const stand = async () => {
		await send(0);
		await sleep(pause);
		const [{ sent }, counts] = await Promise.all([pusher.tell(), server.counts()]);
		return { sent, ...counts };
	};
	const times = () => ({
		workers: server.workers.map((pid) => processorTime(pid)),
		waiting: server.workers.map((pid) => waitingTime(pid)),
		node: processorTime(server.pid),
		pusher: processorTime(pusher.pid),
		idle: idleTime(),
		at: performance.now(),
	});
	const before = await stand();
	const begin = times();
	await send(rate);
	await sleep(duration);
	const end = times();
	const after = await stand();
	const took = end.at - begin.at;
	const sent = after.sent - before.sent;
	const forwarded = after.forwarded - before.forwarded;
	const percent = (from: number, to: number) => ((to - from) / took) * 100;
	const percents = (from: number[], to: number[]) => from.map((time, index) => percent(time, to[index] ?? time));
	const [used, node, sender, idle] = [
		percents(begin.workers, end.workers),
		percent(begin.node, end.node),
		percent(begin.pusher, end.pusher),
		percent(begin.idle, end.idle),
	];
	return {
		input: (sent / took) * 1000,
		forwarded: (forwarded / took) * 1000,
		lostInput: sent - (after.received - before.received),
		notForwarded: sent * count - forwarded,
		workers: used,
		waiting: percents(begin.waiting, end.waiting),
		node,
		pusher: sender,
		idle,
		others: cpus().length * 100 - used.reduce((sum, share) => sum + share, node + sender + idle),
	};
}
