import type { LostSocket } from './retry.js';
import type { RemoteTrack } from './RemoteTrack.js';
import type { SocketLike } from './SocketLike.js';

/** So many videos of cameras at most: of whom this user pins, then of who spoke last. */
export interface SomeVideos {
	/** How many. */
	videos: number;
}

/** What is received without being asked for: everything, so many videos of cameras, nothing, or what the function says. */
export type Subscription = 'all' | 'none' | SomeVideos | ((track: RemoteTrack) => boolean);

/** How to join a room. */
export interface ConnectOptions {
	/** The address of the WebSocket. A function is asked before each attempt, so that it can bring a fresh token. */
	url: string | (() => string | Promise<string>);
	/** The room. */
	roomId: string;
	/** Who joins. Another client with the same id takes its place, or is refused. */
	userId: string;
	/** For people to read. Default: the `userId`. */
	userName?: string;
	/** Any JSON value of the app's own, which the others see. */
	metadata?: unknown;
	/** Asks to be hidden: a viewer whom nobody is told of. Default false. */
	audience?: boolean;
	/** What is received by itself. Default `all`. */
	subscribe?: Subscription;
	/** Whether layers and pauses of videos follow the elements that they are attached to. Default true. */
	adaptive?: boolean;
	/** For the RTCPeerConnections. Default: the `iceServers` that the server gives. */
	rtc?: RTCConfiguration;
	/**
	 * How long to wait before another attempt to connect, in ms, or false to give up. Default: half a second, then one, up to ten,
	 * with chance, for as long as it takes.
	 */
	retry?: (attempt: number, lost: LostSocket) => number | false;
	/** Opens a socket. Default: a WebSocket. */
	webSocket?: (url: string) => SocketLike;
	/** Is called when the app has to decide whether the user may join. */
	onWaiting?: () => void;
	/** Gives the attempt to join up. */
	signal?: AbortSignal;
}
