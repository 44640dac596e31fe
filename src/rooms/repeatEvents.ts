import type { RoomEvents } from './RoomEvents.js';
import type { RoomUsers } from './RoomUsers.js';
import type { Speakers } from './Speakers.js';
import type { User } from './User.js';

type Emit = <Event extends keyof RoomEvents>(event: Event, ...args: Parameters<RoomEvents[Event]>) => void;

/** The events of users that are repeated as they are. */
export const repeatedEvents = [
	'permissionsChanged',
	'pusherPaused',
	'pusherResumed',
	'pusherStalled',
	'pusherRecovered',
	'pusherChanged',
	'pusherClosed',
] as const;

/**
 * Repeats events of a user as those of its room, and offers its pushers to the others.
 *
 * @param emit - emits an event of the room
 */
export function repeatEvents(
	user: User,
	emit: Emit,
	{ users, speakers }: { users: RoomUsers; speakers: Speakers },
): void {
	user.on('renamed', ({ before }) => {
		emit('userRenamed', { user, before });
	});
	user.on('changed', (event) => {
		emit('userChanged', { user, ...event });
	});
	user.on('appMessage', (event) => {
		emit('appMessage', { user, ...event });
	});
	user.on('rated', (event) => {
		emit('userRated', { user, ...event });
	});
	for (const name of repeatedEvents) {
		user.on(name, (event: object) => {
			emit(name, ...([{ user, ...event }] as Parameters<RoomEvents[typeof name]>));
		});
	}
	user.on('pusherAdded', ({ pusher }) => {
		if (pusher.kind === 'audio') speakers.add(user, pusher);
		emit('pusherAdded', { user, pusher });
		if (pusher.kind === 'data') users.offerToOthers(user, [pusher]);
	});
	user.on('pushed', ({ pushers }) => {
		emit('pushed', { user, pushers });
		users.offerToOthers(user, pushers);
	});
}
