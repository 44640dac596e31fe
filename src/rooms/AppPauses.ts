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

/** Another server has muted sources of a kind, or has taken that back. */
export interface FollowedMutes {
	userId: string;
	kind: AnyPusher['kind'];
	/** Whether a source was muted before. */
	wasMuted: (source: string | undefined) => boolean;
}

/** Whether a source is among those that are muted. */
const covers = (sources: ReadonlySet<string | undefined> | undefined, source: string | undefined): boolean =>
	sources !== undefined && (source === undefined || sources.has(undefined) || sources.has(source));

/** What the keys of the settings begin with that tell other servers of mutes. */
const mutesOf = 'mutes ';

const kinds: readonly AnyPusher['kind'][] = ['audio', 'video', 'data'];

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
	readonly #changed: (key: string, value: unknown) => void;

	/** @param changed - called when other sources of a kind are muted, for the other servers */
	constructor(changed: (key: string, value: unknown) => void = () => undefined) {
		this.#changed = changed;
	}

	get mutes(): Mute[] {
		return [...this.#mutes].flatMap(([userId, kinds]) =>
			[...kinds].flatMap(([kind, sources]) => [...sources].map((source) => ({ userId, kind, source }))),
		);
	}

	isMuted(userId: string, kind: AnyPusher['kind'], source: string | undefined): boolean {
		return covers(this.#mutes.get(userId)?.get(kind), source);
	}

	mute(userId: string, kind: AnyPusher['kind'], source: string | undefined): void {
		const kinds = this.#mutes.get(userId) ?? new Map<AnyPusher['kind'], Set<string | undefined>>();
		this.#mutes.set(userId, kinds);
		const sources = kinds.get(kind) ?? new Set<string | undefined>();
		kinds.set(kind, sources);
		if (sources.has(undefined) || sources.has(source)) return;
		const whole = source === undefined || (sources.size >= mostSources && !sources.has(source));
		if (whole) sources.clear();
		sources.add(whole ? undefined : source);
		this.#tell(userId, kind);
	}

	/** Takes back all that mutes this source. Without a kind, all mutes of the user. */
	unmute(userId: string, kind?: AnyPusher['kind'], source?: string): void {
		const muted = [...(this.#mutes.get(userId) ?? [])].filter(([other]) => kind === undefined || other === kind);
		for (const [one, sources] of muted) {
			const before = sources.size;
			if (source === undefined) sources.clear();
			else for (const name of [undefined, source]) sources.delete(name);
			if (sources.size === before) continue;
			this.#forgetEmpty(userId, one);
			this.#tell(userId, one);
		}
	}

	/** Another server has changed a setting. @returns what is muted by that, and what was before */
	follow(key: string, value: unknown): FollowedMutes | undefined {
		const kind = kinds.find((one) => key.startsWith(`${mutesOf}${one} `));
		if (!kind || !Array.isArray(value)) return undefined;
		const userId = key.slice(`${mutesOf}${kind} `.length);
		// JSON has no undefined.
		const sources = value.map((source: unknown) => (typeof source === 'string' ? source : undefined));
		const ofUser = this.#mutes.get(userId) ?? new Map<AnyPusher['kind'], Set<string | undefined>>();
		const before = ofUser.get(kind);
		this.#mutes.set(userId, ofUser.set(kind, new Set(sources)));
		this.#forgetEmpty(userId, kind);
		return { userId, kind, wasMuted: (source) => covers(before, source) };
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

	#forgetEmpty(userId: string, kind: AnyPusher['kind']): void {
		const ofUser = this.#mutes.get(userId);
		if (ofUser?.get(kind)?.size === 0) ofUser.delete(kind);
		if (ofUser?.size === 0) this.#mutes.delete(userId);
	}

	#tell(userId: string, kind: AnyPusher['kind']): void {
		const sources = this.#mutes.get(userId)?.get(kind) ?? [];
		this.#changed(
			`${mutesOf}${kind} ${userId}`,
			[...sources].map((source) => source ?? null),
		);
	}
}
