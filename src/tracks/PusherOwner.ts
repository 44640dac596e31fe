import type { PauseCause } from './Pauses.js';

/** The server of a pusher, as seen from another one. */
export interface PusherOwner {
	/** Asks it to do something with the pusher. @throws {@link SfuError} (rejects) `unavailable`, and its own errors */
	ask(call: string, params?: object): Promise<unknown>;
	/** Asks it, whatever comes of it. */
	tell(call: string, params?: object): void;
}

/** Pauses and resumes what another server says, for those causes that have changed. */
export function followPauses(
	told: readonly PauseCause[],
	{ pausedBy }: { readonly pausedBy: readonly PauseCause[] },
	set: (cause: PauseCause, paused: boolean) => Promise<void>,
): void {
	const ended = pausedBy.filter((cause) => !told.includes(cause));
	const begun = told.filter((cause) => !pausedBy.includes(cause));
	for (const [causes, paused] of [
		[begun, true],
		[ended, false],
	] as const) {
		// This fails only when it has closed.
		for (const cause of causes) set(cause, paused).catch(() => undefined);
	}
}
