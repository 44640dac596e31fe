import { checkCodecNames } from '../media/codecs.js';
import { quote } from '../quote.js';
import { SfuError } from '../SfuError.js';
import { checkLength, validator } from '../validation.js';
import { bitrate, codecNames, type Limits } from './options.js';

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

/** @internal The names of the modes that mediasoup's parser takes. */
export const scalabilityModePattern = '^[LS][1-9]T[1-9](h|_KEY|_KEY_SHIFT)?$';

export interface PushOptions {
	/** Of the m-lines of the offer that send, by mid. */
	media?: Readonly<Record<string, PushMediaOptions>>;
}

/** @internal Options that have been checked. */
export interface CheckedPushOptions {
	/** By mid. */
	readonly media: ReadonlyMap<string, PushMediaOptions>;
}

const details = { source: { type: ['string', 'null'], minLength: 1 }, metadata: {} };

const checkDetails = validator<PusherDetails>(
	{ type: 'object', properties: details, additionalProperties: false },
	'details',
);

const checkOptions = validator<PushOptions>(
	{
		type: 'object',
		properties: {
			media: {
				type: 'object',
				additionalProperties: {
					type: 'object',
					properties: {
						...details,
						scalabilityMode: { type: 'string', pattern: scalabilityModePattern },
						codecs: codecNames,
						maxBitrate: bitrate,
					},
					additionalProperties: false,
				},
			},
		},
		additionalProperties: false,
	},
	'options',
);

/** @throws {@link SfuError} `invalid_argument`, `too_large` */
export function readPushOptions(options: PushOptions, limits: Limits): CheckedPushOptions {
	const media = Object.entries(checkOptions(options).media ?? {}).map(([mid, of]) => {
		if (of.codecs) checkCodecNames(of.codecs);
		const copied = { ...of, ...(of.codecs && { codecs: [...of.codecs] }) };
		return [mid, { ...copied, ...limited(of, limits, ` of mid ${quote(mid)}`) }] as const;
	});
	return { media: new Map(media) };
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
