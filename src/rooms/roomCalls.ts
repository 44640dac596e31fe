import type { Mute } from './AppPauses.js';
import type { User } from './User.js';

/**
 * Sends a message on data channels of users.
 *
 * @param label - of the data channels; undefined for any
 * @returns the number of data channels that it was sent on
 */
export async function sendToChannels(
	users: readonly User[],
	message: string | Uint8Array,
	label: string | undefined,
): Promise<number> {
	const channels = users
		.flatMap(({ pushers }) => [...pushers.values()])
		.filter((pusher) => pusher.kind === 'data')
		.filter((pusher) => label === undefined || pusher.label === label);
	const sent = await Promise.allSettled(channels.map((channel) => channel.send(message)));
	return sent.filter(({ status }) => status === 'fulfilled').length;
}

/** Resumes what the app has paused of a user, all of it or of one source. */
export function resumeAll(user: User | undefined, { kind, source }: { kind?: Mute['kind']; source?: string }): void {
	for (const pusher of user?.pushers.values() ?? []) {
		if (kind !== undefined && kind !== pusher.kind) continue;
		if (source !== undefined && source !== pusher.source) continue;
		// This fails only if it closes meanwhile, or its worker has died.
		pusher.resume().catch(() => undefined);
	}
}
