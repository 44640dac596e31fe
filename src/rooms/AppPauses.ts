import type { AnyPusher } from '../tracks/tracks.js';

/** A source that the app has muted. */
export interface Mute {
	/** The user. */
	readonly userId: string;
	/** The kind of its pushers. */
	readonly kind: AnyPusher['kind'];
	/** Their source, and for a data channel without one its label. Undefined stands for all of the kind. */
	readonly source: string | undefined;
}

// A client chooses its sources. Beyond so many muted ones of a kind, the whole kind is muted instead.
const mostSources = 32;

/** The name that a pusher is muted by. */
export const sourceOf = (pusher: AnyPusher): string | undefined =>
	pusher.source ?? (pusher.kind === 'data' && pusher.label !== '' ? pusher.label : undefined);

/**
 * What the app has paused in a room, for as long as the room is open: sources of users, and what a user pulls of a pusher.
 * A pusher without a source may be any source of its kind, so it is muted with each of them, and all of them with it.
 */
export class AppPauses {
	readonly #mutes = new Map<string, Map<AnyPusher['kind'], Set<string | undefined>>>();
	/** The users that do not receive a pusher, by pusher id. */
	readonly #held = new Map<string, Set<string>>();

	get mutes(): Mute[] {
		return [...this.#mutes].flatMap(([userId, kinds]) =>
			[...kinds].flatMap(([kind, sources]) => [...sources].map((source) => ({ userId, kind, source }))),
		);
	}

	isMuted(userId: string, kind: AnyPusher['kind'], source: string | undefined): boolean {
		const sources = this.#mutes.get(userId)?.get(kind);
		return sources !== undefined && (source === undefined || sources.has(undefined) || sources.has(source));
	}

	mute(userId: string, kind: AnyPusher['kind'], source: string | undefined): void {
		const kinds = this.#mutes.get(userId) ?? new Map<AnyPusher['kind'], Set<string | undefined>>();
		this.#mutes.set(userId, kinds);
		const sources = kinds.get(kind) ?? new Set();
		kinds.set(kind, sources);
		if (sources.has(undefined)) return;
		const whole = source === undefined || (sources.size >= mostSources && !sources.has(source));
		if (whole) sources.clear();
		sources.add(whole ? undefined : source);
	}

	/** Takes back all that mutes this source. Without a kind, all mutes of the user. */
	unmute(userId: string, kind?: AnyPusher['kind'], source?: string): void {
		const kinds = this.#mutes.get(userId);
		if (!kinds) return;
		const sources = kind && kinds.get(kind);
		if (!kind) kinds.clear();
		else if (source === undefined) kinds.delete(kind);
		else {
			sources?.delete(undefined);
			sources?.delete(source);
			if (sources?.size === 0) kinds.delete(kind);
		}
		if (kinds.size === 0) this.#mutes.delete(userId);
	}

	isHeld(userId: string, pusherId: string): boolean {
		return this.#held.get(pusherId)?.has(userId) ?? false;
	}

	/** Notes whether a user does not receive a pusher. */
	hold(userId: string, pusherId: string, held: boolean): void {
		const users = this.#held.get(pusherId) ?? new Set();
		if (held) users.add(userId);
		else users.delete(userId);
		if (users.size > 0) this.#held.set(pusherId, users);
		else this.#held.delete(pusherId);
	}

	/** A pusher has closed, and will not come back. */
	forget(pusherId: string): void {
		this.#held.delete(pusherId);
	}
}
