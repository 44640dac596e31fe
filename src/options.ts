import type { WorkerLogLevel } from 'mediasoup/types';
import { availableParallelism } from 'node:os';
import { consoleLogger, type Logger } from './Logger.js';
import { defaultCodecs, type CodecOption } from './media/codecs.js';
import type { ListenAddress } from './media/WorkerPool.js';
import { bitrate, count, milliseconds, nonEmpty, strict, validator } from './schemas.js';

/** How much of everything there may be. */
export interface Limits {
	/** Rooms of one Sfu. Default 10,000. */
	rooms: number;
	/** Users in one room. Default 500. */
	usersPerRoom: number;
	/** RTCPeerConnections of one user. Default 100. */
	connectionsPerUser: number;
	/** Pushers of one user. Default 16. */
	pushersPerUser: number;
	/** Data channels that one user pushes. Default 16. */
	dataPushersPerUser: number;
	/** Pullers of one user, those of data channels included. Default 500. */
	pullersPerUser: number;
	/** The m-lines of one offer. Default 100. */
	mediaSections: number;
	/** The size of one SDP, in bytes. Default 131,072 (128 KiB). */
	sdpBytes: number;
	/**
	 * The length of a room id, a user id, a user name, a pusher's source, and a data channel's label and protocol, in
	 * Unicode code points. Default 256.
	 */
	idLength: number;
	/** The size of a pusher's metadata, in bytes of its JSON. Default 4096. */
	metadataBytes: number;
	/** The size of one message of a data channel, in bytes; larger ones are dropped. Default 262,144 (256 KiB). */
	dataMessageBytes: number;
	/**
	 * Bytes of data channels that wait for a slow client, for each of its RTCPeerConnections. What comes then is lost to
	 * it: from a reliable data channel, so that its puller closes (`tooSlow`). Default 2,000,000.
	 */
	dataBufferBytes: number;
}

export interface WebRtcOptions {
	/** The addresses that media is received on and sent from. Default: 127.0.0.1 alone, for trying things out. */
	listen?: ListenAddress[];
	/**
	 * How long an RTCPeerConnection may take from its first answer to a finished DTLS handshake before its Connection
	 * is closed, in ms. Default 30,000.
	 */
	connectTimeout?: number;
	/** How long a client may take to answer an offer before its Connection is closed, in ms. Default 30,000. */
	answerTimeout?: number;
	/**
	 * How long a client may be silent, not even answering consent checks (RFC 7675), before its Connection counts as
	 * disconnected, in ms, in whole seconds. Default 30,000, which is RFC 7675's.
	 */
	consentTimeout?: number;
	/** How long a disconnected Connection may take to come back before it is closed, in ms. Default 15,000. */
	disconnectTimeout?: number;
	/** The bandwidth that a client is first taken to have for what it pulls, in bit/s. Default 1,000,000. */
	initialOutgoingBitrate?: number;
	/**
	 * What an RTCPeerConnection may send in all, in bit/s, 0 for any amount. It is told by RTCP (REMB), which browsers
	 * obey when they have offered transport-wide congestion control or abs-send-time. Default 0.
	 */
	maxIncomingBitrate?: number;
	/**
	 * What is sent to an RTCPeerConnection in all, in bit/s, 0 for as much as it can take; less than 30,000 counts as that.
	 * It bounds the estimate by which layers are chosen. Default 0.
	 */
	maxOutgoingBitrate?: number;
	/**
	 * The bitrate that a browser is told to begin to send video with, before it has an estimate of its own, in bit/s
	 * (`x-google-start-bitrate`, in Chromium and what shares its WebRTC). 0 leaves it to the browser. Default 1,250,000.
	 */
	startBitrate?: number;
	/** The least time between two requests for a keyframe to one pusher, in ms. Default 500. */
	keyframeRequestDelay?: number;
}

export interface WorkerOptions {
	/** How many worker processes; each uses one core. Default: one for each core. */
	count?: number;
	/** The path of the worker's binary. Default: `MEDIASOUP_WORKER_BIN`, or where mediasoup puts its own. */
	binary?: string;
	/** What the workers log through mediasoup's `debug`. Default `error`. */
	logLevel?: WorkerLogLevel;
}

export interface AudioObserverOptions {
	/** How often levels are told, in ms, 250 to 5000. Default 1000. */
	interval?: number;
	/** The average level from which on somebody is heard, in dBov (RFC 6464), -127 to 0. Default -80. */
	threshold?: number;
}

export interface SfuOptions {
	webRtc?: WebRtcOptions;
	workers?: WorkerOptions;
	/**
	 * What pushers may send, in any order: the offer's own order decides, unless a room, a user or a push has another one.
	 * Default {@link defaultCodecs}.
	 */
	codecs?: CodecOption[];
	limits?: Partial<Limits>;
	/** Tells who speaks, and how loud everybody is: `activeSpeakerChanged` and `audioLevels` of a room. Default: not. */
	audioObservers?: AudioObserverOptions;
	/**
	 * How often the quality of each connection is measured, in ms: `qualityChanged` of users and connections. It asks the
	 * workers for the stats of everything that flows. 0 for never. Default 0.
	 */
	qualityInterval?: number;
	/** How long a room with nobody in it stays open, in ms. Default 30,000. */
	emptyRoomTimeout?: number;
	/** Default: {@link consoleLogger}. */
	logger?: Logger;
}

/** The options with their defaults. */
export interface ResolvedOptions {
	webRtc: Required<WebRtcOptions>;
	workers: Required<Omit<WorkerOptions, 'binary'>> & { binary: string | undefined };
	codecs: readonly CodecOption[];
	limits: Limits;
	audioObservers: Required<AudioObserverOptions> | undefined;
	qualityInterval: number;
	emptyRoomTimeout: number;
	logger: Logger;
}

export const defaultLimits: Limits = {
	rooms: 10_000,
	usersPerRoom: 500,
	connectionsPerUser: 100,
	pushersPerUser: 16,
	dataPushersPerUser: 16,
	pullersPerUser: 500,
	mediaSections: 100,
	sdpBytes: 131_072,
	idLength: 256,
	metadataBytes: 4096,
	dataMessageBytes: 262_144,
	dataBufferBytes: 2_000_000,
};

const checkOptions = validator<SfuOptions>(
	strict({
		webRtc: strict({
			listen: {
				type: 'array',
				minItems: 1,
				items: strict(
					{
						ip: nonEmpty,
						announcedAddress: nonEmpty,
						port: { type: 'integer', minimum: 1, maximum: 65535 },
						protocols: { type: 'array', minItems: 1, items: { enum: ['udp', 'tcp'] } },
					},
					['ip'],
				),
			},
			connectTimeout: milliseconds,
			answerTimeout: milliseconds,
			consentTimeout: { ...milliseconds, minimum: 1000 },
			disconnectTimeout: milliseconds,
			initialOutgoingBitrate: count,
			maxIncomingBitrate: bitrate,
			maxOutgoingBitrate: bitrate,
			startBitrate: bitrate,
			keyframeRequestDelay: milliseconds,
		}),
		workers: strict({
			count,
			binary: nonEmpty,
			logLevel: { enum: ['debug', 'warn', 'error', 'none'] },
		}),
		codecs: {
			type: 'array',
			minItems: 1,
			items: strict(
				{
					kind: { enum: ['audio', 'video'] },
					mimeType: { type: 'string', pattern: '^(audio|video)/.' },
					clockRate: count,
					channels: count,
					parameters: { type: 'object', additionalProperties: { type: ['string', 'number'] } },
				},
				['kind', 'mimeType', 'clockRate'],
			),
		},
		limits: strict(Object.fromEntries(Object.keys(defaultLimits).map((limit) => [limit, count]))),
		audioObservers: strict({
			interval: { type: 'integer', minimum: 250, maximum: 5000 },
			threshold: { type: 'integer', minimum: -127, maximum: 0 },
		}),
		qualityInterval: milliseconds,
		emptyRoomTimeout: milliseconds,
		logger: { type: 'object', required: ['debug', 'info', 'warn', 'error'] },
	}),
	'options',
);

/** @throws {@link SfuError} `invalid_argument`, naming the option */
export function resolveOptions(options: SfuOptions): ResolvedOptions {
	const { webRtc, workers, codecs, limits, audioObservers, qualityInterval, emptyRoomTimeout, logger } =
		checkOptions(options);
	return {
		webRtc: {
			listen: [{ ip: '127.0.0.1' }],
			connectTimeout: 30_000,
			answerTimeout: 30_000,
			consentTimeout: 30_000,
			disconnectTimeout: 15_000,
			initialOutgoingBitrate: 1_000_000,
			maxIncomingBitrate: 0,
			maxOutgoingBitrate: 0,
			startBitrate: 1_250_000,
			keyframeRequestDelay: 500,
			...given(webRtc),
		},
		workers: { count: availableParallelism(), logLevel: 'error', binary: undefined, ...given(workers) },
		codecs: codecs ?? defaultCodecs,
		limits: { ...defaultLimits, ...given(limits) },
		audioObservers: audioObservers && { interval: 1000, threshold: -80, ...given(audioObservers) },
		qualityInterval: qualityInterval ?? 0,
		emptyRoomTimeout: emptyRoomTimeout ?? 30_000,
		logger: logger ?? consoleLogger,
	};
}

/** What is there; an option that is `undefined` has its default. */
function given<Options extends object>(
	options: Options | undefined,
): { [Key in keyof Options]: Exclude<Options[Key], undefined> } {
	const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
	return Object.fromEntries(entries) as { [Key in keyof Options]: Exclude<Options[Key], undefined> };
}
