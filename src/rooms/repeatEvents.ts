import type { RoomEvents } from './RoomEvents.js';
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
 * Repeats events of a user as those of its room. `pusherAdded` and `pushed` are not among them, as the room has more to do
 * then.
 *
 * @param emit - emits an event of the room
 */
export function repeatEvents(user: User, emit: Emit): void {
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
}
