import { createHash } from 'node:crypto';
import { Cluster, type ClusterEvents } from '../../cluster/Cluster.js';
import type { ClusterSettings, OwnLoad } from '../../cluster/ClusterSettings.js';
import { sealedBus, type DroppedMessages } from '../../cluster/sealedBus.js';
import type { NodeInfo } from '../../cluster/wire.js';
import type { ClusterOptions } from '../../clusterOptions.js';
import { Emitter } from '../../Emitter.js';
import { dataSizes } from '../../media/pipes/PipePair.js';
import type { WorkerLoad } from '../../media/placement.js';
import type { ResolvedOptions } from '../../options.js';
import { SfuError } from '../../SfuError.js';
import type { Room } from '../Room.js';
import { Insistence } from './Insistence.js';
import { RoomSharing, type SharedPart } from './RoomSharing.js';

/** The parts of an Sfu that the cluster needs. */
interface SfuPart {
	rooms: ReadonlyMap<string, Room>;
	workers: () => readonly WorkerLoad[];
	isDraining: () => boolean;
	options: ResolvedOptions;
}

/** What tests replace: the clock, the network, and what seals the bus. */
export type ClusterOverrides = Partial<Pick<ClusterSettings, 'bus' | 'nodeId' | 'openDirect' | 'now'>>;

/** The requests of other servers about a room. */
const roomRequests = ['take', 'connect', 'start', 'drop', 'closePair', 'pairGone', 'demand', 'user', 'pusher'] as const;

/** The servers that share rooms with this one. */
export class SfuCluster extends Emitter<ClusterEvents> {
	readonly #cluster: Cluster;
	readonly #part: SfuPart;
	readonly #options: ClusterOptions;
	readonly #insistence: Insistence;

	/** @internal */
	static async join(
		options: ClusterOptions,
		part: SfuPart,
		{ bus: sealed, ...overrides }: ClusterOverrides = {},
	): Promise<SfuCluster> {
		const { bus, secret, name, listen } = options;
		const { logger } = part.options;
		const dropped = (messages: DroppedMessages) => {
			logger.warn('messages of the cluster had another secret', { ...messages });
		};
		const cluster = await Cluster.create(
			{
				...overrides,
				bus: sealed ?? sealedBus(bus, secret, { dropped }),
				secret,
				name,
				listen: { ip: listen.ip, port: listen.portRange?.min ?? 0, announcedAddress: listen.announcedAddress },
				load: () => loadOf(part),
			},
			logger,
		);
		return new SfuCluster(cluster, part, options);
	}

	private constructor(cluster: Cluster, part: SfuPart, options: ClusterOptions) {
		super(part.options.logger);
		this.#cluster = cluster;
		this.#part = part;
		this.#options = options;
		for (const method of roomRequests) {
			cluster.handle(method, ({ roomId, ...params }: { roomId: string }, from) => {
				const room = part.rooms.get(roomId);
				if (!room) throw new SfuError('not_found', 'the room is not open on the other server');
				return room.answerNode(method, params, from);
			});
		}
		cluster.handle('hasRoom', ({ roomId }: { roomId: string }) => part.rooms.has(roomId));
		this.#insistence = new Insistence(
			(nodeId, method, params) => cluster.request(nodeId, method, params),
			(nodeId) => cluster.has(nodeId),
		);
		cluster.on('nodeJoined', (event) => {
			this.#insistence.returned(event.node.nodeId);
			this.emit('nodeJoined', event);
		});
		cluster.on('nodeLost', (event) => {
			this.emit('nodeLost', event);
		});
	}

	/** The id of this server. Each start has another one. */
	get nodeId(): string {
		return this.#cluster.nodeId;
	}

	/** All servers that are alive, this one among them, by id. */
	get nodes(): ReadonlyMap<string, NodeInfo> {
		return this.#cluster.nodes;
	}

	/** Whether messages come over the bus at the moment. Without it, calls go on, and rooms hear nothing new of other servers. */
	get connected(): boolean {
		return this.#cluster.connected;
	}

	/**
	 * The server to send somebody to who wants to join a room: this one while it has the room open and is not full. Otherwise one
	 * is drawn by the room's id, so that all servers choose the same one, and those with less load are drawn for more rooms. One that
	 * is full or drained is never chosen, unless there is no other.
	 */
	suggestNode(roomId: string): NodeInfo {
		const nodes = [...this.nodes.values()];
		const open = nodes.filter(({ draining }) => !draining);
		const own = open.find(({ nodeId }) => nodeId === this.nodeId);
		if (own && own.load < 1 && this.#part.rooms.has(roomId)) return own;
		const free = open.filter(({ load }) => load < 1);
		const candidates = [free, open, nodes].find(({ length }) => length > 0) ?? nodes;
		const chances = candidates.map((node) => ({ node, chance: chanceOf(node, roomId) }));
		return chances.reduce((best, one) => (one.chance > best.chance ? one : best)).node;
	}

	/** @internal Whether a room is open on another server. One that does not answer has none. */
	async hasRoom(roomId: string): Promise<boolean> {
		const others = [...this.nodes.keys()].filter((nodeId) => nodeId !== this.nodeId);
		const answers = others.map(async (nodeId) => {
			if ((await this.#cluster.request(nodeId, 'hasRoom', { roomId })) !== true) throw notOpen;
		});
		return Promise.any(answers).then(
			() => true,
			() => false,
		);
	}

	/** @internal Shares a room. */
	share(part: SharedPart): Promise<RoomSharing> {
		const { ip, announcedAddress, portRange } = this.#options.listen;
		return RoomSharing.open(this.#cluster, part, this.#insistence, {
			listen: {
				ip,
				announcedAddress,
				portRange: portRange && { min: portRange.min + 1, max: portRange.max },
			},
			data: dataSizes(this.#part.options.limits),
		});
	}

	/** @internal Tells the others at once that this server is drained. */
	tellLoad(): void {
		this.#cluster.tellLoad();
	}

	/** @internal Leaves the cluster. */
	close(): void {
		this.#insistence.close();
		void this.#cluster.close();
	}
}

const notOpen = new SfuError('not_found', 'the room is not open there');

/** Weighted rendezvous hashing: the highest of these wins, and a server with half the room to spare wins half as often. */
function chanceOf({ nodeId, load }: NodeInfo, roomId: string): number {
	const hash = createHash('sha256').update(`${roomId} ${nodeId}`).digest();
	const drawn = (hash.readUIntBE(0, 6) + 1) / (2 ** 48 + 1);
	return Math.max(1 - load, 0.01) / -Math.log(drawn);
}

function loadOf({ rooms, workers, isDraining, options: { workers: limits } }: SfuPart): OwnLoad {
	const loads = workers().map(({ cpu, tracks }) => Math.max(cpu / limits.fullCpu, tracks / limits.fullTracks));
	const load = loads.reduce((sum, one) => sum + one, 0) / Math.max(loads.length, 1);
	const users = [...rooms.values()].reduce((sum, room) => sum + room.ownUsers, 0);
	return { draining: isDraining(), load: Number(load.toFixed(2)), rooms: rooms.size, users };
}
