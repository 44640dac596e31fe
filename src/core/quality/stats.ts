import type {
	BaseRtpStreamStats,
	MediaKind,
	RtpStreamRecvStats,
	RtpStreamSendStats,
	WebRtcTransportStat,
} from 'mediasoup/types';

/** One RTP stream, as counted since it began. Serialisable. */
export interface StreamStats {
	ssrc: number;
	/** Of simulcast streams. */
	rid: string | undefined;
	/** Of the last second or so, in bit/s. */
	bitrate: number;
	bytes: number;
	packets: number;
	packetsLost: number;
	/** The share of the packets that was lost lately, as the last report of RTCP has it (RFC 3550, section 6.4.1): 0 to 1. */
	fractionLost: number;
	/** In ms. */
	jitter: number;
	/** In ms; `undefined` before the first reports of RTCP have gone to and fro. */
	roundTripTime: number | undefined;
	/** Packets that were sent again. */
	packetsRetransmitted: number;
	nackCount: number;
	/** Requests for a keyframe by PLI and by FIR. */
	keyframeRequests: number;
	/** mediasoup's own judgement of how it is carried: 0 (nothing arrives) to 10 (all does). */
	score: number;
}

/** What is received of a pusher. Serialisable. */
export interface PusherStats {
	/** When this was so, in ms since 1970. */
	timestamp: number;
	pusherId: string;
	kind: MediaKind;
	/** The encoding name of SDP. */
	codec: string;
	/** Of all streams together, in bit/s. */
	bitrate: number;
	/** Nothing that is forwarded is decoded, so it is not known: always `undefined` as yet. */
	frameRate: number | undefined;
	/** One, or those of simulcast; none before the first packet. */
	streams: StreamStats[];
}

/** What is sent by a puller. Serialisable. */
export interface PullerStats {
	/** When this was so, in ms since 1970. */
	timestamp: number;
	pullerId: string;
	pusherId: string;
	kind: MediaKind;
	/** The encoding name of SDP. */
	codec: string;
	/** In bit/s. */
	bitrate: number;
	/** Nothing that is forwarded is decoded, so it is not known: always `undefined` as yet. */
	frameRate: number | undefined;
	/** The layers that are sent, of simulcast or SVC; `undefined` without any, or when none is. */
	layers: { spatialLayer: number; temporalLayer: number | undefined } | undefined;
	/** What is sent; one at most. */
	streams: StreamStats[];
}

/** An address at one end of a connection. */
export interface SelectedTuple {
	protocol: 'udp' | 'tcp';
	localAddress: string;
	localPort: number;
	remoteAddress: string | undefined;
	remotePort: number | undefined;
}

/** The transport of a connection. Serialisable. */
export interface ConnectionStats {
	/** When this was so, in ms since 1970. */
	timestamp: number;
	connectionId: string;
	iceState: 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';
	dtlsState: 'new' | 'connecting' | 'connected' | 'failed' | 'closed';
	/** The addresses that are in use; `undefined` before ICE has connected. */
	selectedTuple: SelectedTuple | undefined;
	bytesReceived: number;
	bytesSent: number;
	/** In bit/s. */
	incomingBitrate: number;
	/** In bit/s. */
	outgoingBitrate: number;
	/** What the client is estimated to be able to take, in bit/s; `undefined` without transport-wide congestion control. */
	availableOutgoingBitrate: number | undefined;
	/** What the client is estimated to be able to send, in bit/s; `undefined` without an estimate. */
	availableIncomingBitrate: number | undefined;
}

/** The streams of one direction among what mediasoup tells. */
export function streamStats(
	stats: readonly (RtpStreamRecvStats | RtpStreamSendStats)[],
	type: 'inbound-rtp' | 'outbound-rtp',
	clockRate: number,
): StreamStats[] {
	return stats.filter((stream) => stream.type === type).map((stream) => oneStream(stream, clockRate));
}

function oneStream(
	stream: BaseRtpStreamStats & { bitrate: number; byteCount: number; packetCount: number },
	clockRate: number,
): StreamStats {
	return {
		ssrc: stream.ssrc,
		rid: stream.rid,
		bitrate: stream.bitrate,
		bytes: stream.byteCount,
		packets: stream.packetCount,
		packetsLost: stream.packetsLost,
		// RTCP has it in 256ths, and the jitter in units of the RTP timestamp.
		fractionLost: stream.fractionLost / 256,
		jitter: clockRate > 0 ? (stream.jitter * 1000) / clockRate : 0,
		roundTripTime: stream.roundTripTime,
		packetsRetransmitted: stream.packetsRetransmitted,
		nackCount: stream.nackCount,
		keyframeRequests: stream.pliCount + stream.firCount,
		score: stream.score,
	};
}

export const totalBitrate = (streams: readonly StreamStats[]): number =>
	streams.reduce((sum, { bitrate }) => sum + bitrate, 0);

/** @param stats - `undefined` when there is no transport yet */
export function connectionStats(connectionId: string, stats: WebRtcTransportStat | undefined): ConnectionStats {
	const tuple = stats?.iceSelectedTuple;
	return {
		timestamp: Date.now(),
		connectionId,
		iceState: stats?.iceState ?? 'new',
		dtlsState: stats?.dtlsState ?? 'new',
		selectedTuple: tuple && {
			protocol: tuple.protocol,
			localAddress: tuple.localAddress,
			localPort: tuple.localPort,
			remoteAddress: tuple.remoteIp,
			remotePort: tuple.remotePort,
		},
		bytesReceived: stats?.bytesReceived ?? 0,
		bytesSent: stats?.bytesSent ?? 0,
		incomingBitrate: stats?.recvBitrate ?? 0,
		outgoingBitrate: stats?.sendBitrate ?? 0,
		availableOutgoingBitrate: stats?.availableOutgoingBitrate,
		availableIncomingBitrate: stats?.availableIncomingBitrate,
	};
}
