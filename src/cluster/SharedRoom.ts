import { Recent } from './Recent.js';
import { RoomReplica, type ReplicaListener } from './RoomReplica.js';
import type { RoomMessage, Snapshot, UserChange } from './wire.js';

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
	request: (nodeId: string, method: string, params: unknown) => Promise<unknown>;
	/** Closes the room here. */
	close: () => void;
}

/** A room of this server that other servers may have open, too. `State` is what a server tells of a user. */
export class SharedRoom<State> {
	readonly #link: RoomLink;
	readonly #replica: RoomReplica<State>;
	readonly #listener: SharedRoomListener<State>;
	readonly #events = new Recent();
	/** The last change of each user that has not been told yet. */
	#untold = new Map<string, UserChange>();
	/** The snapshots on their way, and whether there are later changes already. */
	readonly #fetching = new Map<string, { again: boolean }>();
	#lastEvent = 0;
	#closed = false;

	constructor(link: RoomLink, listener: SharedRoomListener<State>, firstSeq: number) {
		this.#link = link;
		this.#listener = listener;
		this.#replica = new RoomReplica(link.nodeId, listener, firstSeq);
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

	/** Changes a setting for all servers. */
	setSetting(key: string, value: unknown): void {
		this.#link.publish({ kind: 'setting', key, setting: this.#replica.setSetting(key, value) });
	}

	/** Tells something once, to all servers that have the room open. */
	send(name: string, data: unknown): void {
		if (this.#replica.nodeIds.length > 0) this.#link.publish({ kind: 'event', id: ++this.#lastEvent, name, data });
	}

	/**
	 * Asks the server of a user something.
	 *
	 * @throws {@link SfuError} (rejects) `unavailable` if it does not answer, and its own errors
	 */
	request(nodeId: string, method: string, params: object): Promise<unknown> {
		return this.#link.request(nodeId, method, params);
	}

	/** Says again how far this server is, for those who have missed something. */
	digest(): void {
		this.#flush();
		this.#link.publish({ kind: 'digest', seq: this.#replica.seq });
	}

	/** A message of another server about the room. */
	receive(from: string, message: RoomMessage): void {
		switch (message.kind) {
			case 'change':
				if (!this.#replica.follow(from, message.seq, message.changes)) void this.fetch(from);
				break;
			case 'digest':
				if (!this.#replica.isCurrent(from, message.seq)) void this.fetch(from);
				break;
			case 'setting':
				this.#replica.followSetting(message.key, message.setting);
				break;
			case 'event':
				if (this.#events.add(from, message.id)) this.#listener.event(message.name, message.data, from);
				break;
			case 'closed':
				this.lose(from, 'left');
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
				this.load(nodeId, await this.#link.fetch(nodeId));
			}
		} catch {
			// The next digest tells whether something is still missing.
		} finally {
			this.#fetching.delete(nodeId);
		}
	}

	/** Takes over what a server says of the room. @param snapshot - undefined if it is not open there */
	load(nodeId: string, snapshot: Snapshot | undefined): void {
		if (this.#closed) return;
		if (snapshot) this.#replica.load(nodeId, snapshot);
		else this.lose(nodeId, 'left');
	}

	/** Forgets a server. */
	lose(nodeId: string, reason: string): void {
		this.#events.delete(nodeId);
		this.#replica.lose(nodeId, reason);
	}

	/** Ends the part of this server in it. Its users have gone before. */
	close(): void {
		if (this.#closed) return;
		this.#flush();
		this.#closed = true;
		this.#link.publish({ kind: 'closed' });
		this.#link.close();
	}

	#tell(userId: string, change: UserChange | undefined): void {
		if (!change || this.#closed) return;
		if (this.#untold.size === 0) {
			queueMicrotask(() => {
				this.#flush();
			});
		}
		// The order is that of the last changes.
		this.#untold.delete(userId);
		this.#untold.set(userId, change);
	}

	#flush(): void {
		if (this.#untold.size === 0 || this.#closed) return;
		const changes = [...this.#untold.values()];
		this.#untold = new Map();
		this.#link.publish({ kind: 'change', seq: this.#replica.count(), changes });
	}
}
