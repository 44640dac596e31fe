import type { DataPusherData } from './dataChannels.js';

/** A user, and its pushers. */
export interface UserData {
	/** The id of the user. */
	userId: string;
	/** The name of the user, for people to read. */
	userName: string;
	/** A value of the app's own. Missing if there is none. */
	metadata?: unknown;
	/** The media pushers, video before audio. */
	pushers: PusherData[];
	/** Missing if there are none. They are not among `pushers`, since clients look for the codec of each of those. */
	dataPushers?: DataPusherData[];
}

/** One simulcast layer of a pusher. */
export interface RtpEncoding {
	/** The rid of the layer in SDP. */
	rid: string;
}

/** The parameters that were negotiated with a pusher, with the numbers of the pusher's own offer. 0 stands for none. */
export interface RtpParam {
	/** The kind of the media. */
	av_type: 'audio' | 'video';
	/** The encoding name of SDP, for example `opus`, `VP8` or `H264`. */
	codec: string;
	/** The clock rate of the codec, in Hz. */
	clock_rate: number;
	/** The number of channels. Audio only. */
	channel?: number;
	/** The payload type of the codec. */
	payload_type: number;
	/** The value of `a=fmtp` in the answer, `""` for none. */
	fmtp_param: string;
	/** The RTCP feedback as SDP writes it, for example `nack pli` or `transport-cc`. */
	rtcp_features: string[];
	/** The SSRC of the media. It is 0 for simulcast with rids. */
	ssrc: number;
	/** The SSRC of retransmissions. */
	rtx_ssrc: number;
	/** The payload type of retransmissions. */
	rtx_payload_type: number;
	/** Whether NACK was negotiated. */
	use_nack: boolean;
	/** Whether PLI or FIR was negotiated. Video only. */
	key_request?: boolean;
	/** The id of the header extension for the mid. */
	mid_ext_id: number;
	/** The id of the header extension for transport-wide congestion control. */
	tcc_ext_id: number;
	/** The id of the header extension for the absolute send time. Missing without the option `rtcpilot`. */
	abs_send_time_ext_id?: number;
	/** The simulcast layers, the lowest first. Missing unless the pusher sends simulcast with rids. */
	encodings?: RtpEncoding[];
}

/** A track that a user sends. */
export interface PusherData {
	/** The id of the pusher. */
	pusherId: string;
	/** The negotiated parameters. */
	rtpParam: RtpParam;
	/** Missing unless the pusher is paused. */
	paused?: true;
	/** Missing unless nothing of the track arrives at the server. */
	stalled?: true;
	/** `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own. Missing if its user gave none. */
	source?: string;
	/** A value of the app's own. Missing if there is none. */
	metadata?: unknown;
}
