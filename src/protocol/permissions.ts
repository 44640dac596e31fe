/** What a user may push. A property that is missing allows everything. */
export interface PushPermissionsData {
	/** The kinds of tracks. */
	kinds?: readonly ('audio' | 'video')[];
	/** The sources of tracks. A track without a source has that of its kind: `audio` or `video`. */
	sources?: readonly string[];
	/** How many tracks at a time. */
	maxPushers?: number;
	/** The most that one RTCPeerConnection may send in all, in bit/s. */
	maxBitrate?: number;
}

/** What a user may do. */
export interface PermissionsData {
	/** Whether it may push tracks, or which. */
	push: boolean | PushPermissionsData;
	/** Whether it may open data channels. */
	openDataChannels: boolean;
	/** Whether it may send text messages. */
	sendText: boolean;
	/** Whether it may pull. `true` may mean: not everything. */
	pull: boolean;
	/** Whether it may change the source and the metadata of its pushers. */
	updateMetadata: boolean;
	/** Whether the other clients are not told of it. */
	hidden: boolean;
}
