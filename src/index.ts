export type { ClusterEvents } from './cluster/Cluster.js';
export type { NodeInfo } from './cluster/wire.js';
export type { ClusterListen, ClusterOptions } from './clusterOptions.js';
export type { Connection } from './connections/Connection.js';
export type { ConnectionCloseReason, ConnectionEvents, ConnectionState } from './connections/ConnectionEvents.js';
export type { PushRejection } from './connections/rejections.js';
export type { ServerOffer } from './connections/ServerOffer.js';
export type { Emitter } from './Emitter.js';
export type { Layers } from './layers/LayerSelection.js';
export type { Placement, PlaceOnWorker, WorkerLoad } from './media/placement.js';
export { turnCredentials } from './turnCredentials.js';
export type { TurnCredentialsOptions } from './turnCredentials.js';
export type { IceServer } from './protocol/iceServers.js';
export type { WorkerUsage } from './media/workerUsage.js';
export type { ListenAddress } from './listenAddress.js';
export { consoleLogger } from './Logger.js';
export type { LogFields, Logger } from './Logger.js';
export type {
	ConnectionEnd,
	MessageFailure,
	Observation,
	Observer,
	Operation,
	OperationEnd,
	OperationName,
} from './Observer.js';
export { defaultCodecs, defaultLimits } from './options.js';
export type {
	AudioObserverOptions,
	CodecOption,
	IceServersOption,
	Limits,
	SfuOptions,
	WebRtcOptions,
	WorkerOptions,
} from './options.js';
export type { AppClient, AppMessage, AskOptions } from './rooms/AppLine.js';
export type { AppRequest, AppRequestHandler, HandleOptions } from './rooms/AppRequests.js';
export type { Mute } from './rooms/AppPauses.js';
export type { JoinOptions } from './rooms/JoinOptions.js';
export type { AdmitOptions, WaitingOutcome, WaitingUser } from './rooms/Lobby.js';
export { defaultPermissions } from './rooms/Permissions.js';
export type { Participant } from './rooms/Participant.js';
export type { Permissions, PullRequestOfUser, PushPermissions } from './rooms/Permissions.js';
export type { Room } from './rooms/Room.js';
export type { RoomCloseReason, RoomEvents, TextOfUser } from './rooms/RoomEvents.js';
export type { RoomMember } from './rooms/RoomMember.js';
export type { RoomOptions, RoomSendOptions, SendDataOptions } from './rooms/RoomOptions.js';
export type { DrainOptions } from './rooms/Drain.js';
export type { KindCounts, SfuCounts } from './rooms/inspection/counts.js';
export type { Health, HealthProblem } from './rooms/inspection/health.js';
export type {
	ClusterInspection,
	ConnectionInspection,
	Inspection,
	InspectOptions,
	PullerInspection,
	PusherInspection,
	RoomInspection,
	UserInspection,
} from './rooms/inspection/Inspection.js';
export { Sfu } from './rooms/Sfu.js';
export type { SfuEvents } from './rooms/Sfu.js';
export type { AudioLevel, Speaker } from './rooms/Speakers.js';
export { SharedQuota } from './rooms/SharedQuota.js';
export type { SharedLimits } from './rooms/SharedQuota.js';
export type { SfuCluster } from './rooms/sharing/SfuCluster.js';
export type { User } from './rooms/User.js';
export type { AutoPullOptions, KickOptions, PullResult, PushResult } from './rooms/userCalls.js';
export type { UserDetails } from './rooms/UserDetails.js';
export type { UserCloseReason, UserEvents } from './rooms/UserEvents.js';
export { Watch } from './rooms/Watch.js';
export { SfuError } from './SfuError.js';
export type { SfuErrorCode } from './SfuError.js';
export type { Quality } from './stats/quality.js';
export type {
	ConnectionStats,
	PullerStats,
	PusherStats,
	SelectedTuple,
	SentLayers,
	StatsOptions,
	StreamStats,
	TransferStats,
	TransportStats,
} from './stats/stats.js';
export type { DataPuller } from './tracks/DataPuller.js';
export type { DataPusher } from './tracks/DataPusher.js';
export type { Endpoint, EndpointEvents } from './tracks/Endpoint.js';
export type { PauseCause, PauseOrigin } from './tracks/Pauses.js';
export type { LayersOptions, Puller, PullerCloseReason, PullerEvents } from './tracks/Puller.js';
export type { PullOptions, PullSpec, ServerPullOptions } from './tracks/PullOptions.js';
export type { Pusher, PusherEncoding, PusherMedia } from './tracks/Pusher.js';
export type { PusherCloseReason, PusherEndpoint, PusherEvents, WantedEncoding } from './tracks/PusherEndpoint.js';
export type { PushDataOptions, PusherDetails, PushMediaOptions, PushOptions } from './tracks/PushOptions.js';
export type { AnyPuller, AnyPusher } from './tracks/tracks.js';
