export type { Connection } from './core/Connection.js';
export type { ConnectionCloseReason, ConnectionEvents, ConnectionState } from './core/Connection.js';
export type { OfferingConnection, ServerOffer } from './core/OfferingConnection.js';
export { defaultLimits } from './core/options.js';
export type { Limits, SfuOptions, WebRtcOptions, WorkerOptions } from './core/options.js';
export type { Puller } from './core/Puller.js';
export type { PullerCloseReason, PullerEvents } from './core/Puller.js';
export type { Pusher } from './core/Pusher.js';
export type { PusherCloseReason, PusherEvents, PusherMedia } from './core/Pusher.js';
export type { PusherDetails, PushMediaOptions, PushOptions } from './core/PushOptions.js';
export type { Room } from './core/Room.js';
export type { JoinOptions, RoomCloseReason, RoomEvents } from './core/Room.js';
export { Sfu } from './core/Sfu.js';
export type { SfuEvents } from './core/Sfu.js';
export type { User } from './core/User.js';
export type {
	PullOptions,
	PullResult,
	PullSpec,
	PushResult,
	ServerPullOptions,
	UserCloseReason,
	UserEvents,
} from './core/User.js';
export type { Emitter } from './Emitter.js';
export { consoleLogger } from './Logger.js';
export type { Logger } from './Logger.js';
export { defaultCodecs } from './media/codecs.js';
export type { CodecOption } from './media/codecs.js';
export type { ListenAddress } from './media/WorkerPool.js';
export { SfuError } from './SfuError.js';
export type { SfuErrorCode } from './SfuError.js';
