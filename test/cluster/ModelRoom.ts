import type { Cluster } from '../../src/cluster/Cluster.js';
import type { SharedRoom, SharedRoomListener } from '../../src/cluster/SharedRoom.js';

/** What a server tells of a user. */
export interface State {
	/** Rises with each change, and is another one for each user and server. */
	number: number;
	/** Stands for one stay: a user id may leave, and join again. */
	stay: number;
}

/** A room on one server, as RoomSharing makes one of it. Whatever must not be is reported. */
export class ModelRoom implements SharedRoomListener<State> {
	readonly roomId: string;
	readonly own = new Map<string, State>();
	readonly remote = new Map<string, { nodeId: string; state: State }>();
	readonly settings = new Map<string, unknown>();
	/** What each server tells of itself, this one among them. */
	readonly facts = new Map<string, unknown>();
	readonly #cluster: Cluster;
	readonly #report: (violation: string) => void;
	readonly events = new Set<unknown>();
	#room: SharedRoom<State> | undefined;
	#closed = false;
	/** Somebody whose place is taken here, and who need not be told to have left. */
	#takenOver: string | undefined;

	constructor(cluster: Cluster, roomId: string, report: (violation: string) => void) {
		this.roomId = roomId;
		this.#cluster = cluster;
		this.#report = (violation) => {
			report(`${roomId}: ${violation}`);
		};
	}

	get isOpen(): boolean {
		return this.#room !== undefined && !this.#closed;
	}

	/** @param options - those of another server may count */
	async open(options: unknown): Promise<void> {
		this.#room = await this.#cluster.openRoom<State>(this.roomId, this);
		if (this.#closed) this.#room.close();
		else if (this.#room.setInitialSetting('options', options)) this.settings.set('options', options);
	}

	close(): void {
		if (this.#closed) return;
		for (const userId of [...this.own.keys()]) this.leave(userId, 'roomClosed');
		this.end();
		this.#room?.close();
	}

	/** The server ends. */
	end(): void {
		this.#closed = true;
	}

	join(userId: string, number: number): void {
		if (!this.isOpen || this.own.has(userId)) return;
		this.#takenOver = userId;
		this.remote.delete(userId);
		this.#set(userId, { number, stay: number });
		this.#takenOver = undefined;
	}

	change(userId: string, number: number): void {
		const own = this.own.get(userId);
		if (own) this.#set(userId, { ...own, number });
	}

	leave(userId: string, reason: string): void {
		if (this.own.delete(userId)) this.#room?.delete(userId, reason);
	}

	setSetting(key: string, value: unknown): void {
		if (!this.isOpen) return;
		this.settings.set(key, value);
		this.#room?.setSetting(key, value);
	}

	setFact(nodeId: string, key: string, value: unknown): void {
		if (!this.isOpen) return;
		this.#keepFact(nodeId, key, value);
		this.#room?.setFact(key, value);
	}

	send(data: unknown): void {
		if (this.isOpen) this.#room?.send('event', data);
	}

	joined(userId: string, nodeId: string, state: State): void {
		this.#check(`joined ${userId}`);
		if (this.remote.has(userId)) this.#report(`${userId} joins elsewhere, and is there already`);
		if (this.own.has(userId)) this.#report(`${userId} joins elsewhere, and is here`);
		this.remote.set(userId, { nodeId, state });
	}

	changed(userId: string, state: State): void {
		this.#check(`changed ${userId}`);
		const user = this.remote.get(userId);
		if (!user) this.#report(`${userId} changes, and is not there`);
		else if (user.state.stay !== state.stay) this.#report(`${userId} changes, and is somebody else`);
		else if (user.state.number > state.number) this.#report(`${userId} is what it was before`);
		if (user) user.state = state;
	}

	left(userId: string): void {
		this.#check(`left ${userId}`);
		if (!this.remote.delete(userId) && userId !== this.#takenOver) this.#report(`${userId} leaves, and is not there`);
	}

	replaced(userId: string): void {
		this.#check(`replaced ${userId}`);
		if (!this.own.has(userId)) this.#report(`${userId} is replaced, and is not here`);
		this.leave(userId, 'replaced');
	}

	settingChanged(key: string, value: unknown): void {
		this.#check(`settingChanged ${key}`);
		this.settings.set(key, value);
	}

	factChanged(nodeId: string, key: string, value: unknown): void {
		this.#check(`factChanged ${key}`);
		const before = this.facts.get(`${nodeId} ${key}`);
		if (before === value) this.#report(`${nodeId} tells ${key} twice`);
		if (typeof value === 'number' && typeof before === 'number' && value < before)
			this.#report(`${key} of ${nodeId} is what it was before`);
		this.#keepFact(nodeId, key, value);
	}

	#keepFact(nodeId: string, key: string, value: unknown): void {
		if (value === undefined) this.facts.delete(`${nodeId} ${key}`);
		else this.facts.set(`${nodeId} ${key}`, value);
	}

	event(_: string, data: unknown): void {
		this.#check('event');
		if (this.events.has(data)) this.#report(`event ${String(data)} arrives twice`);
		this.events.add(data);
	}

	/** Reports what must never be, at whatever moment. */
	check(): void {
		for (const [userId, { nodeId }] of this.remote) {
			if (this.own.has(userId)) this.#report(`${userId} is here and elsewhere`);
			if (!this.#cluster.nodes.has(nodeId)) this.#report(`${userId} is on a server that has gone`);
			if (this.#room && this.#room.nodeOf(userId) !== nodeId) this.#report(`${userId} is on another server`);
		}
		for (const userId of this.own.keys())
			if (this.#room?.nodeOf(userId) !== undefined) this.#report(`${userId} is here, and taken for remote`);
	}

	/** All users and settings, in a form that can be compared. */
	view(nodeId: string): Record<'users' | 'settings' | 'facts', Record<string, unknown>> {
		const own = [...this.own].map(([userId, { number }]) => [userId, `${nodeId} ${number}`]);
		const remote = [...this.remote].map(([userId, { nodeId, state }]) => [userId, `${nodeId} ${state.number}`]);
		return { users: sorted([...own, ...remote]), settings: sorted([...this.settings]), facts: sorted([...this.facts]) };
	}

	#set(userId: string, state: State): void {
		this.own.set(userId, state);
		this.#room?.set(userId, state);
	}

	#check(what: string): void {
		if (this.#closed) this.#report(`${what} after the room has been closed`);
	}
}

const sorted = (entries: unknown[][]): Record<string, unknown> =>
	Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)) as [string, unknown][]);
