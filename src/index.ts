export type { Connection } from './connections/Connection.js';
export type { ConnectionCloseReason, ConnectionEvents, ConnectionState } from './connections/Connection.js';
export type { DataPuller, DataPullerCloseReason, DataPullerEvents } from './tracks/DataPuller.js';
export type { DataPusher, DataPusherCloseReason, DataPusherEvents } from './tracks/DataPusher.js';
export type { OfferingConnection } from './connections/OfferingConnection.js';
export type { ServerOffer } from './connections/ServerOffer.js';
export type { Layers } from './layers/LayerSelection.js';
export { defaultLimits } from './options.js';
export type { AudioObserverOptions, Limits, SfuOptions, WebRtcOptions, WorkerOptions } from './options.js';
export type { PauseCause, PauseOrigin } from './tracks/Pauses.js';
export type { PullOptions, PullSpec, ServerPullOptions } from './tracks/PullOptions.js';
export type { Puller } from './tracks/Puller.js';
export type { PullerCloseReason, PullerEvents } from './tracks/Puller.js';
export type { Pusher } from './tracks/Pusher.js';
export type { PusherCloseReason, PusherEncoding, PusherEvents, PusherMedia } from './tracks/Pusher.js';
export type { PushDataOptions, PusherDetails, PushMediaOptions, PushOptions } from './tracks/PushOptions.js';
export type { Room } from './rooms/Room.js';
export type { JoinOptions, RoomCloseReason, RoomEvents, RoomOptions, SendDataOptions } from './rooms/Room.js';
export type { AudioLevel, Speaker } from './rooms/Speakers.js';
export { Sfu } from './rooms/Sfu.js';
export type { SfuEvents } from './rooms/Sfu.js';
export type { Quality } from './stats/quality.js';
export type {
	ConnectionStats,
	PullerStats,
	PusherStats,
	SelectedTuple,
	StatsOptions,
	StreamStats,
	TransferStats,
} from './stats/stats.js';
export type { User } from './rooms/User.js';
export type { PullResult, PushResult } from './rooms/User.js';
export type { UserCloseReason, UserEvents } from './rooms/UserEvents.js';
export type { Emitter } from './Emitter.js';
export { consoleLogger } from './Logger.js';
export type { Logger } from './Logger.js';
export { defaultCodecs } from './media/codecs.js';
export type { CodecOption } from './media/codecs.js';
export type { ListenAddress } from './media/WorkerPool.js';
export { SfuError } from './SfuError.js';
export type { SfuErrorCode } from './SfuError.js';
