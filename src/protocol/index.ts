/**
 * The messages between clients and the server as types, and their codes as constants. Nothing here needs Node, so that a
 * page can import it.
 *
 * @module
 */
export { closeCodes } from './closeCodes.js';
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
export type {
	ActiveSpeakerData,
	AudioLevelData,
	AudioLevelsData,
	ChannelData,
	ClosedRoomData,
	ConnectionClosedData,
	ConnectionIdsData,
	DataChannelPulledData,
	DataChannelPushedData,
	DataPullerData,
	DataPusherData,
	DetailsData,
	LayersData,
	LayersWantedData,
	MemberData,
	MigrateData,
	NewDataPusherData,
	NewPusherData,
	Notifications,
	OwnDataPusherData,
	PermissionsChangedData,
	PullerClosedData,
	PullerOfUserData,
	PusherChangedData,
	PusherData,
	PusherIdsData,
	QualityData,
	UserQualityData,
	RtpEncoding,
	RtpParam,
	TextMessage,
	UserData,
	UserReconnectData,
	WantedEncodingData,
} from './notifications.js';
export type { AnswerSdp, MessageRefusedData, OfferSdp, PullerPauseCause, Success } from './parts.js';
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
} from './requests.js';
