import type { Pusher, PusherMedia } from '../tracks/Pusher.js';
import type { User } from '../rooms/User.js';
import type { DataPuller } from '../tracks/DataPuller.js';
import type { DataPusher } from '../tracks/DataPusher.js';
import type {
	DataPullerData,
	DataPusherData,
	OwnDataPusherData,
	PusherData,
	RtpParam,
	UserData,
} from '../protocol/messages.js';

/** A user as the messages describe one. */
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

/** A field that is there when it has something in it. */
export const whenAny = <Key extends string, Item>(key: Key, items: Item[]): Partial<Record<Key, Item[]>> =>
	items.length > 0 ? ({ [key]: items } as Record<Key, Item[]>) : {};

/** A data channel as the others are told of it. */
export function dataPusherData(pusher: DataPusher): DataPusherData {
	const { pusherId, label, protocol, ordered, maxPacketLifeTime, maxRetransmits, paused, source, metadata } = pusher;
	return {
		pusherId,
		label,
		protocol,
		ordered,
		...(maxPacketLifeTime !== undefined && { maxPacketLifeTime }),
		...(maxRetransmits !== undefined && { maxRetransmits }),
		...(paused && { paused }),
		...(source !== undefined && { source }),
		...(metadata !== undefined && { metadata }),
	};
}

/** A data channel as the client that has opened it is told of it. */
export const ownDataPusherData = ({ pusherId, channelId, label }: DataPusher): OwnDataPusherData => ({
	pusherId,
	id: channelId,
	label,
});

/** A data channel as the client that it is sent to is told of it. */
export const dataPullerData = ({ pullerId, pusherId, targetUserId, channelId }: DataPuller): DataPullerData => ({
	pullerId,
	pusherId,
	userId: targetUserId,
	id: channelId,
});

/**
 * Video comes before audio. Clients make that the order of their m-lines, and libwebrtc older than about Chrome 148
 * only decodes our video when its m-line is the first.
 */
function pushersData(pushers: Iterable<Pusher>): PusherData[] {
	const all = [...pushers];
	return [...all.filter(({ kind }) => kind === 'video'), ...all.filter(({ kind }) => kind === 'audio')].map(
		({ pusherId, media, paused, source, metadata }) => ({
			pusherId,
			rtpParam: rtpParam(media),
			...(paused && { paused }),
			...(source !== undefined && { source }),
			...(metadata !== undefined && { metadata }),
		}),
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
