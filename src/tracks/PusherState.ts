import type { RtpParameters } from 'mediasoup/types';
import type { SourceType } from '../media/Source.js';
import type { PauseCause } from './Pauses.js';
import type { AnyPusher } from './tracks.js';

/** What a server tells the others of a pusher. It can be serialised as JSON. */
export type PusherState = TrackState | ChannelState;

interface CommonState {
	pusherId: string;
	connectionId: string;
	source?: string;
	metadata?: unknown;
	pausedBy: readonly PauseCause[];
}

/** A track. */
export interface TrackState extends CommonState {
	kind: 'audio' | 'video';
	type: SourceType;
	/** In the numbers of the pusher's own SDP. */
	rtpParameters: RtpParameters;
	/** The id of the MediaStream that those who pull it see. */
	streamId: string;
	mid?: string;
	maxBitrate: number;
	stalled: boolean;
}

/** A data channel. */
export interface ChannelState extends CommonState {
	kind: 'data';
	channelId: number;
	inBand: boolean;
	label: string;
	protocol: string;
	ordered: boolean;
	maxPacketLifeTime?: number;
	maxRetransmits?: number;
}

/** Describes a pusher to other servers. */
export function pusherState(pusher: AnyPusher): PusherState {
	const { pusherId, connectionId, source, metadata, pausedBy } = pusher;
	const common = {
		pusherId,
		connectionId,
		...(source !== undefined && { source }),
		...(metadata !== undefined && { metadata }),
		pausedBy,
	};
	if (pusher.kind === 'data') {
		const { kind, channelId, inBand, label, protocol, ordered, maxPacketLifeTime, maxRetransmits } = pusher;
		return {
			...common,
			...{ kind, channelId, inBand, label, protocol, ordered },
			...(maxPacketLifeTime !== undefined && { maxPacketLifeTime }),
			...(maxRetransmits !== undefined && { maxRetransmits }),
		};
	}
	const { kind, mid, maxBitrate, stalled, toldStreamId: streamId } = pusher;
	const { type, rtpParameters } = pusher.pullSource;
	return { ...common, kind, type, rtpParameters, streamId, ...(mid !== undefined && { mid }), maxBitrate, stalled };
}
