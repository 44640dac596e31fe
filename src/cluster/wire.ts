import { createHash } from 'node:crypto';

/**
 * The version of the messages between servers. A server understands those of its own version, of the one before and the one
 * after. So a change must let servers of the version before go on: a new field may be missing, and a new message or request may
 * be ignored or answered by `unsupported`. What cannot be done so takes two versions: the first one understands it, and the
 * second one sends it. Each change that a server of the version before would misread raises the number.
 */
export const wireVersion = 1;

/** What a server tells of itself. */
export interface NodeInfo {
	/** Its id, which no other server ever had. */
	readonly nodeId: string;
	/** Its name, for people. */
	readonly name: string;
	/** Whether nobody new may join there: see `sfu.drain()`. */
	readonly draining: boolean;
	/** How full its workers are on the average, by processor time and by tracks; 1 for full. */
	readonly load: number;
	/** How many rooms are open there. */
	readonly rooms: number;
	/** How many users have joined there. */
	readonly users: number;
	/** Where it is reached directly, without the bus. */
	readonly address: {
		/** The IP address. */
		readonly ip: string;
		/** The UDP port. */
		readonly port: number;
	};
}

/** A change of a user of the sender. The state is `null` for one who has gone. */
export type UserChange = readonly [userId: string, epoch: number, state: unknown, reason?: string];

/** Something that a server tells of itself in a room, such as who speaks there. The value is `null` for what is so no more. */
export type FactChange = readonly [key: string, value: unknown];

/** What one server has to say of a room. */
export interface Snapshot {
	/** The number of the last change that is in it. */
	seq: number;
	/** The highest epoch of a user that the sender knows. */
	epoch: number;
	users: (readonly [userId: string, epoch: number, state: unknown])[];
	settings: (readonly [key: string, setting: Setting])[];
	/** Missing for none. */
	facts?: FactChange[];
}

/** A setting of a room, which all servers share. Of two, the later one counts. */
export interface Setting {
	epoch: number;
	nodeId: string;
	value: unknown;
}

/** The messages to every server. */
export type NodesMessage =
	| { kind: 'alive'; info: NodeInfo }
	| { kind: 'bye' }
	/** Asks every server for its {@link Snapshot} of a room. */
	| { kind: 'open'; roomId: string };

/** The messages to one server. */
export type NodeMessage =
	| { kind: 'request'; id: number; method: string; params: unknown }
	| { kind: 'response'; id: number; result?: unknown; error?: { code: string; message: string } }
	/** Answers `open`. Without a snapshot the room is not open there. */
	| { kind: 'opened'; roomId: string; snapshot?: Snapshot };

/** The messages to the servers that have a room open. */
export type RoomMessage =
	| { kind: 'change'; seq: number; changes: UserChange[]; facts?: FactChange[] }
	| { kind: 'setting'; key: string; setting: Setting }
	/** Says again what the last change was. `settings` stands for all settings that the sender knows. */
	| { kind: 'digest'; seq: number; settings?: string }
	/** Something that is told once, and not kept. */
	| { kind: 'event'; id: number; name: string; data: unknown }
	/** The room is open there no more. If it is opened there again, its changes have higher numbers than `seq`. */
	| { kind: 'closed'; seq?: number };

export type Message = NodesMessage | NodeMessage | RoomMessage;

/** A message, and the server that sent it. */
export interface Received<Body> {
	from: string;
	body: Body;
}

/** The subject of the messages to every server. */
export const nodesSubject = 'nodes';

export const nodeSubject = (nodeId: string): string => `node.${nodeId}`;

/** The id of a room may have any characters. */
export const roomSubject = (roomId: string): string =>
	`room.${createHash('sha256').update(roomId).digest('base64url').slice(0, 22)}`;

export function encode(from: string, body: Message): Uint8Array {
	return Buffer.from(JSON.stringify({ v: wireVersion, from, body }));
}

/** @returns undefined for what no server of this kind has sent */
export function decode<Body extends Message>(message: Uint8Array): Received<Body> | undefined {
	try {
		const { v, from, body } = JSON.parse(Buffer.from(message).toString()) as Record<string, unknown>;
		const isKnown = typeof v === 'number' && Math.abs(v - wireVersion) <= 1;
		if (!isKnown || typeof from !== 'string' || typeof body !== 'object' || body === null) return undefined;
		return { from, body: body as Body };
	} catch {
		return undefined;
	}
}
