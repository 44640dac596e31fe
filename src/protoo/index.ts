export type { Authorize, AuthorizeAction } from '../signaling/authorize.js';
export { errorCodes } from '../protocol/errorCodes.js';
export type {
	ActiveSpeakerData,
	AutoPullSuccess,
	ChannelData,
	DataPullerData,
	DataPusherData,
	JoinSuccess,
	Notifications,
	OfferData,
	OwnDataPusherData,
	PullerData,
	PullOffered,
	PullSuccess,
	PusherData,
	PushSuccess,
	RtpParam,
	ServerRequests,
	TextMessage,
	UserData,
} from '../protocol/messages.js';
export { defaultPeerLimits } from './Peer.js';
export type { PeerLimits } from './Peer.js';
export { ProtooAdapter } from './ProtooAdapter.js';
export type { ProtooOptions } from './ProtooAdapter.js';
export type { Socket, SocketHandlers } from './Socket.js';
export { createSocketPair } from './sockets/createSocketPair.js';
export { fromWebSocket } from './sockets/fromWebSocket.js';
export type { WebSocketLike, WebSocketOptions } from './sockets/fromWebSocket.js';
