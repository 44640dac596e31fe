import type { NodeInfo } from '../../cluster/wire.js';
import type { ConnectionState } from '../../connections/ConnectionEvents.js';
import type { Layers } from '../../layers/LayerSelection.js';
import type { WorkerLoad } from '../../media/placement.js';
import type { Quality } from '../../stats/quality.js';
import type { PauseCause } from '../../tracks/Pauses.js';
import type { WantedEncoding } from '../../tracks/PusherEndpoint.js';
import type { SfuCounts } from './counts.js';
import type { Health } from './health.js';

/** What `sfu.inspect()` shows. */
export interface InspectOptions {
	/** The room to show. Default: all rooms. */
	roomId?: string;
	/**
	 * The most rooms, users, connections, pushers and pullers to show, taken together. What is left out is told by
	 * {@link Inspection.truncated}. Default 10,000.
	 */
	limit?: number;
	/** Whether to show the metadata of users and of pushers, which may be private. Default false. */
	metadata?: boolean;
}

/**
 * A picture of an Sfu: plain JSON, without keys, passwords, tokens and SDP. What is undefined is missing. A property that is added
 * leaves `version` as it is; one that is removed, or means something else, raises it.
 */
export interface Inspection {
	/** The version of this shape. */
	version: 1;
	/** When it was taken, in ms since 1970. */
	time: number;
	/** As in `sfu.health`. */
	health: Health;
	/** As in `sfu.counts`: all that there is, even if less is shown. */
	counts: SfuCounts;
	/** Whether something was left out for {@link InspectOptions.limit}. */
	truncated: boolean;
	/** The media workers. */
	workers: Omit<WorkerLoad, 'carriesRoom'>[];
	/** The servers that share rooms. Missing without the option `cluster`. */
	cluster?: ClusterInspection;
	/** The rooms, in the order in which they were opened. */
	rooms: RoomInspection[];
}

/** The servers that share rooms, in an {@link Inspection}. */
export interface ClusterInspection {
	/** The id of this server. */
	nodeId: string;
	/** Whether messages come over the bus. */
	connected: boolean;
	/** All servers that are alive, this one among them. */
	nodes: NodeInfo[];
}

/** A room in an {@link Inspection}. */
export interface RoomInspection {
	/** Its id. */
	roomId: string;
	/** Whether nobody new may join. */
	locked: boolean;
	/** Whether users wait in the lobby. */
	lobby: boolean;
	/** How many users are banned. */
	bans: number;
	/** Who waits in the lobby. */
	waiting: {
		/** The id of the user. */
		userId: string;
		/** Its name. */
		userName: string;
	}[];
	/** The user who speaks. Missing if nobody does. */
	activeSpeaker?: string;
	/** What it shares with other servers. Missing without the option `cluster`. */
	serverPipes?: {
		/** How many tracks and data channels go to other servers. */
		outgoing: number;
		/** How many pairs of pipes come from them. */
		incoming: number;
	};
	/** Its users, in the order of joining, whichever server they have joined on. */
	users: UserInspection[];
}

/** A user in an {@link Inspection}. */
export interface UserInspection {
	/** Its id. */
	userId: string;
	/** Its name. */
	userName: string;
	/** Whether it has joined on another server: then that one has its connections and pullers. */
	isRemote: boolean;
	/** Whether the others do not see it. */
	hidden: boolean;
	/** How well it is connected. Missing if that is not known. */
	quality?: Quality;
	/** The value of the app's own. Missing unless it is asked for. */
	metadata?: unknown;
	/** Its RTCPeerConnections. */
	connections: ConnectionInspection[];
	/** What it sends. */
	pushers: PusherInspection[];
	/** What it receives. */
	pullers: PullerInspection[];
}

/** A connection in an {@link Inspection}. */
export interface ConnectionInspection {
	/** Its id. */
	connectionId: string;
	/** Who makes the offers on it. */
	offeredBy: 'client' | 'server';
	/** The state of its transport. */
	state: ConnectionState;
	/** How well it is connected. Missing if that is not known. */
	quality?: Quality;
	/** The index of its worker. Missing before it has a transport. */
	worker?: number;
	/** The most that the client may send, in bit/s. 0 stands for no limit. */
	maxIncomingBitrate: number;
	/** The most that the client is sent, in bit/s. 0 stands for no limit. */
	maxOutgoingBitrate: number;
}

/** A pusher in an {@link Inspection}. */
export interface PusherInspection {
	/** Its id. */
	pusherId: string;
	/** Its connection, maybe on another server. */
	connectionId: string;
	/** A track, or a data channel. */
	kind: 'audio' | 'video' | 'data';
	/** The user's word for it. */
	source?: string;
	/** Who has paused it. */
	pausedBy: PauseCause[];
	/** Whether nothing of a track arrives, though nobody has paused it. */
	stalled?: boolean;
	/** The encoding name of a track in SDP. */
	codec?: string;
	/** The number of streams of a track; more than 1 for simulcast. */
	encodings?: number;
	/** Which streams of a simulcast anybody wants. */
	wantedEncodings?: WantedEncoding[];
	/** The label of a data channel. */
	label?: string;
	/** The value of the app's own. Missing unless it is asked for. */
	metadata?: unknown;
}

/** A puller in an {@link Inspection}. */
export interface PullerInspection {
	/** Its id. */
	pullerId: string;
	/** The pusher that it receives. */
	pusherId: string;
	/** The user of that pusher. */
	targetUserId: string;
	/** Its connection. */
	connectionId: string;
	/** A track, or a data channel. */
	kind: 'audio' | 'video' | 'data';
	/** Who has paused it. */
	pausedBy: PauseCause[];
	/** Its priority among the tracks of its connection. */
	priority?: number;
	/** The layers of simulcast or SVC. Missing without them. */
	layers?: {
		/** Those that are sent. Missing if none is. */
		current?: Layers;
		/** Those that the client wants. */
		preferred: Layers;
		/** Those that the app allows. */
		allowed: Layers;
		/** The highest that there are. */
		highest: Layers;
	};
}
