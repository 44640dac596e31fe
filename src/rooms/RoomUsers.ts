import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import type { AnyPusher } from '../tracks/tracks.js';
import type { RoomMember } from './RoomMember.js';
import type { User } from './User.js';

/** The users of a room, whichever server they have joined on. */
export class RoomUsers {
	/** By user id, in the order of joining. */
	readonly all = new Map<string, User>();
	/** The ids of those who have asked for all that others push. A push does not look at the rest. */
	readonly #followers = new Set<string>();
	/** How many have joined on this server. */
	here = 0;

	/** Adds a user, until it leaves. */
	add(user: User): void {
		const { userId, isRemote } = user;
		this.all.set(userId, user);
		if (!isRemote) this.here++;
		user.once('closed', () => {
			this.all.delete(userId);
			this.#followers.delete(userId);
			if (!isRemote) this.here--;
		});
	}

	/** @throws {@link SfuError} `not_found` */
	find(userId: string): User {
		const user = this.all.get(userId);
		if (!user) throw new SfuError('not_found', `no user ${quoted(userId)} in the room`);
		return user;
	}

	/**
	 * @param userIds - undefined for all users
	 * @throws {@link SfuError} `not_found`
	 */
	findAll(userIds: readonly string[] | undefined): User[] {
		return userIds ? [...new Set(userIds)].map((userId) => this.find(userId)) : [...this.all.values()];
	}

	others(user: RoomMember): User[] {
		return [...this.all.values()].filter((other) => other !== user);
	}

	/** Offers to a user what others push from now on. */
	addFollower(userId: string): void {
		if (this.all.has(userId)) this.#followers.add(userId);
	}

	/** Offers what a user pushes to the others who follow. */
	offerToOthers(user: User, pushers: readonly AnyPusher[]): void {
		for (const userId of this.#followers) if (userId !== user.userId) this.all.get(userId)?.othersPushed(pushers);
	}
}
