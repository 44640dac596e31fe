import type { Kind, VideoCodec } from '../support/client.js';

export const clientNames = ['Chromium', 'Firefox', 'GStreamer', 'aiortc', 'werift'] as const;
export type ClientName = (typeof clientNames)[number];

/** For each codec why the client cannot use it, or false when it can. */
export type Lacks = Record<VideoCodec, string | false>;

/** What has arrived at a puller. */
export interface Received {
	/** How many frames of each video it has decoded; of a client without decoders, how many have arrived whole. */
	readonly video: number[];
	/** How much of each audio it has decoded that is not silence, in a measure of its own. */
	readonly audio: number[];
	/** The codec of the video, '' as long as it is not known. */
	readonly codec: string;
	/** What is wrong with what has arrived, or ''. */
	readonly fault: string;
}

/** A WebRTC client of one make, with any number of RTCPeerConnections. */
export interface Client {
	/** Its version, and the video codecs that it lacks. */
	about(): Promise<{ version: string; send: Lacks; receive: Lacks }>;
	/** Offers a moving picture in this codec and a tone in Opus. */
	createPusher(options: { codec: VideoCodec }): Promise<{ id: string; offer: string }>;
	/** Offers to receive these kinds, in this order, in all codecs that it has. */
	createPuller(options: { kinds: Kind[] }): Promise<{ id: string; offer: string }>;
	/** Offers to receive these kinds, too, on the same RTCPeerConnection. */
	offerAgain(id: string, options: { kinds: Kind[] }): Promise<string>;
	acceptAnswer(id: string, sdp: string): Promise<void>;
	/** Answers an offer with a new RTCPeerConnection, which receives all that is offered. */
	answerOffer(sdp: string): Promise<{ id: string; answer: string }>;
	/** Answers an offer on the same RTCPeerConnection. */
	answerAgain(id: string, sdp: string): Promise<string>;
	received(id: string): Promise<Received>;
	close(id: string): Promise<void>;
	/** Ends its processes. */
	stop(): Promise<void>;
}
