import type { Connection } from '../../connections/Connection.js';
import { count, strict, validator } from '../../schemas.js';
import type { Puller } from '../../tracks/Puller.js';
import type { AnyPuller, AnyPusher } from '../../tracks/tracks.js';
import type { Room } from '../Room.js';
import type { SfuCluster } from '../sharing/SfuCluster.js';
import type { User } from '../User.js';
import type { SfuCounts } from './counts.js';
import type { Health, HealthPart } from './health.js';
import type {
	ConnectionInspection,
	Inspection,
	InspectOptions,
	PullerInspection,
	PusherInspection,
	RoomInspection,
	UserInspection,
} from './Inspection.js';

/** The parts of an Sfu that are shown. */
interface InspectedSfu extends Omit<HealthPart, 'cluster'> {
	readonly health: Health;
	readonly counts: SfuCounts;
	readonly cluster: Pick<SfuCluster, 'nodeId' | 'connected' | 'nodes'> | undefined;
	readonly rooms: ReadonlyMap<string, Room>;
}

const checkOptions = validator<InspectOptions>(
	strict({ roomId: { type: 'string' }, limit: count, metadata: { type: 'boolean' } }),
	'options',
);

const defaultLimit = 10_000;

/** @throws {@link SfuError} `invalid_argument` */
export function inspect(sfu: InspectedSfu, options: InspectOptions): Inspection {
	const { roomId, limit = defaultLimit, metadata = false } = checkOptions(options);
	const { health, counts, workers, cluster } = sfu;
	const view = new View(limit, metadata);
	const rooms = [...sfu.rooms.values()].filter((room) => roomId === undefined || room.roomId === roomId);
	return {
		version: 1,
		time: Date.now(),
		health,
		counts,
		workers: workers.map(({ carriesRoom, ...worker }) => worker),
		...(cluster && {
			cluster: { nodeId: cluster.nodeId, connected: cluster.connected, nodes: [...cluster.nodes.values()] },
		}),
		rooms: view.each(rooms, (room) => view.room(room)),
		truncated: view.truncated,
	};
}

/** Describes things until there are too many. */
class View {
	readonly #metadata: boolean;
	#left: number;
	#truncated = false;

	constructor(limit: number, metadata: boolean) {
		this.#left = limit;
		this.#metadata = metadata;
	}

	/** Whether something was left out. */
	get truncated(): boolean {
		return this.#truncated;
	}

	each<Item, Description>(items: Iterable<Item>, describe: (item: Item) => Description): Description[] {
		const described: Description[] = [];
		for (const item of items) {
			if (this.#left === 0) {
				this.#truncated = true;
				break;
			}
			this.#left--;
			described.push(describe(item));
		}
		return described;
	}

	room({ roomId, locked, lobby, bans, waiting, activeSpeaker, serverPipes, users }: Room): RoomInspection {
		return {
			roomId,
			locked,
			lobby,
			bans: bans.size,
			waiting: this.each(waiting.values(), ({ userId, userName }) => ({ userId, userName })),
			...(activeSpeaker && { activeSpeaker: activeSpeaker.user.userId }),
			...(serverPipes && { serverPipes }),
			users: this.each(users.values(), (user) => this.#user(user)),
		};
	}

	#user(user: User): UserInspection {
		const { userId, userName, isRemote, permissions, quality, connections, pushers, pullers } = user;
		return {
			userId,
			userName,
			isRemote,
			hidden: permissions.hidden,
			...(quality && { quality }),
			...this.#metadataOf(user),
			connections: this.each(connections, connectionInspection),
			pushers: this.each(pushers.values(), (pusher) => ({ ...pusherInspection(pusher), ...this.#metadataOf(pusher) })),
			pullers: this.each(pullers.values(), pullerInspection),
		};
	}

	#metadataOf({ metadata }: { readonly metadata: unknown }): { metadata?: unknown } {
		return this.#metadata && metadata !== undefined ? { metadata: asJson(metadata) } : {};
	}
}

/** What the app gives need not be JSON. */
function asJson(value: unknown): unknown {
	try {
		const text = JSON.stringify(value) as string | undefined;
		return text === undefined ? null : (JSON.parse(text) as unknown);
	} catch {
		return null;
	}
}

function connectionInspection(connection: Connection): ConnectionInspection {
	const { connectionId, offeredBy, state, quality, workerIndex, maxIncomingBitrate, maxOutgoingBitrate } = connection;
	return {
		connectionId,
		offeredBy,
		state,
		...(quality && { quality }),
		...(workerIndex !== undefined && { worker: workerIndex }),
		maxIncomingBitrate,
		maxOutgoingBitrate,
	};
}

function pusherInspection(pusher: AnyPusher): PusherInspection {
	const { pusherId, connectionId, kind, source, pausedBy } = pusher;
	const named = source !== undefined && { source };
	const common: PusherInspection = { pusherId, connectionId, kind, ...named, pausedBy: [...pausedBy] };
	if (pusher.kind === 'data') return { ...common, label: pusher.label };
	const { stalled, media, wantedEncodings } = pusher;
	return {
		...common,
		stalled,
		codec: media.codec,
		encodings: media.encodings.length,
		...(wantedEncodings && { wantedEncodings: [...wantedEncodings] }),
	};
}

function pullerInspection(puller: AnyPuller): PullerInspection {
	const { pullerId, pusherId, targetUserId, connectionId, kind, pausedBy } = puller;
	const common: PullerInspection = { pullerId, pusherId, targetUserId, connectionId, kind, pausedBy: [...pausedBy] };
	return puller.kind === 'data' ? common : { ...common, priority: puller.priority, ...layersOf(puller) };
}

function layersOf(puller: Puller): Pick<PullerInspection, 'layers'> {
	const { currentLayers: current, preferredLayers: preferred, allowedLayers: allowed, highestLayers: highest } = puller;
	if (!preferred || !allowed || !highest) return {};
	return { layers: { ...(current && { current }), preferred, allowed, highest } };
}
