/** The parameters of a data channel, with the names that `createDataChannel()` uses. */
export interface ChannelData {
	/** The label. */
	label: string;
	/** The subprotocol, `""` for none. */
	protocol: string;
	/** Whether messages arrive in order. */
	ordered: boolean;
	/** How long a message may be sent again, in ms. Missing if there is no such limit. */
	maxPacketLifeTime?: number;
	/** How often a message may be sent again. Missing if there is no such limit. */
	maxRetransmits?: number;
}

/** A data channel that a user sends on. */
export interface DataPusherData extends ChannelData {
	/** The id of the pusher. */
	pusherId: string;
	/** Missing unless the pusher is paused. */
	paused?: true;
	/** The same as `source` of {@link PusherData}. */
	source?: string;
	/** A value of the app's own. Missing if there is none. */
	metadata?: unknown;
}

/** A data channel that the client itself sends on. */
export interface OwnDataPusherData {
	/** The id of the pusher. */
	pusherId: string;
	/** The id of the RTCDataChannel. */
	id: number;
	/** The label of the RTCDataChannel. */
	label: string;
}

/** A data channel that the client receives. */
export interface DataPullerData {
	/** The id of the puller. */
	pullerId: string;
	/** The id of the pusher that it receives. */
	pusherId: string;
	/** The user that sends. */
	userId: string;
	/** The id of the RTCDataChannel. */
	id: number;
	/** The same as `source` of its pusher. Missing if it has none. */
	source?: string;
	/** The same as `metadata` of its pusher. Missing if it has none. */
	metadata?: unknown;
}
