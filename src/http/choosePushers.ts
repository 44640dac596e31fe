import type { Pusher, Room, User } from '../index.js';
import type { WatchTarget } from './authorize.js';

const tracksOf = ({ pushers }: User): Pusher[] =>
	[...pushers.values()].flatMap((pusher) => (pusher.kind === 'data' ? [] : [pusher]));

/** The first track of a kind and source, or of any source. */
const firstOf = (user: User, kind: 'audio' | 'video', source: string | undefined): Pusher | undefined =>
	tracksOf(user).find((pusher) => pusher.kind === kind && (source === undefined || pusher.source === source));

const hasSources = (user: User, { audio, video }: WatchTarget): boolean =>
	[
		...(audio === undefined ? [] : [firstOf(user, 'audio', audio)]),
		...(video === undefined ? [] : [firstOf(user, 'video', video)]),
	].every((pusher) => pusher !== undefined);

/**
 * Chooses what a client watches: one audio and one video of one user, as far as there are.
 *
 * @param before - the user that it has watched so far. It is kept as long as it will do and nobody else speaks
 */
export function choosePushers(
	room: Room,
	target: WatchTarget,
	before?: User,
): { user: User | undefined; pushers: Pusher[] } {
	const user = chooseUser(room, target, before);
	if (!user) return { user: undefined, pushers: [] };
	const pushers = [firstOf(user, 'audio', target.audio), firstOf(user, 'video', target.video)];
	return { user, pushers: pushers.flatMap((pusher) => pusher ?? []) };
}

function chooseUser(room: Room, target: WatchTarget, before: User | undefined): User | undefined {
	const { userId } = target;
	if (userId !== undefined) return room.users.get(userId);
	const speaker = room.activeSpeaker?.user;
	const isFit = (user: User | undefined): user is User =>
		user !== undefined && !user.closed && tracksOf(user).length > 0 && hasSources(user, target);
	return [speaker, before, ...room.users.values()].find(isFit);
}
