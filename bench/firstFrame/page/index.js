/* eslint-disable @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-member-access --
   TypeScript's DOM library would hold for the whole program: `closed`, `name` and `origin` would be globals in src/. */

/** What the pages of the benchmark do, as their global `firstFrame`. */
import * as bareMediasoup from './bareMediasoup.js';
import { PullClock } from './PullClock.js';
import * as sfuRooms from './sfuRooms.js';

const { document } = /** @type {any} */ (globalThis);

/** @typedef {import('../System.js').Seat} Seat */
/** @typedef {import('./PullClock.js').Pull} Pull */

/** Ends what a page pushes and pulls. @type {(() => void)[]} */
let ends = [];

/** @param {Seat} seat */
const clientOf = ({ system }) => (system === 'bare' ? bareMediasoup : sfuRooms);

/** Pushes a camera. @param {Seat} seat */
export async function push(seat) {
	ends.push(await clientOf(seat).push(seat));
}

/** Pulls the camera of the other one, and goes on to show it. @param {Seat} seat @returns {Promise<Pull>} */
export async function pull(seat) {
	const clock = new PullClock();
	ends.push(await clientOf(seat).pull(seat, clock));
	return clock.end();
}

/** Ends all pushes and pulls. */
export function end() {
	for (const one of ends) one();
	ends = [];
	for (const video of document.querySelectorAll('video')) video.remove();
}
