import type { DtlsParameters, MediaKind, RtcpFeedback } from 'mediasoup/types';

/** A parsed SDP offer of a client. Its form has been checked, its contents have not. */
export interface Offer {
	/**
	 * The session id of the `o=` line (RFC 8866, section 5.2). It should be the same in all offers of one
	 * RTCPeerConnection.
	 */
	readonly sessionId: string;
	/** The session version of the `o=` line. It should rise with each offer that differs from the one before. */
	readonly sessionVersion: bigint;
	/** The ICE credentials of the offerer. */
	readonly ice: IceCredentials;
	/** The fingerprint of the offerer, and the DTLS role that the offerer will have. */
	readonly dtls: Required<DtlsParameters>;
	/** Whether one- and two-byte header extensions may be mixed in the whole session (RFC 8285, section 6). */
	readonly extmapAllowMixed: boolean;
	/** The most that the offerer wants to receive in all, in bit/s. Undefined if it says nothing. */
	readonly bandwidth: number | undefined;
	/**
	 * The mids of the usable m-lines in the BUNDLE group, in its order. Empty if the offer has no group: then an answer has none
	 * either.
	 */
	readonly bundle: readonly string[];
	/** The index of the m-line that carries the transport of all: that of the BUNDLE tag (RFC 9143, section 7.2). */
	readonly tag: number;
	/** The m-lines, in order. */
	readonly media: readonly OfferedMediaSection[];
}

/** The ICE credentials of one side (RFC 8839, section 5.4). */
export interface IceCredentials {
	readonly usernameFragment: string;
	readonly password: string;
}

/** The direction of an m-line (RFC 8866, section 6.7). */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** Whether the side that says this direction sends. */
export const isSending = (direction: Direction): boolean => direction === 'sendonly' || direction === 'sendrecv';

/** Whether the side that says this direction receives. */
export const isReceiving = (direction: Direction): boolean => direction === 'recvonly' || direction === 'sendrecv';

/** One m-line of a client's offer. */
export interface OfferedMediaSection {
	/** The index among the m-lines. */
	readonly index: number;
	/** The media type as written: `audio`, `video`, `application`, … */
	readonly type: string;
	/** The transport protocol as written, for instance `UDP/TLS/RTP/SAVPF`. */
	readonly protocol: string;
	/** The formats of the m= line as written, for instance `96 97` or `webrtc-datachannel`. */
	readonly formats: string;
	readonly mid: string | undefined;
	/** The direction from the offerer's point of view. */
	readonly direction: Direction;
	/** Set if RTP can flow on it. The answer rejects an m-line that has neither this nor `data` with port 0. */
	readonly kind: MediaKind | undefined;
	/** Why neither RTP nor data channels can flow on it. Undefined if they can, and if the client has stopped it. */
	readonly unusable: string | undefined;
	/** Set if data channels can use it. */
	readonly data: OfferedData | undefined;
	/** The media codecs in the order of preference, without RTX, FEC and the like. */
	readonly codecs: readonly OfferedCodec[];
	/** The RTP header extensions, in the order of the offer. */
	readonly headerExtensions: readonly OfferedHeaderExtension[];
	/** The simulcast streams that the offerer sends (RFC 8853), in its order: by custom from the lowest to the highest. */
	readonly rids: readonly OfferedRid[];
	/** The sources that it announces (RFC 5576). Simulcast without rids has several, from the lowest to the highest. */
	readonly sources: readonly OfferedSource[];
	/** The number of tracks that its sources belong to. More than one is the old form "Plan B", of which the first counts. */
	readonly tracks: number;
	/** The CNAME of its sources (RFC 5576, section 6.1). */
	readonly cname: string | undefined;
	/** The id of the MediaStream (`a=msid`, RFC 8830). */
	readonly streamId: string | undefined;
	/** Whether RTP and RTCP share a port (`a=rtcp-mux`, RFC 5761). Of bundled m-lines one says it for all. */
	readonly rtcpMux: boolean;
	/** Whether RTCP of reduced size may be sent (RFC 5506). */
	readonly rtcpRsize: boolean;
	/** The same as {@link Offer.extmapAllowMixed}, for this m-line. */
	readonly extmapAllowMixed: boolean;
	/** The most that the offerer wants to receive on it, in bit/s (RFC 8866, section 5.8: the receiver sets this limit). */
	readonly bandwidth: number | undefined;
}

/** The parameters of an m-line for data channels (RFC 8841). */
export interface OfferedData {
	/** The size of the largest message that the offerer accepts, in bytes. Infinity if there is no limit. */
	readonly maxMessageSize: number;
}

/** Whether media or data channels can use an m-line. */
export const isUsable = ({ kind, data }: OfferedMediaSection): boolean => kind !== undefined || data !== undefined;

/** A media codec of an m-line (`a=rtpmap`, `a=fmtp`, `a=rtcp-fb`). */
export interface OfferedCodec {
	/** The encoding name in the spelling of its registration: `opus`, `VP8`, `H264`. */
	readonly name: string;
	/** The kind and the name, for instance `video/VP8`. */
	readonly mimeType: string;
	readonly payloadType: number;
	/** The clock rate in Hz. */
	readonly clockRate: number;
	/** The number of audio channels; 1 for video. */
	readonly channels: number;
	/** The format parameters (`a=fmtp`). */
	readonly parameters: Readonly<Record<string, string | number>>;
	/** The `profile-level-id` as written, if `parameters` has another one: see `constrainedBaseline()`. */
	readonly writtenProfile?: string;
	/** The feedback that may be sent for the codec (`a=rtcp-fb`). */
	readonly rtcpFeedback: readonly RtcpFeedback[];
	/** The payload type of its RTX (RFC 4588). Undefined if there is none. */
	readonly rtxPayloadType: number | undefined;
}

/** An RTP header extension (`a=extmap`, RFC 8285). */
export interface OfferedHeaderExtension {
	readonly uri: string;
	readonly id: number;
	/** The direction from the offerer's point of view. Default `sendrecv`. */
	readonly direction: Direction;
}

/** One stream of a simulcast, named by its rid (RFC 8851). */
export interface OfferedRid {
	readonly rid: string;
	/** The payload types that it may have. Undefined if it may have all. */
	readonly payloadTypes: readonly number[] | undefined;
	/** Whether the client has paused it (`~`, RFC 8853, section 5.1). It may begin at any time. */
	readonly paused: boolean;
}

/** A source of RTP (RFC 5576). */
export interface OfferedSource {
	readonly ssrc: number;
	/** The SSRC of its RTX. Undefined if there is none. */
	readonly rtxSsrc: number | undefined;
}
