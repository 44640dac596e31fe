import type { MediaKind, WorkerLogLevel } from 'mediasoup/types';
import type { ListenAddress } from './listenAddress.js';
import type { Logger } from './Logger.js';
import type { ClusterOptions } from './clusterOptions.js';
import type { IceServer } from './protocol/iceServers.js';
import type { RoomMember } from './rooms/RoomMember.js';
import type { PlaceOnWorker } from './media/placement.js';

/** The limits of an Sfu. */
export interface Limits {
	/** The most rooms of one Sfu. Default 10,000. */
	rooms: number;
	/** The most users in one room. Default 500. */
	usersPerRoom: number;
	/** The most users who wait in the lobby of one room. Default 100. */
	waitingPerRoom: number;
	/** The most RTCPeerConnections of one user. Default 100. */
	connectionsPerUser: number;
	/** The most tracks that one user pushes. Default 16. */
	pushersPerUser: number;
	/** The most data channels that one user pushes. Default 16. */
	dataPushersPerUser: number;
	/** The most pullers of one user, with those of data channels. Default 500. */
	pullersPerUser: number;
	/** The most m-lines of one offer. Default 100. */
	mediaSections: number;
	/** The largest SDP, in bytes. Default 131,072 (128 KiB). */
	sdpBytes: number;
	/**
	 * The longest room id, user id, user name, source of a pusher, and label and protocol of a data channel, in Unicode code
	 * points. Default 256.
	 */
	idLength: number;
	/** The largest metadata of a user or a pusher, in bytes of its JSON. Default 4096. */
	metadataBytes: number;
	/** The largest `data` of the app's own messages, requests and answers, in bytes of its JSON. Default 16,384. */
	appMessageBytes: number;
	/** The largest message of a data channel, in bytes. Larger ones are dropped. Default 262,144 (256 KiB). */
	dataMessageBytes: number;
	/**
	 * The most bytes of data channels that wait for a slow client, for each of its RTCPeerConnections. Further messages are
	 * lost. When a reliable data channel loses one, its puller closes (`tooSlow`). Default 2,000,000.
	 */
	dataBufferBytes: number;
}

/** A codec that pushers may send. */
export interface CodecOption {
	/** Audio or video. */
	kind: MediaKind;
	/** The media type and subtype, such as `video/VP8`. */
	mimeType: string;
	/** The clock rate of the RTP timestamps, in Hz. */
	clockRate: number;
	/** The number of audio channels. Default 1. */
	channels?: number;
	/** The parameters that tell variants of a codec apart: `profile-level-id`, `packetization-mode`, `profile-id`. */
	parameters?: Record<string, string | number>;
}

/**
 * The default codecs: those that browsers send and receive. H264 is Constrained Baseline with packetization mode 1, which
 * RFC 7742 demands of every browser.
 */
export const defaultCodecs: readonly CodecOption[] = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
	{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000, parameters: { 'profile-id': 0 } },
	{
		kind: 'video',
		mimeType: 'video/H264',
		clockRate: 90000,
		parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
	},
	{ kind: 'video', mimeType: 'video/AV1', clockRate: 90000 },
];

/** The options of connections. */
export interface WebRtcOptions {
	/** The addresses for media. Default: 127.0.0.1 only, for trying things out. */
	listen?: ListenAddress[];
	/**
	 * How long an RTCPeerConnection may take from its first answer to the end of its DTLS handshake, in ms. After that its
	 * connection closes (`connectTimeout`). Default 30,000.
	 */
	connectTimeout?: number;
	/**
	 * How long a client may take to answer an offer of the server, in ms. After that what the offer adds closes, and the next
	 * offer may come; without an answer to the first offer the connection closes (`answerTimeout`). Default 30,000.
	 */
	answerTimeout?: number;
	/**
	 * How long a client may be silent, without even answering consent checks (RFC 7675), in ms, in whole seconds. After that
	 * its connection is disconnected, and sent nothing. RFC 7675 allows 30,000 at most. Browsers ask every 2.5 to 6 seconds, and a
	 * connection that is disconnected goes on as soon as the client is heard again. Default 15,000.
	 */
	consentTimeout?: number;
	/**
	 * How long a disconnected connection may take to come back, in ms. After that it closes (`disconnected`). Default 30,000.
	 */
	disconnectTimeout?: number;
	/** The bandwidth that a client is first assumed to have for what it pulls, in bit/s. Default 1,000,000. */
	initialOutgoingBitrate?: number;
	/**
	 * The most that one RTCPeerConnection may send in all, in bit/s. 0 stands for no limit. The client is told by RTCP
	 * (REMB). Browsers obey if they have offered transport-wide congestion control or abs-send-time. Default 0.
	 */
	maxIncomingBitrate?: number;
	/**
	 * The most that one RTCPeerConnection is sent in all, in bit/s. 0 stands for no limit; less than 30,000 counts as 30,000.
	 * Lower layers are sent, and video without layers is held. Default 0.
	 */
	maxOutgoingBitrate?: number;
	/**
	 * The sources of video that are shown longest where a link cannot carry all videos of the same priority, the most
	 * important one first. All others are held before them. Default `['screen']`: a screen share is held after a camera.
	 */
	keptSources?: readonly string[];
	/**
	 * The bitrate with which a browser begins to send video, before it has an estimate, in bit/s
	 * (`x-google-start-bitrate`, in Chromium and other libwebrtc clients). 0 leaves it to the browser. Default 1,250,000.
	 */
	startBitrate?: number;
	/** The shortest time between two keyframe requests to one pusher, in ms. Default 500. */
	keyframeRequestDelay?: number;
	/**
	 * How long nobody has to want a layer of a simulcast before its client is told not to send it (`layersWanted`), in ms. 0
	 * stands for at once. Default 5000.
	 */
	layersSettleTime?: number;
}

/** The options of the worker processes. */
export interface WorkerOptions {
	/** How many worker processes there are. Each uses one core. Default: one for each core. */
	count?: number;
	/**
	 * The share of a core from which on a worker gets no more RTCPeerConnections of a room while another worker has room, 0.05
	 * to 1. Default 0.7.
	 */
	fullCpu?: number;
	/** The number of tracks, received and sent, from which on it gets no more either. Default 500. */
	fullTracks?: number;
	/**
	 * Chooses the worker of each room and each RTCPeerConnection. Default: a room stays on its first worker until that is
	 * full; then its next RTCPeerConnections go to the worker with the least load.
	 */
	place?: PlaceOnWorker;
	/** The path of the worker's binary. Default: `MEDIASOUP_WORKER_BIN`, or mediasoup's own place. */
	binary?: string;
	/**
	 * How long a worker process may take to answer, in ms. One that does not, for example because it was stopped, is killed
	 * and replaced like one that died. 0 stands for ever. Default 15,000.
	 */
	healthTimeout?: number;
	/** The level of the workers' log, which goes through mediasoup's `debug`. Default `error`. */
	logLevel?: WorkerLogLevel;
}

/** How to find out who speaks. */
export interface AudioObserverOptions {
	/** How often levels are told, in ms, 250 to 5000. Default 1000. */
	interval?: number;
	/** The average level above which a user is heard, in dBov (RFC 6464), -127 to 0. Default -80. */
	threshold?: number;
}

/** The STUN and TURN servers for clients: the same for all, or for each user. */
export type IceServersOption =
	readonly IceServer[] | ((user: RoomMember) => readonly IceServer[] | Promise<readonly IceServer[]>);

/** The options of an Sfu. */
export interface SfuOptions {
	/** The options of connections: addresses, timeouts, bitrates. */
	webRtc?: WebRtcOptions;
	/** The options of the worker processes. */
	workers?: WorkerOptions;
	/**
	 * The codecs that pushers may send, in any order. A pusher takes the first one of its own offer, unless the room, the user
	 * or the push has another order. Default {@link defaultCodecs}.
	 */
	codecs?: CodecOption[];
	/** The limits. Default {@link defaultLimits}. */
	limits?: Partial<Limits>;
	/**
	 * Turns on the events `activeSpeakerChanged` and `audioLevels` of rooms. An empty object takes the defaults. Default: off.
	 */
	audioObservers?: AudioObserverOptions;
	/**
	 * How often the quality of each connection is measured, in ms. It turns on the event `qualityChanged` of users and
	 * connections, and asks the workers for statistics of everything that flows. 0 stands for never. Default 0.
	 */
	qualityInterval?: number;
	/**
	 * How often to look whether what clients send arrives, in ms. A track of which nothing has arrived at two looks in a row has
	 * stalled: `pusherStalled`. Each look asks the workers for statistics of each connection that pushes. 0 stands for never.
	 * Default 800.
	 */
	stallInterval?: number;
	/** How long an empty room stays open, in ms. Default 30,000. */
	emptyRoomTimeout?: number;
	/**
	 * The `iceServers` that clients get with the answer to each `join`, also when they come back: a list, or a function that is
	 * asked for each user. If the function throws, gives something else or takes longer than `iceServersTimeout`, that is logged,
	 * and the client joins without any. Clients need them only to reach this server through a TURN server, since the server itself
	 * is reached without STUN. {@link turnCredentials} makes one. Default: none.
	 */
	iceServers?: IceServersOption;
	/** How long the function `iceServers` may take, in ms, at least 1. Default 5000. */
	iceServersTimeout?: number;
	/** How to share rooms with other servers. Default: with none. */
	cluster?: ClusterOptions;
	/** The logger. Default {@link consoleLogger}. */
	logger?: Logger;
}

/** The options, with all defaults. */
export interface ResolvedOptions {
	webRtc: Required<WebRtcOptions>;
	workers: Required<Omit<WorkerOptions, 'binary' | 'place'>> & {
		binary: string | undefined;
		place: PlaceOnWorker | undefined;
	};
	codecs: readonly CodecOption[];
	limits: Limits;
	audioObservers: Required<AudioObserverOptions> | undefined;
	qualityInterval: number;
	stallInterval: number;
	emptyRoomTimeout: number;
	iceServers: IceServersOption;
	iceServersTimeout: number;
	cluster: ClusterOptions | undefined;
	logger: Logger;
}

/** The default limits. */
export const defaultLimits: Limits = {
	rooms: 10_000,
	usersPerRoom: 500,
	waitingPerRoom: 100,
	connectionsPerUser: 100,
	pushersPerUser: 16,
	dataPushersPerUser: 16,
	pullersPerUser: 500,
	mediaSections: 100,
	sdpBytes: 131_072,
	idLength: 256,
	metadataBytes: 4096,
	appMessageBytes: 16_384,
	dataMessageBytes: 262_144,
	dataBufferBytes: 2_000_000,
};
