/**
 * A client for browsers. Plain RTCPeerConnections do without it: it spares a page what every page would write.
 *
 * @module
 */
export { Call } from './Call.js';
export type { Directions } from './Call.js';
export type {
	AppMessage,
	BlockedAudio,
	CallClosed,
	CallEvents,
	CloseReason,
	ConnectionState,
	QualityChange,
	ReceivedData,
	ReceivedText,
	StateChange,
} from './CallEvents.js';
export type { Emitter } from './Emitter.js';
export type { ListenOptions } from './Emitter.js';
export type { MediaState, Quality } from './Link.js';
export type { LocalChannel } from './LocalChannel.js';
export type { ChannelOptions } from './LocalChannel.js';
export type { LocalTrack } from './LocalTrack.js';
export type { PublishOptions, Source } from './LocalTrack.js';
export type { ConnectOptions, SomeVideos, Subscription } from './options.js';
export type { RemoteChannel } from './RemoteChannel.js';
export type { RemoteTrack } from './RemoteTrack.js';
export type { Layers } from './RemoteTrack.js';
export type { RemoteUser } from './RemoteUser.js';
export type { LostSocket } from './retry.js';
export { backOff } from './retry.js';
export type { Publisher } from './Publisher.js';
export { RoomError } from './RoomError.js';
export type { SocketClosed, SocketHandler, SocketLike, SocketMessage } from './SocketLike.js';
