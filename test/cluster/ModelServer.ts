import { Cluster } from '../../src/cluster/Cluster.js';
import type { Logger } from '../../src/Logger.js';
import type { FakeClock } from './FakeClock.js';
import type { FaultyBus } from './FaultyBus.js';
import type { FaultyNetwork } from './FaultyNetwork.js';
import { ModelRoom } from './ModelRoom.js';

const load = () => ({ draining: false, load: 0, rooms: 0, users: 0 });

const ignore = () => undefined;
const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** A server of a cluster, and what it knows. */
export class ModelServer {
	readonly nodeId: string;
	readonly bus: FaultyBus;
	readonly rooms = new Map<string, ModelRoom>();
	/** The other servers that it knows, and since when. */
	readonly knownSince = new Map<string, number>();
	/** Called when it takes another server for dead. */
	onLost: (nodeId: string) => void = ignore;
	cluster: Cluster | undefined;
	/** Since when it runs, in ms. */
	since = Infinity;
	readonly #clock: FakeClock;
	readonly #network: FaultyNetwork;
	readonly #report: (violation: string) => void;
	#closed = false;

	/** @param number - a server of a higher one has a higher id */
	constructor(
		place: number,
		number: number,
		network: FaultyNetwork,
		clock: FakeClock,
		report: (violation: string) => void,
	) {
		this.nodeId = `node${String(number).padStart(4, '0')}`;
		this.bus = network.connect(place);
		this.#network = network;
		this.#clock = clock;
		this.#report = (violation) => {
			report(`${this.nodeId}: ${violation}`);
		};
	}

	get isAlive(): boolean {
		return this.cluster !== undefined && !this.#closed;
	}

	/** Whether it has not started yet, but will. */
	get isStarting(): boolean {
		return this.cluster === undefined && !this.#closed;
	}

	/** Rejects if the bus is lost meanwhile. */
	async start(): Promise<void> {
		const cluster = await Cluster.create(
			{
				bus: this.bus,
				secret: 'secret',
				name: this.nodeId,
				nodeId: this.nodeId,
				listen: { ip: '127.0.0.1', port: 0 },
				load,
				now: () => this.#clock.now,
				openDirect: (options) => this.#network.openDirect(this.bus, options),
			},
			logger,
		);
		cluster.on('nodeJoined', ({ node: { nodeId } }) => {
			this.knownSince.set(nodeId, this.#clock.now);
		});
		cluster.on('nodeLost', ({ node: { nodeId }, reason }) => {
			this.knownSince.delete(nodeId);
			if (reason === 'nodeLost' && this.isAlive) this.onLost(nodeId);
		});
		this.cluster = cluster;
		this.since = this.#clock.now;
	}

	/** Opens a room, unless it is open. */
	open(roomId: string): ModelRoom | undefined {
		if (!this.cluster || this.#closed) return undefined;
		const known = this.rooms.get(roomId);
		if (known) return known;
		const room = new ModelRoom(this.cluster, roomId, this.#report);
		this.rooms.set(roomId, room);
		room.open(this.nodeId).catch((error: unknown) => {
			this.#report(`${roomId} cannot be opened: ${String(error)}`);
		});
		return room;
	}

	closeRoom(roomId: string): void {
		const room = this.rooms.get(roomId);
		// While a room is being opened nobody else can open it.
		if (!room?.isOpen) return;
		this.rooms.delete(roomId);
		room.close();
	}

	/** Ends it: in good order, or, with a silent bus, like one that is killed. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		for (const room of this.rooms.values()) room.end();
		await this.cluster?.close();
	}

	check(): void {
		if (this.isAlive) for (const room of this.rooms.values()) room.check();
	}
}
