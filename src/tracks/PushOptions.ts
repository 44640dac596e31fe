import { jsonCopy } from '../json.js';
import { checkCodecNames } from '../media/codecs.js';
import type { DataChannelParameters } from '../sdp/dataChannelProtocol.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import {
	channelProperties,
	checkLength,
	detailsProperties,
	firstTwice,
	mediaProperties,
	strict,
	validator,
} from '../schemas.js';
import type { Limits } from '../options.js';

/** Facts about a pusher that SDP does not tell. */
export interface PusherDetails {
	/**
	 * The user's word for it: `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own, of at most
	 * {@link Limits.idLength}. `null` removes it.
	 */
	source?: string | null;
	/**
	 * A JSON value of the app's own, of at most {@link Limits.metadataBytes}. The library never looks into it. `null`
	 * removes it.
	 */
	metadata?: unknown;
}

/** How to receive one m-line. For an m-line in use, the given properties change and the others stay. */
export interface PushMediaOptions extends PusherDetails {
	/**
	 * The layers within each stream, such as `L3T3_KEY` for VP9 and AV1, or `L1T3` for temporal layers (W3C, Scalable Video
	 * Coding (SVC) Extension for WebRTC). SDP does not tell them. It cannot change later. Default: `L1T3` for simulcast,
	 * none otherwise.
	 */
	scalabilityMode?: string;
	/**
	 * The codecs that it may be sent in, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Codecs that the
	 * room and the user do not have are ignored. It counts when the m-line begins to send; a pusher keeps its codec. Default:
	 * the codecs of the room and the user.
	 */
	codecs?: readonly string[];
	/**
	 * The most that the client is told to send (`b=TIAS` and `b=AS` in the answer), in bit/s. 0 stands for no limit. Browsers
	 * obey, but nothing forces a client to. Default 0.
	 */
	maxBitrate?: number;
}

/**
 * A data channel that the client opens with `negotiated: true`. Nothing tells the server of it but this. All properties are
 * the same as for `createDataChannel()`.
 */
export interface PushDataOptions extends PusherDetails {
	/** The `id` of the RTCDataChannel. */
	id: number;
	/** The label. Default `""`. */
	label?: string;
	/** The subprotocol. Default `""`. */
	protocol?: string;
	/** Whether messages arrive in order. Default true. */
	ordered?: boolean;
	/** How long a message may be retransmitted, in ms. Default: no limit. */
	maxPacketLifeTime?: number;
	/** How often a message may be retransmitted. Default: no limit. */
	maxRetransmits?: number;
}

/** Facts about a push that its offer does not tell. */
export interface PushOptions {
	/** Options for the m-lines that send, by mid. */
	media?: Readonly<Record<string, PushMediaOptions>>;
	/** The data channels with negotiated ids. The server notices others when the client opens them. */
	data?: readonly PushDataOptions[];
	/** The id of the connection that the offer belongs to, if there is one already. Default: the offer tells. */
	connectionId?: string;
	/**
	 * Whether everything that the offer sends must be received: otherwise it gets `unsupported`. Default false: what can be taken
	 * is, and the rest is `rejected`.
	 */
	whole?: boolean;
}

/** A data channel with a negotiated id. */
export interface AnnouncedChannel {
	readonly id: number;
	readonly channel: DataChannelParameters;
	readonly details: PusherDetails;
}

/** @internal Push options that have been checked. */
export interface CheckedPushOptions {
	/** Options by mid. */
	readonly media: ReadonlyMap<string, PushMediaOptions>;
	readonly data: readonly AnnouncedChannel[];
	/** Whether everything that the offer sends must be received. */
	readonly whole?: boolean;
}

const checkDetails = validator<PusherDetails>(strict(detailsProperties), 'details');

const checkOptions = validator<PushOptions>(
	strict({
		media: { type: 'object', additionalProperties: strict(mediaProperties) },
		data: { type: 'array', maxItems: 1000, items: strict(channelProperties, ['id']) },
		connectionId: { type: 'string' },
		whole: { type: 'boolean' },
	}),
	'options',
);

/** @throws {@link SfuError} `invalid_argument`, `too_large` */
export function readPushOptions(options: PushOptions, limits: Limits): CheckedPushOptions {
	const { media = {}, data = [], whole = false } = checkOptions(options);
	return {
		whole,
		media: new Map(
			Object.entries(media).map(([mid, given]) => {
				if (given.codecs) checkCodecNames(given.codecs);
				const copied = { ...given, ...(given.codecs && { codecs: [...given.codecs] }) };
				return [mid, { ...copied, ...limited(given, limits, ` of mid ${quoted(mid)}`) }] as const;
			}),
		),
		data: announcedChannels(data, limits),
	};
}

function announcedChannels(data: readonly PushDataOptions[], limits: Limits): AnnouncedChannel[] {
	const twice = firstTwice(data.map(({ id }) => id));
	if (twice !== undefined) throw new SfuError('invalid_argument', `data names id ${twice} twice`);
	return data.map(
		({ id, label = '', protocol = '', ordered = true, maxPacketLifeTime, maxRetransmits, ...details }) => {
			const whose = ` of data channel ${id}`;
			checkLength(label, `the label${whose}`, limits.idLength);
			checkLength(protocol, `the protocol${whose}`, limits.idLength);
			if (maxPacketLifeTime !== undefined && maxRetransmits !== undefined) {
				throw new SfuError('invalid_argument', `maxPacketLifeTime and maxRetransmits${whose} exclude each other`);
			}
			return {
				id,
				channel: { label, protocol, ordered, maxPacketLifeTime, maxRetransmits },
				details: limited(details, limits, whose),
			};
		},
	);
}

/** @throws {@link SfuError} `invalid_argument`, `too_large` */
export function readDetails(given: PusherDetails, limits: Limits): PusherDetails {
	return limited(checkDetails(given), limits);
}

function limited({ source, metadata }: PusherDetails, limits: Limits, whose = ''): PusherDetails {
	if (typeof source === 'string') checkLength(source, `the source${whose}`, limits.idLength);
	return {
		...(source !== undefined && { source }),
		...(metadata !== undefined && { metadata: jsonCopy(metadata, `the metadata${whose}`, limits.metadataBytes) }),
	};
}
