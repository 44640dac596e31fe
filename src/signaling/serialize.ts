import type {
	AnyPuller,
	AnyPusher,
	DataPuller,
	DataPusher,
	Permissions,
	Pusher,
	PusherMedia,
	Room,
	ServerOffer,
	SfuError,
	User,
} from '../index.js';
import { errorCodes } from '../protocol/index.js';
import type {
	ActiveSpeakerData,
	DataPullerData,
	DataPusherData,
	MessageRefusedData,
	OfferData,
	OwnConnectionData,
	OwnDataPusherData,
	PermissionsData,
	PusherData,
	PushSuccess,
	RtpParam,
	UserChangedData,
	UserData,
} from '../protocol/index.js';

/** Describes why a message without a response was dropped. */
export const refusalData = ({ code, message }: SfuError, method: string | undefined): MessageRefusedData => ({
	errorCode: errorCodes[code],
	errorReason: message,
	...(method !== undefined && { method }),
});

/** Describes a user with some of its pushers. `rtcpilot` adds what RTCPilot's messages have beyond the seed's. */
export function userData(
	{ userId, userName, metadata }: User,
	pushers: Iterable<AnyPusher>,
	{ rtcpilot }: { rtcpilot: boolean },
): UserData {
	const all = [...pushers];
	return {
		userId,
		userName,
		...(metadata !== undefined && { metadata }),
		pushers: pushersData(
			all.filter((pusher) => pusher.kind !== 'data'),
			rtcpilot,
		),
		...whenAny('dataPushers', all.filter((pusher) => pusher.kind === 'data').map(dataPusherData)),
	};
}

/** Describes pushers to their own client, in the response to a push. */
export const ownPushersData = (pushers: readonly AnyPusher[]): Pick<PushSuccess, 'pushers' | 'dataPushers'> => ({
	pushers: pushers
		.filter((pusher) => pusher.kind !== 'data')
		.map(({ pusherId, mid, kind, wantedEncodings = [] }) => ({
			pusherId,
			mid,
			kind,
			...(wantedEncodings.some(({ active }) => !active) && { encodings: [...wantedEncodings] }),
		})),
	...whenAny('dataPushers', pushers.filter((pusher) => pusher.kind === 'data').map(ownDataPusherData)),
});

/** An object with this field, or without any if there are no items. */
const whenAny = <Key extends string, Item>(key: Key, items: Item[]): Partial<Record<Key, Item[]>> =>
	items.length > 0 ? ({ [key]: items } as Record<Key, Item[]>) : {};

/** Describes a data channel to other users. */
export function dataPusherData(pusher: DataPusher): DataPusherData {
	const { pusherId, label, protocol, ordered, maxPacketLifeTime, maxRetransmits } = pusher;
	return {
		pusherId,
		label,
		protocol,
		ordered,
		...(maxPacketLifeTime !== undefined && { maxPacketLifeTime }),
		...(maxRetransmits !== undefined && { maxRetransmits }),
		...stateData(pusher),
	};
}

/** The fields that may be missing. */
const stateData = (pusher: AnyPusher) => ({ ...(pusher.paused && { paused: true as const }), ...detailsData(pusher) });

const detailsData = ({ source, metadata }: Pick<AnyPusher | AnyPuller, 'source' | 'metadata'>) => ({
	...(source !== undefined && { source }),
	...(metadata !== undefined && { metadata }),
});

/** Describes a data channel to the client that opened it. */
export const ownDataPusherData = ({ pusherId, channelId, label }: DataPusher): OwnDataPusherData => ({
	pusherId,
	id: channelId,
	label,
});

/** Describes a data channel to the client that receives it. */
export const dataPullerData = (puller: DataPuller): DataPullerData => ({
	pullerId: puller.pullerId,
	pusherId: puller.pusherId,
	userId: puller.targetUserId,
	id: puller.channelId,
	...detailsData(puller),
});

/** Describes pullers to their client. */
export const pullersData = (pullers: readonly AnyPuller[]): Pick<OfferData, 'pullers' | 'dataPullers'> => ({
	pullers: pullers
		.filter((puller) => puller.kind !== 'data')
		.map((puller) => ({
			pullerId: puller.pullerId,
			pusherId: puller.pusherId,
			userId: puller.targetUserId,
			mid: puller.mid,
			...detailsData(puller),
		})),
	...whenAny('dataPullers', pullers.filter((puller) => puller.kind === 'data').map(dataPullerData)),
});

/** Describes its own connections to a client. */
export const ownConnectionsData = ({ connections, pushers, pullers }: User): { connections?: OwnConnectionData[] } =>
	whenAny(
		'connections',
		[...connections].map(({ connectionId, offeredBy }) => ({
			connectionId,
			offeredBy,
			...ownPushersData([...pushers.values()].filter((pusher) => pusher.connectionId === connectionId)),
			...pullersData([...pullers.values()].filter((puller) => puller.connectionId === connectionId)),
		})),
	);

/** Describes an offer of the server. */
export function offerData({ connection, sdp, pullers }: ServerOffer): OfferData {
	return {
		connectionId: connection.connectionId,
		sdp: { type: 'offer', sdp },
		...pullersData(pullers.filter(({ closed }) => !closed)),
	};
}

/**
 * Describes media pushers, video before audio. Clients make their m-lines in this order, and libwebrtc before about
 * Chrome 148 decodes our video only if its m-line is the first.
 */
function pushersData(pushers: Iterable<Pusher>, rtcpilot: boolean): PusherData[] {
	const all = [...pushers];
	return [...all.filter(({ kind }) => kind === 'video'), ...all.filter(({ kind }) => kind === 'audio')].map(
		(pusher) => ({
			pusherId: pusher.pusherId,
			rtpParam: rtpParam(pusher.media, rtcpilot),
			...stateData(pusher),
			...(pusher.stalled && { stalled: true as const }),
		}),
	);
}

function rtpParam(media: PusherMedia, rtcpilot: boolean): RtpParam {
	const features = media.rtcpFeedback;
	const rids = media.encodings.flatMap(({ rid }) => rid ?? []);
	return {
		av_type: media.kind,
		codec: media.codec,
		clock_rate: media.clockRate,
		...(media.kind === 'audio' && { channel: media.channels }),
		payload_type: media.payloadType,
		fmtp_param: media.fmtp,
		rtcp_features: features,
		ssrc: media.ssrc ?? 0,
		rtx_ssrc: media.rtxSsrc ?? 0,
		rtx_payload_type: media.rtxPayloadType ?? 0,
		use_nack: features.includes('nack'),
		...(media.kind === 'video' && { key_request: features.includes('nack pli') || features.includes('ccm fir') }),
		mid_ext_id: media.midExtensionId ?? 0,
		tcc_ext_id: media.transportCcExtensionId ?? 0,
		...(rtcpilot && { abs_send_time_ext_id: media.absSendTimeExtensionId ?? 0 }),
		...(rids.length > 0 && { encodings: rids.map((rid) => ({ rid })) }),
	};
}

/** What others are told of a user, in the data of `userChanged`. */
export const changedData = ({ userId, userName, metadata }: User, roomId: string): UserChangedData => ({
	roomId,
	userId,
	userName,
	...(metadata !== undefined && { metadata }),
});

/** Describes the user who speaks, `undefined` if nobody does. */
export function activeSpeakerData({ roomId, activeSpeaker }: Room): ActiveSpeakerData | undefined {
	if (!activeSpeaker) return undefined;
	const { user, pusher } = activeSpeaker;
	return { roomId, userId: user.userId, pusherId: pusher.pusherId };
}

/** Describes its permissions to a client. What a function decides may be allowed. */
export const permissionsData = ({ push, pull, createRoom: _, ...others }: Permissions): PermissionsData => ({
	...others,
	push: typeof push === 'boolean' ? push : { ...push, ...(push.kinds && { kinds: [...push.kinds] }) },
	pull: pull !== false,
});
