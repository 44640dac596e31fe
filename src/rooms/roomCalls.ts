import type { Limits } from '../options.js';
import { checkMessage } from '../tracks/DataPusher.js';
import type { AppMessage } from './AppLine.js';
import type { Mute } from './AppPauses.js';
import { checkSendData, type SendDataOptions } from './RoomOptions.js';
import type { RoomUsers } from './RoomUsers.js';
import type { User } from './User.js';

/**
 * Sends a message on data channels of users.
 *
 * @returns the number of data channels that it was sent on
 * @throws {@link SfuError} (rejects) `invalid_argument`, `too_large`, `not_found`
 */
export async function sendToChannels(
	users: RoomUsers,
	message: string | Uint8Array,
	to: SendDataOptions,
	{ dataMessageBytes }: Limits,
): Promise<number> {
	const { userIds, label } = checkSendData(to);
	checkMessage(message, dataMessageBytes);
	const channels = users
		.findAll(userIds)
		.flatMap(({ pushers }) => [...pushers.values()])
		.filter((pusher) => pusher.kind === 'data')
		.filter((pusher) => label === undefined || pusher.label === label);
	const sent = await Promise.allSettled(channels.map((channel) => channel.send(message)));
	return sent.filter(({ status }) => status === 'fulfilled').length;
}

/** Sends a message of the app's own to the clients of the users who have joined here. */
export function sendToClients(users: Iterable<User>, message: AppMessage, except: readonly string[]): void {
	for (const { isRemote, userId, line } of users) if (!isRemote && !except.includes(userId)) line.send(message);
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
