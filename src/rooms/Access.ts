import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { drained } from './Drain.js';

/** The key of the ban of a user. */
const banOf = 'ban ';

/** Who may join a room. */
export class Access {
	readonly bans = new Set<string>();
	draining = false;
	#locked = false;
	#lobby: boolean;
	readonly #changed: (key: string, value: boolean) => void;

	/** @param changed - called when this server changes a setting, for the other servers */
	constructor(lobby: boolean, changed: (key: string, value: boolean) => void) {
		this.#lobby = lobby;
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
		return this.#lobby;
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

	/** Another server has changed a setting. */
	follow(key: string, value: unknown): void {
		if (key === 'locked') this.#locked = value === true;
		else if (key === 'lobby') this.#lobby = value === true;
		else if (!key.startsWith(banOf)) return;
		else if (value === true) this.bans.add(key.slice(banOf.length));
		else this.bans.delete(key.slice(banOf.length));
	}

	/**
	 * @param isThere - whether somebody with the id is in the room
	 * @throws {@link SfuError} `unavailable`, `forbidden`, `conflict`
	 */
	assertJoinable({ userId, admitted }: { userId: string; admitted?: boolean }, isThere: boolean): void {
		if (this.draining) throw drained();
		if (this.bans.has(userId)) throw new SfuError('forbidden', 'the user is banned from the room');
		if (isThere) throw new SfuError('conflict', `user ${quoted(userId)} is in the room already`);
		if (this.#locked && !admitted) throw new SfuError('forbidden', 'the room is locked');
	}
}
