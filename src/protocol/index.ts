/**
 * The messages between clients and the server as types, and their codes as constants. Nothing here needs Node, so that a
 * page can import it.
 *
 * @module
 */
export type { AppMessageData, AppRequestSuccess, AppResponse, ClientAppMessageData } from './appMessages.js';
export { closeCodes } from './closeCodes.js';
export type { ChannelData, DataPullerData, DataPusherData, OwnDataPusherData } from './dataChannels.js';
export type {
	ClientMessage,
	FailureMessage,
	NotificationMessage,
	RequestMessage,
	ServerMessage,
	SuccessMessage,
} from './envelope.js';
export { errorCodes } from './errorCodes.js';
export type { SfuErrorCode } from './errorCodes.js';
export type { IceServer } from './iceServers.js';
export type {
	ActiveSpeakerData,
	AudioLevelData,
	AudioLevelsData,
	ClosedRoomData,
	ConnectionClosedData,
	ConnectionIdsData,
	DataChannelPulledData,
	DataChannelPushedData,
	DetailsData,
	LayersData,
	LayersWantedData,
	MigrateData,
	NewDataPusherData,
	NewPusherData,
	Notifications,
	PermissionsChangedData,
	PullerClosedData,
	PullerOfUserData,
	PusherChangedData,
	PusherIdsData,
	QualityData,
	UserChangedData,
	UserQualityData,
	TextMessage,
	UserReconnectData,
} from './notifications.js';
export type {
	AnswerSdp,
	MemberData,
	MessageRefusedData,
	OfferSdp,
	PullerPauseCause,
	Success,
	WantedEncodingData,
} from './parts.js';
export type {
	OwnPusherData,
	PushChannelData,
	PushData,
	PusherIdData,
	PushMediaData,
	PushRejectionData,
	PushSuccess,
	UnpushData,
	UpdatePusherData,
} from './pushes.js';
export type { PermissionsData, PushPermissionsData } from './permissions.js';
export type {
	AnswerData,
	AutoPullData,
	AutoPullLimits,
	AutoPullSuccess,
	ClientNotifications,
	ClientRequests,
	ConnectionIdData,
	HeartbeatSuccess,
	JoinData,
	JoinSuccess,
	OfferData,
	OfferResponse,
	PinData,
	OwnConnectionData,
	PausedSuccess,
	PreferredLayersData,
	PreferredLayersSuccess,
	PullData,
	PullerData,
	PullerIdData,
	PullOffered,
	PullOfferedData,
	PullSpecData,
	PullSuccess,
	RequestData,
	RequestTypes,
	ResponseData,
	ServerRequests,
	TextMessageData,
	UnpullData,
	UpdateUserData,
} from './requests.js';
export type { ClosingData, SocketIoClientEvents, SocketIoResponse, SocketIoServerEvents } from './socketIo.js';
export type { PusherData, RtpEncoding, RtpParam, UserData } from './users.js';
