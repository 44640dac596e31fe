import { checkCodecNames } from '../media/codecs.js';
import type { DataChannelParameters } from '../sdp/dataChannelProtocol.js';
import { quoted } from '../quoted.js';
import { SfuError } from '../SfuError.js';
import { channelProperties, checkLength, detailsProperties, mediaProperties, strict, validator } from '../schemas.js';
import type { Limits } from '../options.js';

/** What a user says of something that it sends. */
export interface PusherDetails {
	/**
	 * What it is: `camera`, `microphone`, `screen`, `screenAudio`, or a word of the app's own, of at most
	 * {@link Limits.idLength}. `null` for none.
	 */
	source?: string | null;
	/** The app's own: any JSON value of at most {@link Limits.metadataBytes}, never looked into. `null` for none. */
	metadata?: unknown;
}

/** How to take what one m-line sends. What an m-line in use already says anew is changed, the rest stays. */
export interface PushMediaOptions extends PusherDetails {
	/**
	 * The layers within what it sends, as in `L3T3_KEY` (W3C, Scalable Video Coding (SVC) Extension for WebRTC), which SDP
	 * does not say: of VP9 and AV1, or the temporal ones of each stream, as in `L1T3`. It cannot change later. Default:
	 * `L1T3` for simulcast, none otherwise.
	 */
	scalabilityMode?: string;
	/**
	 * The codecs that it may be sent in, the preferred one first, by their names in SDP: `['VP9', 'VP8']`. Others than the
	 * room and the user have are passed over. It counts when the m-line begins to send; what is sent already keeps its
	 * codec. Default: as the room and the user have it.
	 */
	codecs?: readonly string[];
	/**
	 * The most that the client is told to send (`b=TIAS` and `b=AS` of the answer), in bit/s; 0 for as much as it likes.
	 * Browsers obey; nothing else makes them. Default 0.
	 */
	maxBitrate?: number;
}

/** A data channel that the client opens with `negotiated: true`, which nobody can know but by being told. */
export interface PushDataOptions extends PusherDetails {
	/** The `id` of the RTCDataChannel. */
	id: number;
	/** As given to `createDataChannel()`. Default `""`. */
	label?: string;
	/** As all that follows, the same as for `createDataChannel()`. Default `""`. */
	protocol?: string;
	/** Default true. */
	ordered?: boolean;
	/** In ms. Default: no limit. */
	maxPacketLifeTime?: number;
	/** Default: no limit. */
	maxRetransmits?: number;
}

export interface PushOptions {
	/** Of the m-lines of the offer that send, by mid. */
	media?: Readonly<Record<string, PushMediaOptions>>;
	/** The data channels with negotiated ids. Others are noticed when the client opens them. */
	data?: readonly PushDataOptions[];
}

/** A data channel with a negotiated id. */
export interface AnnouncedChannel {
	readonly id: number;
	readonly channel: DataChannelParameters;
	readonly details: PusherDetails;
}

/** @internal Options that have been checked. */
export interface CheckedPushOptions {
	/** By mid. */
	readonly media: ReadonlyMap<string, PushMediaOptions>;
	readonly data: readonly AnnouncedChannel[];
}

const checkDetails = validator<PusherDetails>(strict(detailsProperties), 'details');

const checkOptions = validator<PushOptions>(
	strict({
		media: { type: 'object', additionalProperties: strict(mediaProperties) },
		data: { type: 'array', items: strict(channelProperties, ['id']) },
	}),
	'options',
);

/** @throws {@link SfuError} `invalid_argument`, `too_large` */
export function readPushOptions(options: PushOptions, limits: Limits): CheckedPushOptions {
	const { media = {}, data = [] } = checkOptions(options);
	return {
		media: new Map(
			Object.entries(media).map(([mid, of]) => {
				if (of.codecs) checkCodecNames(of.codecs);
				const copied = { ...of, ...(of.codecs && { codecs: [...of.codecs] }) };
				return [mid, { ...copied, ...limited(of, limits, ` of mid ${quoted(mid)}`) }] as const;
			}),
		),
		data: announcedChannels(data, limits),
	};
}

function announcedChannels(data: readonly PushDataOptions[], limits: Limits): AnnouncedChannel[] {
	const ids = data.map(({ id }) => id);
	const twice = ids.find((id, index) => ids.indexOf(id) !== index);
	if (twice !== undefined) throw new SfuError('invalid_argument', `data names id ${twice} twice`);
	return data.map(
		({ id, label = '', protocol = '', ordered = true, maxPacketLifeTime, maxRetransmits, ...details }) => {
			const of = ` of data channel ${id}`;
			checkLength(label, `the label${of}`, limits.idLength);
			checkLength(protocol, `the protocol${of}`, limits.idLength);
			if (maxPacketLifeTime !== undefined && maxRetransmits !== undefined) {
				throw new SfuError('invalid_argument', `maxPacketLifeTime and maxRetransmits${of} exclude each other`);
			}
			return {
				id,
				channel: { label, protocol, ordered, maxPacketLifeTime, maxRetransmits },
				details: limited(details, limits, of),
			};
		},
	);
}

/** @throws {@link SfuError} `invalid_argument`, `too_large` */
export function readDetails(given: PusherDetails, limits: Limits): PusherDetails {
	return limited(checkDetails(given), limits);
}

function limited({ source, metadata }: PusherDetails, limits: Limits, of = ''): PusherDetails {
	if (typeof source === 'string') checkLength(source, `the source${of}`, limits.idLength);
	return {
		...(source !== undefined && { source }),
		...(metadata !== undefined && { metadata: jsonCopy(metadata, `the metadata${of}`, limits.metadataBytes) }),
	};
}

/** A copy that nobody can change, so that it stays within the limit. */
function jsonCopy(value: unknown, subject: string, longest: number): unknown {
	const json = jsonOf(value);
	if (json === undefined) throw new SfuError('invalid_argument', `${subject} must be a JSON value`);
	const bytes = Buffer.byteLength(json);
	if (bytes > longest) {
		throw new SfuError('too_large', `${subject} has ${bytes} bytes as JSON, more than the ${longest} that are allowed`);
	}
	return JSON.parse(json, (_, part: unknown) => Object.freeze(part));
}

/** `undefined` for what has none: a function, a cycle, a BigInt, what is too deep, a toJSON() that throws. */
function jsonOf(value: unknown): string | undefined {
	try {
		return JSON.stringify(value);
	} catch {
		return undefined;
	}
}
