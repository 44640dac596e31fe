import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Emitter } from '../Emitter.js';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import type { ClusterSettings } from './ClusterSettings.js';
import { DirectLink, type Direct, type DirectAddress, type DirectOptions } from './DirectLink.js';
import { aliveInterval, Nodes } from './Nodes.js';
import { OpenRoom } from './OpenRoom.js';
import { Requests, type RequestHandler } from './Requests.js';
import { SharedRoom, type SharedRoomListener } from './SharedRoom.js';
import {
	decode,
	encode,
	nodesSubject,
	nodeSubject,
	roomSubject,
	type Message,
	type NodeInfo,
	type NodeMessage,
	type NodesMessage,
	type RoomMessage,
	type Snapshot,
} from './wire.js';

/** The events of a cluster, as one of its servers sees them. */
export type ClusterEvents = {
	/** Another server is there. */
	nodeJoined: (event: { node: NodeInfo }) => void;
	/** Another server has stopped, or nothing is heard of it any more. */
	nodeLost: (event: { node: NodeInfo; reason: 'nodeStopped' | 'nodeLost' }) => void;
};

/** How often a room says how far it is, in ms. */
const digestInterval = 3000;

/**
 * The servers that share rooms, as this one sees them. No server leads. The bus keeps nothing: what is true of a user, its server
 * says, again and again.
 */
export class Cluster extends Emitter<ClusterEvents> {
	readonly nodeId: string;
	readonly #settings: ClusterSettings;
	readonly #logger: Logger;
	readonly #nodes: Nodes;
	readonly #requests: Requests;
	readonly #rooms = new Map<string, OpenRoom>();
	/** Where signs of life are sent directly. */
	readonly #addresses = new Map<string, DirectAddress>();
	#direct: Direct | undefined;
	#timers: NodeJS.Timeout[] = [];
	#ends: (() => void)[] = [];
	#closed = false;

	/** @throws {@link SfuError} (rejects) `unavailable` if the bus or the port cannot be had */
	static async create(settings: ClusterSettings, logger: Logger): Promise<Cluster> {
		const cluster = new Cluster(settings, logger);
		try {
			await cluster.#start();
			return cluster;
		} catch (error) {
			await cluster.close();
			throw error;
		}
	}

	private constructor(settings: ClusterSettings, logger: Logger) {
		super(logger);
		this.nodeId = settings.nodeId ?? randomUUID();
		this.#settings = settings;
		this.#logger = logger;
		this.#nodes = new Nodes(logger, settings.now);
		this.#requests = new Requests((nodeId, message) => this.#send(nodeSubject(nodeId), message), logger);
		this.handle('snapshots', ({ roomIds }: { roomIds: string[] }) =>
			roomIds.map((roomId) => this.#rooms.get(roomId)?.room.snapshot ?? null),
		);
		this.#nodes.on('joined', ({ node }) => {
			this.#addresses.set(node.nodeId, node.address);
			void this.#tellAlive();
			void this.#fetchAll(node.nodeId);
			this.emit('nodeJoined', { node });
		});
		this.#nodes.on('lost', ({ node, reason }) => {
			const { nodeId } = node;
			logger.info('another server of the cluster has gone', { nodeId, reason });
			// Without the bus, it may hear this server all the same.
			if (this.connected) this.#addresses.delete(nodeId);
			this.#direct?.forget(nodeId);
			this.#requests.lose(nodeId);
			for (const opened of this.#rooms.values()) {
				opened.room.lose(nodeId, 'nodeLost');
				opened.answered(nodeId);
			}
			this.emit('nodeLost', { node, reason });
		});
	}

	/** The servers, this one among them, by id. */
	get nodes(): ReadonlyMap<string, NodeInfo> {
		return new Map([[this.nodeId, this.#info], ...this.#nodes.all]);
	}

	/** Whether another server is alive. */
	has(nodeId: string): boolean {
		return this.#nodes.has(nodeId);
	}

	/** Whether messages come over the bus. */
	get connected(): boolean {
		return this.#settings.bus.connected;
	}

	/** Answers the requests of other servers. */
	handle(method: string, handler: RequestHandler): void {
		this.#requests.handle(method, handler);
	}

	/**
	 * @param timeout - how long the answer itself may take there, in ms
	 * @throws {@link SfuError} (rejects) `unavailable` without an answer, or the error of the other server
	 */
	request(nodeId: string, method: string, params: unknown, timeout = 0): Promise<unknown> {
		return this.#requests.request(nodeId, method, params, timeout);
	}

	/** Opens a room on this server. Resolves when all servers have said who is in it, or do not answer. */
	async openRoom<State>(roomId: string, listener: SharedRoomListener<State>): Promise<SharedRoom<State>> {
		const subject = roomSubject(roomId);
		const room = new SharedRoom<State>(
			{
				nodeId: this.nodeId,
				publish: (message) => {
					this.#send(subject, message).catch(() => undefined);
				},
				fetch: async (nodeId) => (await this.#askSnapshots(nodeId, [roomId]))[0] ?? undefined,
				request: (nodeId, method, params, timeout) =>
					this.request(nodeId, method, { roomId, ...(params as object) }, timeout),
				close: () => {
					opened.close();
					if (this.#rooms.get(roomId) === opened) this.#rooms.delete(roomId);
				},
			},
			listener,
			// No two rooms of a process begin in the same microsecond, and none has a change each microsecond.
			Math.floor((performance.timeOrigin + performance.now()) * 1000),
		);
		const opened = new OpenRoom(room as unknown as SharedRoom<unknown>, this.#nodes.all.keys(), () =>
			this.#settings.bus.subscribe(subject, (message) => {
				const received = this.#receive<RoomMessage>(message);
				// Nobody would notice the death of a server that is not known. All is fetched as soon as it is.
				if (received && this.#nodes.has(received.from)) room.receive(received.from, received.body);
			}),
		);
		this.#rooms.set(roomId, opened);
		if (await this.#announce(roomId, opened)) await opened.answers();
		return room;
	}

	/** Leaves the cluster. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		for (const timer of this.#timers) clearInterval(timer);
		for (const { room } of [...this.#rooms.values()]) room.close();
		if (this.#settings.bus.connected) await this.#send(nodesSubject, { kind: 'bye' }).catch(() => undefined);
		for (const end of this.#ends) end();
		this.#requests.close();
		this.#direct?.close();
		await this.#settings.bus.close();
	}

	/** Tells the others at once what has changed of this server. */
	tellLoad(): void {
		void this.#tellAlive();
	}

	get #info(): NodeInfo {
		const { name = hostname(), load } = this.#settings;
		const address = this.#direct?.address ?? { ip: '', port: 0 };
		return { nodeId: this.nodeId, name, address, ...load() };
	}

	async #start(): Promise<void> {
		const { bus, secret, listen, openDirect = (options: DirectOptions) => DirectLink.open(options) } = this.#settings;
		this.#direct = await openDirect({
			nodeId: this.nodeId,
			secret,
			listen,
			heard: (nodeId) => {
				this.#nodes.heard(nodeId);
			},
		});
		this.#ends.push(
			await bus.subscribe(nodesSubject, (message) => {
				const received = this.#receive<NodesMessage>(message);
				if (received) this.#receiveNodes(received.from, received.body);
			}),
			await bus.subscribe(nodeSubject(this.nodeId), (message) => {
				const received = this.#receive<NodeMessage>(message);
				if (received) this.#receiveNode(received.from, received.body);
			}),
			bus.onConnected((connected) => {
				this.#nodes.busChanged();
				if (connected) this.#busReturned();
				else this.#logger.warn('the bus of the cluster is gone');
			}),
		);
		this.#timers = [
			setInterval(() => {
				this.#beat();
			}, aliveInterval),
			setInterval(() => {
				this.#digest();
			}, digestInterval),
		];
		for (const timer of this.#timers) timer.unref();
		await this.#tellAlive();
	}

	/** Tells that this server lives, over the bus and directly, and sees who else does. */
	#beat(): void {
		void this.#tellAlive();
		for (const address of this.#addresses.values()) this.#direct?.send(address);
		this.#nodes.sweep(this.connected, (nodeId) => this.#direct?.hasHeard(nodeId) === true);
	}

	#busReturned(): void {
		this.#logger.info('the bus of the cluster is back');
		for (const nodeId of this.#addresses.keys()) if (!this.#nodes.has(nodeId)) this.#addresses.delete(nodeId);
		void this.#tellAlive();
		this.#digest();
		for (const nodeId of this.#nodes.all.keys()) void this.#fetchAll(nodeId);
	}

	/** Says again how far each room is. Those that could not be announced before are announced now. */
	#digest(): void {
		if (!this.connected) return;
		for (const [roomId, opened] of this.#rooms) {
			if (opened.isSubscribed) opened.room.digest();
			else void this.#announce(roomId, opened);
		}
	}

	/** Hears what others say of a room from now on, and tells them that it is open here. @returns whether that succeeded */
	async #announce(roomId: string, opened: OpenRoom): Promise<boolean> {
		try {
			await opened.subscribe();
			await this.#send(nodesSubject, { kind: 'open', roomId });
			return true;
		} catch (error) {
			// A room that nobody else hears of is better than none. It is announced when the bus is back.
			this.#logger.warn('a room was opened without the other servers', { roomId, error });
			return false;
		}
	}

	#receive<Body extends Message>(message: Uint8Array): { from: string; body: Body } | undefined {
		const received = this.#closed ? undefined : decode<Body>(message);
		if (!received && !this.#closed) this.#logger.warn('a message was dropped: its version is too far from this one');
		if (!received || received.from === this.nodeId) return undefined;
		this.#nodes.heard(received.from);
		return received;
	}

	#receiveNodes(from: string, message: NodesMessage): void {
		switch (message.kind) {
			case 'alive':
				this.#nodes.heard(from, message.info);
				break;
			case 'bye':
				this.#nodes.stopped(from);
				break;
			case 'open':
				this.#answerOpen(from, message.roomId);
				break;
			default:
				this.#ignore(from, message);
		}
	}

	#answerOpen(from: string, roomId: string): void {
		const room = this.#rooms.get(roomId)?.room;
		const snapshot = room?.snapshot;
		const answer: NodeMessage = { kind: 'opened', roomId, ...(snapshot && { snapshot }) };
		this.#send(nodeSubject(from), answer).catch(() => undefined);
		// It has the room open, too.
		void room?.fetch(from);
	}

	#receiveNode(from: string, message: NodeMessage): void {
		switch (message.kind) {
			case 'request':
				void this.#requests.answer(from, message);
				break;
			case 'response':
				this.#requests.settle(from, message);
				break;
			case 'opened': {
				const opened = this.#rooms.get(message.roomId);
				if (message.snapshot && this.#nodes.has(from)) opened?.room.load(from, message.snapshot);
				opened?.answered(from);
				break;
			}
			default:
				this.#ignore(from, message);
		}
	}

	/** A later version may have other messages. This one can do without them. */
	#ignore(from: string, { kind }: { kind: unknown }): void {
		this.#logger.info('a message of another version was ignored', { from, kind });
	}

	/** Fetches all that a server says of the rooms that are open here. */
	async #fetchAll(nodeId: string): Promise<void> {
		const asked = [...this.#rooms].map(([roomId, { room }]) => ({ roomId, room, before: room.seqOf(nodeId) }));
		if (asked.length === 0) return;
		try {
			const snapshots = await this.#askSnapshots(
				nodeId,
				asked.map(({ roomId }) => roomId),
			);
			for (const [index, { room, before }] of asked.entries()) room.load(nodeId, snapshots[index] ?? undefined, before);
		} catch (error) {
			// The digests will tell what is missing.
			this.#logger.debug('the rooms of another server could not be fetched', { nodeId, error });
		}
	}

	/** @throws {@link SfuError} (rejects) `unavailable` if the server does not answer, or is taken for dead */
	async #askSnapshots(nodeId: string, roomIds: string[]): Promise<(Snapshot | null)[]> {
		const snapshots = (await this.request(nodeId, 'snapshots', { roomIds })) as (Snapshot | null)[];
		if (!this.#nodes.has(nodeId)) throw new SfuError('unavailable', 'the other server has gone');
		return snapshots;
	}

	async #tellAlive(): Promise<void> {
		// After its farewell, nobody would believe it.
		if (!this.#closed) await this.#send(nodesSubject, { kind: 'alive', info: this.#info }).catch(() => undefined);
	}

	#send(subject: string, message: Message): Promise<void> {
		return this.#settings.bus.publish(subject, encode(this.nodeId, message));
	}
}
