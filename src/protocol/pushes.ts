import type { ChannelData, OwnDataPusherData } from './dataChannels.js';
import type { MemberData, OfferSdp, Success, WantedEncodingData } from './parts.js';

/** Options of `push` for one m-line. */
export interface PushMediaData {
	/** The mid of the m-line. */
	mid: string;
	/** `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own. `null` removes it. */
	source?: string | null;
	/** Any JSON value of the app's own. `null` removes it. */
	metadata?: unknown;
	/** The layers of VP9 or AV1, for example `L3T3_KEY`. SDP does not say them. */
	scalabilityMode?: string;
	/** The names of the codecs to use, the preferred one first. Default: the codecs of the room, in its order. */
	codecs?: readonly string[];
	/** The highest bitrate that the client may send, in bit/s. 0 for no limit. Default 0. */
	maxBitrate?: number;
}

/** A data channel that the client opens with `negotiated: true`. */
export interface PushChannelData extends Partial<ChannelData> {
	/** The `id` of the RTCDataChannel. */
	id: number;
	/** The source, for example `screen`. `null` removes it. */
	source?: string | null;
	/** Any JSON value of the app's own. `null` removes it. */
	metadata?: unknown;
}

/** The data of `push`. */
export interface PushData extends MemberData {
	/** The offer. */
	sdp: OfferSdp;
	/** Options for m-lines that send. */
	media?: PushMediaData[];
	/** Data channels with negotiated ids. The server notices the others when the client opens them. */
	data?: PushChannelData[];
	/** The id of the connection that the offer belongs to, if there is one already. Default: the offer tells. */
	connectionId?: string;
	/**
	 * The id of a connection that this one takes the place of. It closes when the offer is accepted, unless it has closed already. For
	 * a client that has a new RTCPeerConnection.
	 */
	replaces?: string;
}

/** The data of `unpush`. */
export interface UnpushData extends MemberData {
	/** The ids of the pushers, at most 1000. */
	pusherIds: string[];
}

/** A track that the client itself sends. */
export interface OwnPusherData {
	/** The id of the pusher. */
	pusherId: string;
	/** The mid of its m-line. */
	mid: string | undefined;
	/** The kind of the media. */
	kind: 'audio' | 'video';
	/** The streams of a simulcast, as `layersWanted` tells them. Missing if all are wanted. */
	encodings?: WantedEncodingData[];
}

/** The success data of `push`. */
export interface PushSuccess extends Success<'push'> {
	/** The answer: a string, not an object. */
	sdp: string;
	/** The id of the connection. */
	connectionId: string;
	/** All media pushers of the connection, in the order of the m-lines. */
	pushers: OwnPusherData[];
	/** All data channels that the connection pushes. Missing if there are none. */
	dataPushers?: OwnDataPusherData[];
	/** The m-lines that send, and that were not taken, or only in part. Missing if there are none. */
	rejected?: PushRejectionData[];
}

/** An m-line that sends, and that was not taken, or only in part. */
export interface PushRejectionData {
	/** The mid of the m-line. Missing if the offer has none. */
	mid?: string;
	/** The reason, for people to read. */
	reason: string;
}

/** The data of requests about one pusher. */
export interface PusherIdData extends MemberData {
	/** The id of the pusher. */
	pusherId: string;
}

/** The data of `updatePusher`. A field that is left out stays as it is. */
export interface UpdatePusherData extends PusherIdData {
	/** The new source. `null` removes it. */
	source?: string | null;
	/** The new metadata, any JSON value. `null` removes it. */
	metadata?: unknown;
}
