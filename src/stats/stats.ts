import type {
	BaseRtpStreamStats,
	MediaKind,
	RtpStreamRecvStats,
	RtpStreamSendStats,
	WebRtcTransportStat,
} from 'mediasoup/types';
import { validator } from '../schemas.js';

/**
 * The transfer of a stream, a pusher, a puller or a connection. Of several streams the bitrates are added, the frame rate is
 * the highest one, and every other value is that of the worst stream. Streams that do not flow at the moment do not count.
 */
export interface TransferStats {
	/** The bitrate of about the last second, in bit/s. */
	bitrate: number;
	/** The share of lost packets in the last RTCP report (RFC 3550, section 6.4.1), 0 to 1. */
	fractionLost: number;
	/** The interarrival jitter, in ms. */
	jitter: number;
	/** The round trip time, in ms. Undefined before the first RTCP reports have been exchanged. */
	roundTripTime: number | undefined;
	/** The frame rate, in frames per second. Undefined for audio, and without {@link StatsOptions.frameRate}. */
	frameRate: number | undefined;
	/** mediasoup's score, from 0 (nothing arrives) to 10 (everything arrives). */
	score: number;
}

/** Which statistics to measure. */
export interface StatsOptions {
	/**
	 * Whether to count the frames of video. This takes 1.5 seconds, in which the media worker tells this process of each
	 * packet. Use it now and then only. Default false.
	 */
	frameRate?: boolean;
}

/** @throws {@link SfuError} `invalid_argument` */
export const checkStatsOptions = validator<StatsOptions>(
	{ type: 'object', properties: { frameRate: { type: 'boolean' } }, additionalProperties: false },
	'options',
);

/** One RTP stream, counted since its beginning. It can be serialised as JSON. */
export interface StreamStats extends TransferStats {
	/** The SSRC of the stream. */
	ssrc: number;
	/** The restriction identifier of a simulcast stream. Undefined for other streams. */
	rid: string | undefined;
	/** The bytes that were sent or received. */
	bytes: number;
	/** The packets that were sent or received. */
	packets: number;
	/** The packets that were lost. */
	packetsLost: number;
	/** The packets that were sent again. */
	packetsRetransmitted: number;
	/** The negative acknowledgements (NACK, RFC 4585, section 6.2.1). */
	nackCount: number;
	/** The requests for a keyframe by PLI and by FIR. */
	keyframeRequests: number;
}

/** The reception of a pusher. It can be serialised as JSON. */
export interface PusherStats extends TransferStats {
	/** The time of the measurement, in ms since 1970. */
	timestamp: number;
	/** The pusher. */
	pusherId: string;
	/** Audio or video. */
	kind: MediaKind;
	/** The encoding name in SDP. */
	codec: string;
	/** One stream, or those of a simulcast. Empty before the first packet. */
	streams: StreamStats[];
}

/** Layers that are sent, each counted from 0, the lowest. */
export interface SentLayers {
	/** The layer of resolution. */
	spatialLayer: number;
	/** The layer of frame rate. Undefined if the packets do not tell it. */
	temporalLayer: number | undefined;
}

/** The sending of a puller. It can be serialised as JSON. */
export interface PullerStats extends TransferStats {
	/** The time of the measurement, in ms since 1970. */
	timestamp: number;
	/** The puller. */
	pullerId: string;
	/** The pusher that it receives. */
	pusherId: string;
	/** Audio or video. */
	kind: MediaKind;
	/** The encoding name in SDP. */
	codec: string;
	/** The layers of simulcast or SVC that are sent. Undefined without layers, and while none is sent. */
	layers: SentLayers | undefined;
	/** The stream that is sent. Empty before the first packet. */
	streams: StreamStats[];
}

/** The addresses of the two ends of a connection. */
export interface SelectedTuple {
	/** The transport protocol. */
	protocol: 'udp' | 'tcp';
	/** The address of the server. */
	localAddress: string;
	/** The port of the server. */
	localPort: number;
	/** The address of the client. */
	remoteAddress: string | undefined;
	/** The port of the client. */
	remotePort: number | undefined;
}

/** The transport of a connection. It can be serialised as JSON. */
export interface TransportStats {
	/** The time of the measurement, in ms since 1970. */
	timestamp: number;
	/** The connection. */
	connectionId: string;
	/** The state of ICE. */
	iceState: 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';
	/** The state of DTLS. */
	dtlsState: 'new' | 'connecting' | 'connected' | 'failed' | 'closed';
	/** The addresses in use. Undefined before ICE has connected. */
	selectedTuple: SelectedTuple | undefined;
	/** All bytes that were received, not only those of media. */
	bytesReceived: number;
	/** All bytes that were sent, not only those of media. */
	bytesSent: number;
	/** The bitrate of everything that is received, in bit/s. */
	incomingBitrate: number;
	/** The bitrate of everything that is sent, in bit/s. */
	outgoingBitrate: number;
	/** The estimate of what the client can receive, in bit/s. Undefined without transport-wide congestion control. */
	availableOutgoingBitrate: number | undefined;
	/** The estimate of what the client can send, in bit/s. Undefined without an estimate. */
	availableIncomingBitrate: number | undefined;
}

/** The transport of a connection, and the media on it. It can be serialised as JSON. */
export interface ConnectionStats extends TransportStats, TransferStats {
	/** The tracks that the client sends. */
	pushers: PusherStats[];
	/** The tracks that the client receives. */
	pullers: PullerStats[];
}

/**
 * The streams of one direction in mediasoup's statistics.
 *
 * @param frameRates - the frame rates by SSRC, if they are known
 */
export function streamStats(
	stats: readonly (RtpStreamRecvStats | RtpStreamSendStats)[],
	type: 'inbound-rtp' | 'outbound-rtp',
	clockRate: number,
	frameRates?: ReadonlyMap<number, number>,
): StreamStats[] {
	return stats
		.filter((stream) => stream.type === type)
		.map((stream) => oneStream(stream, clockRate, frameRates && (frameRates.get(stream.ssrc) ?? 0)));
}

function oneStream(
	stream: BaseRtpStreamStats & { bitrate: number; byteCount: number; packetCount: number },
	clockRate: number,
	frameRate: number | undefined,
): StreamStats {
	return {
		ssrc: stream.ssrc,
		rid: stream.rid,
		bitrate: stream.bitrate,
		bytes: stream.byteCount,
		packets: stream.packetCount,
		packetsLost: stream.packetsLost,
		// RTCP counts lost packets in 256ths, and the jitter in units of the RTP timestamp.
		fractionLost: stream.fractionLost / 256,
		jitter: clockRate > 0 ? (stream.jitter * 1000) / clockRate : 0,
		roundTripTime: stream.roundTripTime,
		frameRate,
		packetsRetransmitted: stream.packetsRetransmitted,
		nackCount: stream.nackCount,
		keyframeRequests: stream.pliCount + stream.firCount,
		score: stream.score,
	};
}

/** Combines several streams as {@link TransferStats} says. */
export function inAll(streams: readonly TransferStats[]): TransferStats {
	const flowing = streams.filter(({ bitrate }) => bitrate > 0);
	const known = (key: 'roundTripTime' | 'frameRate', of: readonly TransferStats[]) => {
		const values = of.flatMap((stream) => stream[key] ?? []);
		return values.length > 0 ? Math.max(...values) : undefined;
	};
	return {
		bitrate: flowing.reduce((sum, { bitrate }) => sum + bitrate, 0),
		fractionLost: Math.max(0, ...flowing.map(({ fractionLost }) => fractionLost)),
		jitter: Math.max(0, ...flowing.map(({ jitter }) => jitter)),
		roundTripTime: known('roundTripTime', flowing),
		frameRate: known('frameRate', streams),
		score: flowing.length > 0 ? Math.min(...flowing.map(({ score }) => score)) : 0,
	};
}

/**
 * The statistics of a transport.
 *
 * @param stats - mediasoup's; `undefined` while there is no transport
 */
export function transportStats(connectionId: string, stats: WebRtcTransportStat | undefined): TransportStats {
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

/**
 * Combines the statistics of a connection.
 *
 * @param stats - the transport's; `undefined` while there is no transport
 * @param carried - those of the tracks on it
 */
export function connectionStats(
	connectionId: string,
	stats: WebRtcTransportStat | undefined,
	carried: readonly (PusherStats | PullerStats)[],
): ConnectionStats {
	return {
		...transportStats(connectionId, stats),
		...inAll(carried.flatMap(({ streams }) => streams)),
		pushers: carried.filter((of) => !('pullerId' in of)),
		pullers: carried.filter((of) => 'pullerId' in of),
	};
}
