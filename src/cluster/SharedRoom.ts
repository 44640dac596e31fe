import { Recent } from './Recent.js';
import { RoomReplica, type ReplicaListener } from './RoomReplica.js';
import type { FactChange, RoomMessage, Snapshot, UserChange } from './wire.js';

/** What a room hears of the other servers. */
export interface SharedRoomListener<State> extends ReplicaListener<State> {
	/** Something that another server has told once. */
	event: (name: string, data: unknown, nodeId: string) => void;
}

/** The parts of the cluster that a room needs. */
export interface RoomLink {
	readonly nodeId: string;
	/** Sends to the servers that have the room open. Never rejects. */
	publish: (message: RoomMessage) => void;
	/** @throws {@link SfuError} (rejects) if the server does not answer */
	fetch: (nodeId: string) => Promise<Snapshot | undefined>;
	/** Asks another server something. */
	request: (nodeId: string, method: string, params: unknown, timeout: number) => Promise<unknown>;
	/** Closes the room here. */
	close: () => void;
}

/** So many digests of another server may be missing before it is asked whether it has the room open at all. */
const missingDigests = 2;

/** A room of this server that other servers may have open, too. `State` is what a server tells of a user. */
export class SharedRoom<State> {
	readonly #link: RoomLink;
	readonly #replica: RoomReplica<State>;
	readonly #listener: SharedRoomListener<State>;
	readonly #events = new Recent();
	/** The last change of each user that has not been told yet. */
	#untold = new Map<string, UserChange>();
	#untoldFacts = new Map<string, FactChange>();
	/** The snapshots on their way, and whether there are later changes already. */
	readonly #fetching = new Map<string, { again: boolean }>();
	/** How many digests of this server there were since each other one has said something. */
	readonly #silent = new Map<string, number>();
	#lastEvent: number;
	#closed = false;

	constructor(link: RoomLink, listener: SharedRoomListener<State>, firstSeq: number) {
		this.#link = link;
		this.#listener = listener;
		this.#replica = new RoomReplica(link.nodeId, listener, firstSeq);
		// The events of a room that was open before have lower numbers.
		this.#lastEvent = firstSeq;
	}

	/** The servers that have the room open, too. */
	get nodeIds(): string[] {
		return this.#replica.nodeIds;
	}

	/** What this server says of the room. */
	get snapshot(): Snapshot {
		this.#flush();
		return this.#replica.snapshot;
	}

	/** The number of the last change of another server; undefined if nothing is known of it. */
	seqOf(nodeId: string): number | undefined {
		return this.#replica.seqOf(nodeId);
	}

	/** The server of a user of another server. */
	nodeOf(userId: string): string | undefined {
		return this.#replica.nodeOf(userId);
	}

	/** Tells what a user of this server is like from now on. */
	set(userId: string, state: State): void {
		this.#tell(userId, this.#replica.set(userId, state));
	}

	/** Tells that a user of this server has gone. */
	delete(userId: string, reason: string): void {
		this.#tell(userId, this.#replica.delete(userId, reason));
	}

	/** Tells something of this server itself, which each server tells of itself alone: `undefined` for what is so no more. */
	setFact(key: string, value: unknown): void {
		if (this.#closed) return;
		const change = this.#replica.setFact(key, value);
		this.#flushSoon();
		this.#untoldFacts.set(key, change);
	}

	/** Changes a setting for all servers. */
	setSetting(key: string, value: unknown): void {
		if (!this.#closed) this.#link.publish({ kind: 'setting', key, setting: this.#replica.setSetting(key, value) });
	}

	/** Chooses a setting for all servers that none of them has chosen. @returns whether this one has chosen it */
	setInitialSetting(key: string, value: unknown): boolean {
		const setting = this.#closed ? undefined : this.#replica.setInitialSetting(key, value);
		// Who opens the room later asks for it.
		if (setting && this.nodeIds.length > 0) this.#link.publish({ kind: 'setting', key, setting });
		return setting !== undefined;
	}

	/** Tells something once, to all servers that have the room open. */
	send(name: string, data: unknown): void {
		if (this.#replica.nodeIds.length > 0) this.#link.publish({ kind: 'event', id: ++this.#lastEvent, name, data });
	}

	/**
	 * Asks the server of a user something.
	 *
	 * @param timeout - how long the answer itself may take there, in ms; default 0
	 * @throws {@link SfuError} (rejects) `unavailable` if it does not answer, and its own errors
	 */
	request(nodeId: string, method: string, params: object, timeout = 0): Promise<unknown> {
		return this.#link.request(nodeId, method, params, timeout);
	}

	/** Says again how far this server is, for those who have missed something, and asks those who say nothing any more. */
	digest(): void {
		this.#flush();
		this.#link.publish({ kind: 'digest', seq: this.#replica.seq, settings: this.#replica.settingsMark });
		for (const nodeId of this.nodeIds) {
			const silent = (this.#silent.get(nodeId) ?? 0) + 1;
			this.#silent.set(nodeId, silent);
			// That it has closed the room may have been lost.
			if (silent > missingDigests) void this.fetch(nodeId);
		}
	}

	/** A message of another server about the room. */
	receive(from: string, message: RoomMessage): void {
		if (this.#closed) return;
		this.#silent.delete(from);
		switch (message.kind) {
			case 'change':
				if (!this.#replica.follow(from, message.seq, message.changes, message.facts)) void this.fetch(from);
				break;
			case 'digest': {
				const { seq, settings = this.#replica.settingsMark } = message;
				const isCurrent = this.#replica.isCurrent(from, seq) && settings === this.#replica.settingsMark;
				if (!isCurrent) void this.fetch(from);
				break;
			}
			case 'setting':
				this.#replica.followSetting(message.key, message.setting);
				break;
			case 'event':
				if (this.#events.add(from, message.id)) this.#listener.event(message.name, message.data, from);
				break;
			case 'closed':
				if ((message.seq ?? Infinity) >= (this.seqOf(from) ?? 0)) this.lose(from, 'left');
				break;
			default:
			// A later version may have others.
		}
	}

	/** Fetches all that a server says of the room. Never rejects. */
	async fetch(nodeId: string): Promise<void> {
		const known = this.#fetching.get(nodeId);
		if (known) {
			known.again = true;
			return;
		}
		const fetching = { again: true };
		this.#fetching.set(nodeId, fetching);
		try {
			while (fetching.again && !this.#closed) {
				fetching.again = false;
				const before = this.seqOf(nodeId);
				this.load(nodeId, await this.#link.fetch(nodeId), before);
			}
		} catch {
			// The next digest tells whether something is still missing.
		} finally {
			this.#fetching.delete(nodeId);
		}
	}

	/**
	 * Takes over what a server says of the room.
	 *
	 * @param snapshot - undefined if it is not open there
	 * @param before - what {@link SharedRoom.seqOf} was when the server was asked. If something has come from it since then, it
	 *   has opened the room after it has answered
	 */
	load(nodeId: string, snapshot: Snapshot | undefined, before?: number): void {
		if (this.#closed) return;
		this.#silent.delete(nodeId);
		if (snapshot) this.#replica.load(nodeId, snapshot);
		else if (this.seqOf(nodeId) === before) this.lose(nodeId, 'left');
	}

	/** Forgets a server. */
	lose(nodeId: string, reason: string): void {
		this.#silent.delete(nodeId);
		this.#events.lose(nodeId);
		this.#replica.lose(nodeId, reason);
	}

	/** Ends the part of this server in it. Its users have gone before. */
	close(): void {
		if (this.#closed) return;
		this.#flush();
		this.#closed = true;
		this.#link.publish({ kind: 'closed', seq: this.#replica.seq });
		this.#link.close();
	}

	#tell(userId: string, change: UserChange | undefined): void {
		if (!change || this.#closed) return;
		this.#flushSoon();
		// The order is that of the last changes.
		this.#untold.delete(userId);
		this.#untold.set(userId, change);
	}

	get #isTold(): boolean {
		return this.#untold.size === 0 && this.#untoldFacts.size === 0;
	}

	#flushSoon(): void {
		if (!this.#isTold) return;
		queueMicrotask(() => {
			this.#flush();
		});
	}

	#flush(): void {
		if (this.#isTold || this.#closed) return;
		const changes = [...this.#untold.values()];
		const facts = [...this.#untoldFacts.values()];
		this.#untold = new Map();
		this.#untoldFacts = new Map();
		const seq = this.#replica.count();
		this.#link.publish({ kind: 'change', seq, changes, ...(facts.length > 0 && { facts }) });
	}
}
