import type {
	BaseRtpStreamStats,
	MediaKind,
	RtpStreamRecvStats,
	RtpStreamSendStats,
	WebRtcTransportStat,
} from 'mediasoup/types';
import { validator } from '../schemas.js';

/**
 * How well something is carried: a stream, a pusher or a puller, a connection. Of several streams, the bitrates are added,
 * the frame rate is the highest, and all else is that of the worst; those that do not flow at the moment count for nothing.
 */
export interface TransferStats {
	/** Of the last second or so, in bit/s. */
	bitrate: number;
	/** The share of the packets that was lost lately, as the last report of RTCP has it (RFC 3550, section 6.4.1): 0 to 1. */
	fractionLost: number;
	/** In ms. */
	jitter: number;
	/** In ms; `undefined` before the first reports of RTCP have gone to and fro. */
	roundTripTime: number | undefined;
	/** In frames per second; `undefined` of audio, and unless it is asked for by {@link StatsOptions.frameRate}. */
	frameRate: number | undefined;
	/** mediasoup's own judgement of how it is carried: 0 (nothing arrives) to 10 (all does). */
	score: number;
}

/** What to find out. */
export interface StatsOptions {
	/**
	 * Counts the frames of video. That takes 1.5 seconds, in which the media worker tells this process of each packet, so it
	 * is for a look now and then. Default false.
	 */
	frameRate?: boolean;
}

/** @throws {@link SfuError} `invalid_argument` */
export const checkStatsOptions = validator<StatsOptions>(
	{ type: 'object', properties: { frameRate: { type: 'boolean' } }, additionalProperties: false },
	'options',
);

/** One RTP stream, as counted since it began. Serialisable. */
export interface StreamStats extends TransferStats {
	ssrc: number;
	/** Of simulcast streams. */
	rid: string | undefined;
	bytes: number;
	packets: number;
	packetsLost: number;
	/** Packets that were sent again. */
	packetsRetransmitted: number;
	nackCount: number;
	/** Requests for a keyframe by PLI and by FIR. */
	keyframeRequests: number;
}

/** What is received of a pusher. Serialisable. */
export interface PusherStats extends TransferStats {
	/** When this was so, in ms since 1970. */
	timestamp: number;
	pusherId: string;
	kind: MediaKind;
	/** The encoding name of SDP. */
	codec: string;
	/** One, or those of simulcast; none before the first packet. */
	streams: StreamStats[];
}

/** What is sent by a puller. Serialisable. */
export interface PullerStats extends TransferStats {
	/** When this was so, in ms since 1970. */
	timestamp: number;
	pullerId: string;
	pusherId: string;
	kind: MediaKind;
	/** The encoding name of SDP. */
	codec: string;
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

/** The transport of a connection, and the media that goes through it. Serialisable. */
export interface ConnectionStats extends TransferStats {
	/** When this was so, in ms since 1970. */
	timestamp: number;
	connectionId: string;
	iceState: 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';
	dtlsState: 'new' | 'connecting' | 'connected' | 'failed' | 'closed';
	/** The addresses that are in use; `undefined` before ICE has connected. */
	selectedTuple: SelectedTuple | undefined;
	/** With all that is not media, as in what follows. */
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
	pushers: PusherStats[];
	pullers: PullerStats[];
}

/**
 * The streams of one direction among what mediasoup tells.
 *
 * @param frameRates - by SSRC, when they are known
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
		// RTCP has it in 256ths, and the jitter in units of the RTP timestamp.
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

/** Of several streams, as {@link TransferStats} has it. */
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
 * @param stats - `undefined` when there is no transport yet
 * @param carried - of all that goes through it
 */
export function connectionStats(
	connectionId: string,
	stats: WebRtcTransportStat | undefined,
	carried: readonly (PusherStats | PullerStats)[],
): ConnectionStats {
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
		...inAll(carried.flatMap(({ streams }) => streams)),
		pushers: carried.flatMap((of) => ('pullerId' in of ? [] : of)),
		pullers: carried.flatMap((of) => ('pullerId' in of ? of : [])),
	};
}
