import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { drained } from './Drain.js';

export const isBanned = 'the user is banned from the room';

/** The key of the ban of a user. */
const banOf = 'ban ';

/** Who may join a room. */
export class Access {
	readonly bans = new Set<string>();
	draining = false;
	/** Whether the room was opened with a lobby. */
	lobbyByOption: boolean;
	#locked = false;
	/** What the app has chosen since then. */
	#lobby: boolean | undefined;
	readonly #changed: (key: string, value: boolean) => void;

	/** @param changed - called when this server changes a setting, for the other servers */
	constructor(lobby: boolean, changed: (key: string, value: boolean) => void) {
		this.lobbyByOption = lobby;
		this.#changed = changed;
	}

	get locked(): boolean {
		return this.#locked;
	}

	set locked(locked: boolean) {
		this.#locked = locked;
		this.#changed('locked', locked);
	}

	get lobby(): boolean {
		return this.#lobby ?? this.lobbyByOption;
	}

	set lobby(lobby: boolean) {
		this.#lobby = lobby;
		this.#changed('lobby', lobby);
	}

	ban(userId: string): void {
		this.bans.add(userId);
		this.#changed(`${banOf}${userId}`, true);
	}

	/** @returns whether there was a ban */
	unban(userId: string): boolean {
		const wasBanned = this.bans.delete(userId);
		if (wasBanned) this.#changed(`${banOf}${userId}`, false);
		return wasBanned;
	}

	/** Another server has changed a setting. @returns the user that is banned by that */
	follow(key: string, value: unknown): string | undefined {
		if (key === 'locked') this.#locked = value === true;
		if (key === 'lobby') this.#lobby = value === true;
		if (!key.startsWith(banOf)) return undefined;
		const userId = key.slice(banOf.length);
		if (value !== true) {
			this.bans.delete(userId);
			return undefined;
		}
		this.bans.add(userId);
		return userId;
	}

	/**
	 * @param isThere - whether somebody with the id is in the room
	 * @throws {@link SfuError} `unavailable`, `forbidden`, `conflict`
	 */
	assertJoinable({ userId, admitted }: { userId: string; admitted?: boolean }, isThere: boolean): void {
		if (this.draining) throw drained();
		if (this.bans.has(userId)) throw new SfuError('forbidden', isBanned);
		if (isThere) throw new SfuError('conflict', `user ${quoted(userId)} is in the room already`);
		if (this.#locked && !admitted) throw new SfuError('forbidden', 'the room is locked');
	}
}
