/** Why the socket was lost. */
export interface LostSocket {
	/** The code that the socket was closed with, or 1006. */
	code: number;
	/** The reason, for people to read. */
	reason: string;
}

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/**
 * How long to wait before the next attempt: half a second, then one, up to ten. Half of it is random. Otherwise all clients of
 * a restarted server would connect at the same moment.
 *
 * @param attempt - counted from 0
 * @returns in ms
 */
export function backOff(attempt: number, first = FIRST_DELAY, longest = LONGEST_DELAY): number {
	return Math.min(first * 2 ** attempt, longest) * (0.5 + Math.random() / 2);
}

/**
 * Waits. A timer may fire much too late: the machine has slept, or the browser throttles a hidden page. What the timer is to
 * limit did not have that time either, so it gets it anew.
 *
 * @param milliseconds - how long
 * @param signal - ends the wait before its time; it never rejects
 */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
	const begun = Date.now();
	await new Promise<void>((resolve) => {
		const done = () => {
			clearTimeout(timer);
			signal?.removeEventListener('abort', done);
			resolve();
		};
		const timer = setTimeout(done, milliseconds);
		if (signal?.aborted) done();
		else signal?.addEventListener('abort', done);
	});
	if (!signal?.aborted && Date.now() - begun > milliseconds + 1000) await wait(milliseconds, signal);
}
