import { createHash } from 'node:crypto';
import type { FactChange, Setting, Snapshot, UserChange } from './wire.js';

/** Who has joined where, and what is told of it. `State` is what the owner tells of a user. */
export interface ReplicaListener<State> {
	/** Somebody has joined on another server. */
	joined: (userId: string, nodeId: string, state: State) => void;
	/** The owner of a user tells something else of it. */
	changed: (userId: string, state: State) => void;
	/** A user of another server has gone. */
	left: (userId: string, reason: string) => void;
	/** Somebody has joined elsewhere in place of a user of this server, who has to leave. */
	replaced: (userId: string) => void;
	/** Another server has changed a setting of the room. */
	settingChanged: (key: string, value: unknown) => void;
	/** Another server tells something else of itself: `undefined` for what is so no more. */
	factChanged: (nodeId: string, key: string, value: unknown) => void;
}

interface Held {
	epoch: number;
	state: unknown;
}

interface Remote {
	seq: number;
	users: Map<string, Held>;
	facts: ReadonlyMap<string, unknown>;
}

/**
 * What all servers together say of a room. Each server speaks for the users who have joined there, and nobody else does. When
 * two of them have a user with the same id, the later one counts: that of the higher epoch, of two equal ones that of the
 * server with the higher id. So all servers come to the same view, whatever the order in which they hear of each other.
 */
export class RoomReplica<State> {
	readonly #nodeId: string;
	readonly #listener: ReplicaListener<State>;
	readonly #own = new Map<string, Held>();
	readonly #facts = new Map<string, unknown>();
	readonly #remotes = new Map<string, Remote>();
	/** The users of other servers who count, and where they are. */
	readonly #view = new Map<string, { nodeId: string; held: Held }>();
	readonly #settings = new Map<string, Setting>();
	readonly #firstSeq: number;
	#seq: number;
	#epoch: number;
	#settingsMark: string | undefined;

	/**
	 * @param nodeId - this server
	 * @param firstSeq - higher than any number of a change that this server has told of the room when it was open before, and
	 *   than any epoch that it has given: whoever joins now must not be taken for somebody who was here then
	 */
	constructor(nodeId: string, listener: ReplicaListener<State>, firstSeq = 0) {
		this.#nodeId = nodeId;
		this.#listener = listener;
		this.#firstSeq = this.#seq = this.#epoch = firstSeq;
	}

	/** The number of the last change of this server. */
	get seq(): number {
		return this.#seq;
	}

	/** What this server says of the room. */
	get snapshot(): Snapshot {
		const users = [...this.#own].map(([userId, { epoch, state }]) => [userId, epoch, state] as const);
		const facts = this.#facts.size > 0 && { facts: [...this.#facts] };
		return { seq: this.#seq, epoch: this.#epoch, users, settings: [...this.#settings], ...facts };
	}

	/** Stands for all settings: the same on servers that have the same ones. */
	get settingsMark(): string {
		return (this.#settingsMark ??= markOf(this.#settings));
	}

	/** The servers that have said something of the room. */
	get nodeIds(): string[] {
		return [...this.#remotes.keys()];
	}

	/** The number of the last change of another server; undefined if nothing is known of it. */
	seqOf(nodeId: string): number | undefined {
		return this.#remotes.get(nodeId)?.seq;
	}

	/** The server of a user of another server. */
	nodeOf(userId: string): string | undefined {
		return this.#view.get(userId)?.nodeId;
	}

	/** Tells something of a user of this server. @returns the change to tell the others */
	set(userId: string, state: State): UserChange {
		const { epoch } = this.#own.get(userId) ?? { epoch: ++this.#epoch };
		this.#own.set(userId, { epoch, state });
		this.#decide(userId, 'replaced');
		return [userId, epoch, state];
	}

	/** Tells that a user of this server has gone. @returns the change to tell the others; undefined if there was none */
	delete(userId: string, reason: string): UserChange | undefined {
		const own = this.#own.get(userId);
		if (!own) return undefined;
		this.#own.delete(userId);
		this.#decide(userId, reason);
		return [userId, own.epoch, null, reason];
	}

	/** Tells something of this server itself: `undefined` for what is so no more. @returns the change to tell the others */
	setFact(key: string, value: unknown): FactChange {
		if (value === undefined) this.#facts.delete(key);
		else this.#facts.set(key, value);
		return [key, value ?? null];
	}

	/** Counts a message with changes of this server. @returns its number */
	count(): number {
		return ++this.#seq;
	}

	/** Changes a setting of the room. @returns what to tell the others */
	setSetting(key: string, value: unknown): Setting {
		const epoch = Math.max(this.#settings.get(key)?.epoch ?? 0, this.#firstSeq) + 1;
		const setting = { epoch, nodeId: this.#nodeId, value };
		this.#keepSetting(key, setting);
		return setting;
	}

	/**
	 * Chooses a setting that nobody has chosen yet. If several servers do that before they hear of each other, the one that has
	 * opened the room first counts, by their clocks.
	 *
	 * @returns what to tell the others; undefined if somebody has chosen it
	 */
	setInitialSetting(key: string, value: unknown): Setting | undefined {
		if (this.#settings.has(key)) return undefined;
		const setting = { epoch: -this.#firstSeq, nodeId: this.#nodeId, value };
		this.#keepSetting(key, setting);
		return setting;
	}

	/** Takes over a setting, if it is a later one. */
	followSetting(key: string, setting: Setting): void {
		const known = this.#settings.get(key);
		if (known && compare(setting, known) <= 0) return;
		this.#keepSetting(key, setting);
		this.#listener.settingChanged(key, setting.value);
	}

	/**
	 * Follows changes of another server.
	 *
	 * @returns whether the view is up to date; if not, its snapshot has to be fetched
	 */
	follow(nodeId: string, seq: number, changes: readonly UserChange[], facts: readonly FactChange[] = []): boolean {
		const remote = this.#remotes.get(nodeId);
		if (!remote) return false;
		if (seq <= remote.seq) return true;
		if (seq !== remote.seq + 1) return false;
		remote.seq = seq;
		for (const [userId, epoch, state, reason = 'left'] of changes) {
			this.#epoch = Math.max(this.#epoch, epoch);
			if (state === null) remote.users.delete(userId);
			else remote.users.set(userId, { epoch, state });
			this.#decide(userId, reason);
		}
		this.#followFacts(nodeId, new Map([...remote.facts, ...facts]));
		return true;
	}

	/** Whether nothing is missing of what a server has told, whose last change was this. */
	isCurrent(nodeId: string, seq: number): boolean {
		return (this.seqOf(nodeId) ?? -1) >= seq;
	}

	/** Takes over all that another server says. Of an older one than what is known, only the settings count. */
	load(nodeId: string, { seq, epoch, users, settings, facts }: Snapshot): void {
		this.#epoch = Math.max(this.#epoch, epoch);
		const before = this.#remotes.get(nodeId);
		if (!before || seq >= before.seq) {
			const held = new Map(users.map(([userId, ofUser, state]) => [userId, { epoch: ofUser, state }] as const));
			this.#remotes.set(nodeId, { seq, users: held, facts: before?.facts ?? new Map() });
			for (const userId of new Set([...(before?.users.keys() ?? []), ...held.keys()])) this.#decide(userId, 'left');
			this.#followFacts(nodeId, new Map(facts));
		}
		for (const [key, setting] of settings) this.followSetting(key, setting);
	}

	/** Forgets a server, and with it its users. */
	lose(nodeId: string, reason: string): void {
		const remote = this.#remotes.get(nodeId);
		this.#followFacts(nodeId, new Map());
		this.#remotes.delete(nodeId);
		for (const userId of remote?.users.keys() ?? []) this.#decide(userId, reason);
	}

	/** Takes over what another server tells of itself, and tells what is new of it. */
	#followFacts(nodeId: string, facts: ReadonlyMap<string, unknown>): void {
		const remote = this.#remotes.get(nodeId);
		if (!remote) return;
		const before = remote.facts;
		remote.facts = new Map([...facts].filter(([, value]) => value !== null));
		for (const key of new Set([...before.keys(), ...remote.facts.keys()])) {
			const value = remote.facts.get(key);
			if (JSON.stringify(value) !== JSON.stringify(before.get(key))) this.#listener.factChanged(nodeId, key, value);
		}
	}

	#keepSetting(key: string, setting: Setting): void {
		this.#settings.set(key, setting);
		this.#settingsMark = undefined;
	}

	/** Finds who counts as a user, and tells what has changed by that. */
	#decide(userId: string, reason: string): void {
		const candidates = [...this.#remotes].flatMap(([nodeId, { users }]) => {
			const held = users.get(userId);
			return held ? { nodeId, held, epoch: held.epoch } : [];
		});
		const [best] = candidates.sort((a, b) => compare(b, a));
		const own = this.#own.get(userId);
		const isOwn = own && (!best || compare({ epoch: own.epoch, nodeId: this.#nodeId }, best) > 0);
		const winner = isOwn ? undefined : best;
		const before = this.#view.get(userId);
		const isSame = winner !== undefined && before?.nodeId === winner.nodeId && before.held.epoch === winner.epoch;
		if (before && !isSame) {
			this.#view.delete(userId);
			this.#listener.left(userId, winner || isOwn ? 'replaced' : reason);
		}
		if (own && winner) {
			// When it has left, this is decided again.
			this.#listener.replaced(userId);
			return;
		}
		if (!winner) return;
		const { nodeId, held } = winner;
		this.#view.set(userId, { nodeId, held });
		if (!isSame) this.#listener.joined(userId, nodeId, held.state as State);
		else if (before.held !== held) this.#listener.changed(userId, held.state as State);
	}
}

interface Ranked {
	epoch: number;
	nodeId: string;
}

/** Which of two is the later one: more than 0 for the first. */
function compare(a: Ranked, b: Ranked): number {
	return a.epoch - b.epoch || (a.nodeId < b.nodeId ? -1 : Number(a.nodeId > b.nodeId));
}

/** The value of a setting follows from its key, its epoch and its server. */
function markOf(settings: ReadonlyMap<string, Setting>): string {
	const all = [...settings].map(([key, { epoch, nodeId }]) => JSON.stringify([key, epoch, nodeId])).sort();
	return createHash('sha256').update(all.join()).digest('base64url').slice(0, 22);
}
