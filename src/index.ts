export type { Connection } from './core/connections/Connection.js';
export type { ConnectionCloseReason, ConnectionEvents, ConnectionState } from './core/connections/Connection.js';
export type { DataPuller, DataPullerCloseReason, DataPullerEvents } from './core/data/DataPuller.js';
export type { DataPusher, DataPusherCloseReason, DataPusherEvents } from './core/data/DataPusher.js';
export type { OfferingConnection } from './core/connections/OfferingConnection.js';
export type { ServerOffer } from './core/connections/ServerOffer.js';
export type { Layers } from './core/pullers/LayerSelection.js';
export { defaultLimits } from './core/options.js';
export type { AudioObserverOptions, Limits, SfuOptions, WebRtcOptions, WorkerOptions } from './core/options.js';
export type { PauseCause, PauseOrigin } from './core/Pauses.js';
export type { PullOptions, PullSpec, ServerPullOptions } from './core/pullers/PullOptions.js';
export type { Puller } from './core/pullers/Puller.js';
export type { PullerCloseReason, PullerEvents } from './core/pullers/Puller.js';
export type { Pusher } from './core/pushers/Pusher.js';
export type { PusherCloseReason, PusherEncoding, PusherEvents, PusherMedia } from './core/pushers/Pusher.js';
export type { PushDataOptions, PusherDetails, PushMediaOptions, PushOptions } from './core/pushers/PushOptions.js';
export type { Room } from './core/Room.js';
export type { JoinOptions, RoomCloseReason, RoomEvents, RoomOptions, SendDataOptions } from './core/Room.js';
export type { AudioLevel, Speaker } from './core/quality/Speakers.js';
export { Sfu } from './core/Sfu.js';
export type { SfuEvents } from './core/Sfu.js';
export type { Quality } from './core/quality/quality.js';
export type {
	ConnectionStats,
	PullerStats,
	PusherStats,
	SelectedTuple,
	StatsOptions,
	StreamStats,
	TransferStats,
} from './core/quality/stats.js';
export type { User } from './core/User.js';
export type { PullResult, PushResult } from './core/User.js';
export type { UserCloseReason, UserEvents } from './core/UserEvents.js';
export type { Emitter } from './Emitter.js';
export { consoleLogger } from './Logger.js';
export type { Logger } from './Logger.js';
export { defaultCodecs } from './media/codecs.js';
export type { CodecOption } from './media/codecs.js';
export type { ListenAddress } from './media/WorkerPool.js';
export { SfuError } from './SfuError.js';
export type { SfuErrorCode } from './SfuError.js';
