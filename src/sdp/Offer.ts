import type { DtlsParameters, MediaKind, RtcpFeedback } from 'mediasoup/types';

/** An SDP offer, checked, in the terms that negotiation needs. Nothing in it is trusted beyond its form. */
export interface Offer {
	/**
	 * The session id of the `o=` line (RFC 8866, section 5.2): it should be the same for all offers of one
	 * RTCPeerConnection.
	 */
	readonly sessionId: string;
	readonly ice: IceCredentials;
	/** The offerer's fingerprints, and the DTLS role that it will have. */
	readonly dtls: Required<DtlsParameters>;
	readonly extmapAllowMixed: boolean;
	/** What the offerer wants to receive in all, at most, in bit/s. */
	readonly bandwidth: number | undefined;
	/** The m-lines, in order. */
	readonly media: readonly OfferedMediaSection[];
}

export interface IceCredentials {
	readonly usernameFragment: string;
	readonly password: string;
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One m-line of an offer. */
export interface OfferedMediaSection {
	/** Its place among the m-lines. */
	readonly index: number;
	/** As written: `audio`, `video`, `application`, … */
	readonly type: string;
	readonly protocol: string;
	/** The formats of the m= line as written, such as `96 97` or `webrtc-datachannel`. */
	readonly formats: string;
	readonly mid: string | undefined;
	readonly direction: Direction;
	/** Set when RTP can flow on it. What has neither this nor `data` is rejected with port 0 by the answer. */
	readonly kind: MediaKind | undefined;
	/** Set when data channels can flow on it. */
	readonly data: OfferedData | undefined;
	/** The media codecs in the order of preference, without RTX, FEC and the like. */
	readonly codecs: readonly OfferedCodec[];
	readonly headerExtensions: readonly OfferedHeaderExtension[];
	/** The streams of a simulcast that it sends (RFC 8853), in its order: from the lowest to the highest, by custom. */
	readonly rids: readonly OfferedRid[];
	/** The sources that it announces (RFC 5576): more than one, from the lowest to the highest, for simulcast without rids. */
	readonly sources: readonly OfferedSource[];
	readonly cname: string | undefined;
	/** The id of the MediaStream (`a=msid`, RFC 8830). */
	readonly streamId: string | undefined;
	readonly rtcpRsize: boolean;
	readonly extmapAllowMixed: boolean;
	/** What the offerer wants to receive on it, at most, in bit/s (RFC 8866, section 5.8: it is the receiver's bound). */
	readonly bandwidth: number | undefined;
}

/** What an m-line for data channels says (RFC 8841). */
export interface OfferedData {
	/** The size of the largest message that the offerer takes, in bytes; Infinity for no limit. */
	readonly maxMessageSize: number;
}

/** Whether something can flow on an m-line. */
export const isUsable = ({ kind, data }: OfferedMediaSection): boolean => kind !== undefined || data !== undefined;

export interface OfferedCodec {
	/** The encoding name, in the spelling of its registration: `opus`, `VP8`, `H264`. */
	readonly name: string;
	readonly mimeType: string;
	readonly payloadType: number;
	readonly clockRate: number;
	readonly channels: number;
	readonly parameters: Readonly<Record<string, string | number>>;
	readonly rtcpFeedback: readonly RtcpFeedback[];
	readonly rtxPayloadType: number | undefined;
}

export interface OfferedHeaderExtension {
	readonly uri: string;
	readonly id: number;
	/** From the offerer's point of view; `sendrecv` unless written. */
	readonly direction: Direction;
}

export interface OfferedRid {
	readonly rid: string;
	/** Those that it is restricted to. */
	readonly payloadTypes: readonly number[] | undefined;
}

export interface OfferedSource {
	readonly ssrc: number;
	readonly rtxSsrc: number | undefined;
}
