import type { Room, RoomEvents } from '../index.js';

/** Listens to a room that may outlive signalling, until all of it ends at once. */
export class RoomListeners {
	readonly room: Room;
	readonly #ends: (() => void)[] = [];

	constructor(room: Room) {
		this.room = room;
	}

	on<Event extends keyof RoomEvents>(event: Event, listener: RoomEvents[Event]): void {
		this.room.on(event, listener);
		this.#ends.push(() => this.room.off(event, listener));
	}

	/** Takes all listeners away. */
	end(): void {
		for (const end of this.#ends.splice(0)) end();
	}
}
