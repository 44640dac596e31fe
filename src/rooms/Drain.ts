import { SfuError } from '../SfuError.js';

/** A room, as far as it may be empty. */
interface Emptying {
	/** How many users have joined on this server. */
	readonly ownUsers: number;
	on(event: 'userLeft' | 'closed', listener: () => void): Emptying;
	off(event: 'userLeft' | 'closed', listener: () => void): Emptying;
}

/** How to drain. */
export interface DrainOptions {
	/** How long to wait for the users to leave, in ms. Default: for ever. */
	timeout?: number;
}

/**
 * Waits until nobody is in any of these rooms.
 *
 * @param timeout - in ms; `undefined` for ever
 * @returns whether all have left in time
 */
export function untilEmpty(rooms: ReadonlyMap<string, Emptying>, timeout: number | undefined): Promise<boolean> {
	const isEmpty = () => [...rooms.values()].every(({ ownUsers }) => ownUsers === 0);
	return new Promise((resolve) => {
		if (isEmpty()) {
			resolve(true);
			return;
		}
		const followed = [...rooms.values()];
		const check = () => {
			if (isEmpty()) end(true);
		};
		const timer =
			timeout === undefined
				? undefined
				: setTimeout(() => {
						end(isEmpty());
					}, timeout);
		const end = (empty: boolean) => {
			clearTimeout(timer);
			for (const room of followed) room.off('userLeft', check).off('closed', check);
			resolve(empty);
		};
		for (const room of followed) room.on('userLeft', check).on('closed', check);
	});
}

/** The error of whoever comes while an Sfu is drained. */
export const drained = (): SfuError =>
	new SfuError('unavailable', 'the server takes nobody new, because it will stop soon');
