import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchPage } from './openPage.js';
import type { Pull } from './page/PullClock.js';
import { pusherId, roomIdOf, type Place, type SystemName } from './System.js';

/** A pull as it was measured. */
export interface Taken extends Pull {
	system: SystemName;
	place: Place;
	/** Whether it is the first one of its pusher. */
	isCold: boolean;
	round: number;
}

/** Each system in each place. */
const cases = (['same', 'other'] as const).flatMap((place) =>
	(['bare', 'client', 'server'] as const).map((system) => ({ system, place })),
);

/** How long everything is left alone after the pushes, and between two pulls, in ms. */
const settling = { pushed: 1500, pulled: 350 };

/** Pushes once for each case, and pulls it twice, in turn. No case always follows the same other one. */
export async function play(
	round: number,
	urls: Record<SystemName, string>,
	{ from, to }: { from: BenchPage; to: BenchPage },
): Promise<Taken[]> {
	const shift = Math.max(round, 0) % cases.length;
	const turns = [...cases.slice(shift), ...cases.slice(0, shift)];
	const ordered = Math.floor(Math.max(round, 0) / cases.length) % 2 === 0 ? turns : turns.reverse();
	const seatOf = ({ system, place }: (typeof cases)[number], userId: string) => ({
		system,
		url: urls[system],
		roomId: roomIdOf(place, `${system} ${round}`),
		userId,
	});
	for (const one of ordered) await from.push(seatOf(one, pusherId));
	await sleep(settling.pushed);
	const taken: Taken[] = [];
	for (const isCold of [true, false]) {
		for (const one of ordered) {
			// A pull shall not begin at the same point between two frames of the camera as the one before.
			await sleep(settling.pulled + Math.random() * 70);
			const pull = await to.pull(seatOf(one, isCold ? 'first' : 'second'));
			taken.push({ ...one, isCold, round, ...pull });
		}
	}
	await Promise.all([to.end(), from.end()]);
	return taken;
}
