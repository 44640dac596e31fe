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
	ChannelData,
	DataPullerData,
	DataPusherData,
	Notifications,
	OwnDataPusherData,
	PusherData,
	PusherIdsData,
	PullerOfUserData,
	RtpParam,
	TextMessage,
	UserData,
} from './notifications.js';
export type {
	AnswerData,
	AnswerSdp,
	AutoPullData,
	AutoPullSuccess,
	ClientNotifications,
	ClientRequests,
	ConnectionIdData,
	JoinData,
	JoinSuccess,
	MemberData,
	OfferData,
	OfferResponse,
	OfferSdp,
	PausedSuccess,
	PreferredLayersData,
	PullData,
	PullerData,
	PullerIdData,
	PullOffered,
	PullOfferedData,
	PullSpecData,
	PullSuccess,
	PushChannelData,
	PushData,
	PusherIdData,
	PushMediaData,
	PushSuccess,
	RequestData,
	ResponseData,
	ServerRequests,
	Success,
	TextMessageData,
	UnpullData,
	UnpushData,
	UpdatePusherData,
} from './requests.js';
