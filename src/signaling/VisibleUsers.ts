import type { User } from '../index.js';
import type { UserData } from '../protocol/index.js';
import type { RoomListeners } from './RoomListeners.js';
import { userData } from './serialize.js';
import { SharedList, type Shared } from './sharedJson.js';

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
	readonly #described = new Map<User, Shared<UserData>>();
	/** All of them, until one changes. */
	#all: SharedList<UserData> | undefined;
	readonly #rtcpilot: boolean;

	constructor(listeners: RoomListeners, rtcpilot: boolean) {
		this.#rtcpilot = rtcpilot;
		for (const user of listeners.room.users.values()) this.#follow(user);
		listeners.on('userJoined', ({ user }) => {
			this.#follow(user);
		});
		listeners.on('permissionsChanged', ({ user }) => {
			this.#follow(user);
		});
		listeners.on('userLeft', ({ user }) => {
			this.#users.delete(user);
			this.#forget(user);
		});
		for (const event of changing) {
			listeners.on(event, ({ user }: { user: User }) => {
				this.#forget(user);
			});
		}
	}

	/** Describes all but one. */
	others(self: User): UserData[] {
		this.#all ??= this.#list();
		return this.#all.without(this.#users.has(self) ? this.#describe(self) : undefined);
	}

	#list(): SharedList<UserData> {
		return new SharedList([...this.#users].map((user) => this.#describe(user)));
	}

	#forget(user: User): void {
		this.#described.delete(user);
		this.#all = undefined;
	}

	#follow(user: User): void {
		const { hidden } = user.permissions;
		if (hidden !== this.#users.has(user)) return;
		if (hidden) this.#users.delete(user);
		else this.#users.add(user);
		this.#all = undefined;
	}

	#describe(user: User): Shared<UserData> {
		let described = this.#described.get(user);
		if (!described) {
			described = { value: userData(user, user.pushers.values(), { rtcpilot: this.#rtcpilot }) };
			this.#described.set(user, described);
		}
		return described;
	}
}
