import type { DataPuller, DataPusher, Puller, Pusher, PusherMedia, ServerOffer, User } from '../index.js';
import type {
	DataPullerData,
	DataPusherData,
	OfferData,
	OwnDataPusherData,
	PullerData,
	PusherData,
	RtpParam,
	UserData,
} from '../protocol/index.js';

/** A user as the messages describe it. */
export function userData(
	{ userId, userName }: User,
	pushers: Iterable<Pusher>,
	dataPushers: Iterable<DataPusher> = [],
): UserData {
	return {
		userId,
		userName,
		pushers: pushersData(pushers),
		...whenAny('dataPushers', [...dataPushers].map(dataPusherData)),
	};
}

/** A field that is left out when it is empty. */
export const whenAny = <Key extends string, Item>(key: Key, items: Item[]): Partial<Record<Key, Item[]>> =>
	items.length > 0 ? ({ [key]: items } as Record<Key, Item[]>) : {};

/** A data channel as other users see it. */
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

/** The fields that are left out when there is nothing to tell. */
const stateData = ({ paused, source, metadata }: Pusher | DataPusher) => ({
	...(paused && { paused }),
	...(source !== undefined && { source }),
	...(metadata !== undefined && { metadata }),
});

/** A data channel as the client that opened it sees it. */
export const ownDataPusherData = ({ pusherId, channelId, label }: DataPusher): OwnDataPusherData => ({
	pusherId,
	id: channelId,
	label,
});

/** A data channel as the client that receives it sees it. */
export const dataPullerData = ({ pullerId, pusherId, targetUserId, channelId }: DataPuller): DataPullerData => ({
	pullerId,
	pusherId,
	userId: targetUserId,
	id: channelId,
});

/** Tracks as the client that receives them sees them. */
export const pullersData = (pullers: readonly Puller[]): PullerData[] =>
	pullers.map(({ pullerId, pusherId, targetUserId, mid }) => ({ pullerId, pusherId, userId: targetUserId, mid }));

/** An offer of the server as the messages have it. */
export function offerData({ connection, offer, pullers, dataPullers }: ServerOffer): OfferData {
	const isOpen = ({ closed }: { closed: boolean }) => !closed;
	return {
		connectionId: connection.connectionId,
		sdp: { type: 'offer', sdp: offer },
		pullers: pullersData(pullers.filter(isOpen)),
		...whenAny('dataPullers', dataPullers.filter(isOpen).map(dataPullerData)),
	};
}

/**
 * Video comes before audio. Clients make that the order of their m-lines, and libwebrtc older than about Chrome 148
 * only decodes our video when its m-line is the first.
 */
function pushersData(pushers: Iterable<Pusher>): PusherData[] {
	const all = [...pushers];
	return [...all.filter(({ kind }) => kind === 'video'), ...all.filter(({ kind }) => kind === 'audio')].map(
		(pusher) => ({ pusherId: pusher.pusherId, rtpParam: rtpParam(pusher.media), ...stateData(pusher) }),
	);
}

function rtpParam(media: PusherMedia): RtpParam {
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
		...(rids.length > 0 && { encodings: rids.map((rid) => ({ rid })) }),
	};
}
