import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchPage } from '../firstFrame/openPage.js';
import type { Pull } from '../firstFrame/page/PullClock.js';
import { pusherId, type Place } from '../firstFrame/System.js';

/** Who makes the offer. */
export type Offerer = 'client' | 'server';

/**
 * What is there before a pull: nothing of the room on the server of the puller; the way between the servers, by a track of
 * another user; or the track itself.
 */
export type Warmth = 'cold' | 'way' | 'track';

/** A pull as it was measured. */
export interface Taken extends Pull {
	offerer: Offerer;
	place: Place;
	warmth: Warmth;
	round: number;
}

/** The pulls of a room, in this order, and whom they pull. */
const pulls: { warmth: Warmth; target: string }[] = [
	{ warmth: 'cold', target: pusherId },
	{ warmth: 'way', target: `second ${pusherId}` },
	{ warmth: 'track', target: pusherId },
];

/** How long everything is left alone after the pushes, and between two pulls, in ms. */
const settling = { pushed: 1500, pulled: 350 };

/**
 * Pushes twice in a room for pullers on the same server, and in one for pullers on the other, and pulls in both in turn. The
 * place that begins is another one in each round.
 */
export async function play(
	round: number,
	offerer: Offerer,
	urls: Record<Place, string>,
	{ from, to }: { from: BenchPage; to: BenchPage },
): Promise<Taken[]> {
	const places: Place[] = round % 2 === 0 ? ['same', 'other'] : ['other', 'same'];
	const roomIdOf = (place: Place) => `${place} ${offerer} ${round}`;
	for (const place of places) {
		for (const userId of new Set(pulls.map(({ target }) => target)))
			await from.push({ system: offerer, url: urls.same, roomId: roomIdOf(place), userId });
	}
	await sleep(settling.pushed);
	const taken: Taken[] = [];
	for (const { warmth, target } of pulls) {
		for (const place of places) {
			// A pull shall not begin at the same point between two frames of the camera as the one before.
			await sleep(settling.pulled + Math.random() * 70);
			const seat = { system: offerer, url: urls[place], roomId: roomIdOf(place), userId: `puller ${warmth}`, target };
			taken.push({ offerer, place, warmth, round, ...(await to.pull(seat)) });
		}
	}
	await Promise.all([to.end(), from.end()]);
	return taken;
}
