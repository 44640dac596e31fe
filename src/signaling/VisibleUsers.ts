import type { Room, User } from '../index.js';
import type { UserData } from '../protocol/index.js';
import { userData } from './serialize.js';

/** After each of these a user is described anew. */
const changing = [
	'userChanged',
	'pushed',
	'pusherAdded',
	'pusherChanged',
	'pusherClosed',
	'pusherPaused',
	'pusherResumed',
	'pusherStalled',
	'pusherRecovered',
] as const;

/**
 * The users of a room that clients know of, and their descriptions. A room may have thousands that are hidden, and all that
 * come at once get the same descriptions.
 */
export class VisibleUsers {
	readonly #users = new Set<User>();
	readonly #described = new Map<User, UserData>();
	readonly #rtcpilot: boolean;

	constructor(room: Room, rtcpilot: boolean) {
		this.#rtcpilot = rtcpilot;
		for (const user of room.users.values()) this.#follow(user);
		room.on('userJoined', ({ user }) => {
			this.#follow(user);
		});
		room.on('permissionsChanged', ({ user }) => {
			this.#follow(user);
		});
		room.on('userLeft', ({ user }) => {
			this.#users.delete(user);
			this.#described.delete(user);
		});
		for (const event of changing) {
			room.on(event, ({ user }: { user: User }) => {
				this.#described.delete(user);
			});
		}
	}

	/** Describes all but one. */
	others(self: User): UserData[] {
		return [...this.#users].flatMap((user) => (user === self ? [] : this.#describe(user)));
	}

	#follow(user: User): void {
		if (user.permissions.hidden) this.#users.delete(user);
		else this.#users.add(user);
	}

	#describe(user: User): UserData {
		let data = this.#described.get(user);
		if (!data) {
			data = userData(user, user.pushers.values(), { rtcpilot: this.#rtcpilot });
			this.#described.set(user, data);
		}
		return data;
	}
}
