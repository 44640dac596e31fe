import type { MediaKind, Producer, RtpCapabilities, RtpParameters } from 'mediasoup/types';
import type { Logger } from '../Logger.js';
import type { RoomMedia } from '../media/RoomMedia.js';
import { SfuError } from '../SfuError.js';
import { formatFeedback, formatParameters, headerExtensionUris } from '../sdp/rtpParameters.js';
import { callWorker } from '../media/callWorker.js';
import type { Limits } from '../options.js';
import { AnyPusher, type AnyPusherEvents } from './AnyPusher.js';
import type { PushMediaOptions } from './PushOptions.js';
import { FrameRates } from '../stats/FrameRates.js';
import { checkStatsOptions, inAll, streamStats, type PusherStats, type StatsOptions } from '../stats/stats.js';

/** What was negotiated for a pusher, in the pusher's own numbers. Serialisable. */
export interface PusherMedia {
	kind: MediaKind;
	/** The encoding name of SDP: `opus`, `VP8`, `H264`. */
	codec: string;
	/** In Hz. */
	clockRate: number;
	/** Audio only; 1 for video. */
	channels: number;
	payloadType: number;
	/** The value of the `a=fmtp` line, `""` without one. */
	fmtp: string;
	/** Each as SDP writes it: `nack pli`. */
	rtcpFeedback: string[];
	/** That of the first encoding. Undefined when the offer announced none. */
	ssrc: number | undefined;
	rtxPayloadType: number | undefined;
	/** That of the first encoding. */
	rtxSsrc: number | undefined;
	/** The streams that it sends: more than one for simulcast, from the lowest to the highest. */
	encodings: PusherEncoding[];
	/** The negotiated id of the MID header extension (RFC 9143, section 15). */
	midExtensionId: number | undefined;
	/** The negotiated id of the transport-wide congestion control header extension. */
	transportCcExtensionId: number | undefined;
}

/** One stream of a pusher. */
export interface PusherEncoding {
	/** Its name in a simulcast (RFC 8851). */
	rid?: string;
	/** When the offer announced one, and no rid. */
	ssrc?: number;
	rtxSsrc?: number;
	/** The layers within it, as in `L3T3_KEY`, when they are known. */
	scalabilityMode?: string;
}

/** Why a pusher has closed. */
export type PusherCloseReason =
	/** {@link Pusher.close} without a reason. */
	| 'closed'
	/** Its RTCPeerConnection is gone. */
	| 'connectionClosed'
	/** Its m-line was stopped, or used for something else. */
	| 'removed'
	/** Its user has left. */
	| 'userLeft'
	/** Its media worker died. */
	| 'workerDied'
	| (string & {});

export type PusherEvents = AnyPusherEvents & {
	/** Emitted once, last. */
	closed: (event: { reason: PusherCloseReason }) => void;
};

/** One track that a user sends. */
export class Pusher extends AnyPusher<PusherEvents> {
	readonly kind: MediaKind;
	/** The mid of its m-line, `undefined` when the offer had none. */
	readonly mid: string | undefined;
	/** The id of the MediaStream that the client put it in (`a=msid`). */
	readonly streamId: string;
	/** What was negotiated. */
	readonly media: PusherMedia;
	readonly #producer: Producer;
	readonly #frameRates: FrameRates;
	readonly #requestKeyframe: RoomMedia['requestKeyframe'];
	#maxBitrate: number;
	#closed = false;

	/** @internal */
	constructor(options: {
		userId: string;
		connectionId: string;
		mid: string | undefined;
		streamId: string;
		details: PushMediaOptions;
		producer: Producer;
		requestKeyframe: RoomMedia['requestKeyframe'];
		limits: Limits;
		logger: Logger;
	}) {
		super(options.producer, options);
		const { mid, streamId, details, producer } = options;
		this.kind = producer.kind;
		this.mid = mid;
		this.streamId = streamId;
		this.media = pusherMedia(producer);
		this.#producer = producer;
		this.#frameRates = new FrameRates(producer);
		this.#requestKeyframe = options.requestKeyframe;
		this.#maxBitrate = details.maxBitrate ?? 0;
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** The most that the client is told to send, in bit/s; 0 for as much as it likes. */
	get maxBitrate(): number {
		return this.#maxBitrate;
	}

	/** @internal What is received. */
	get rtpParameters(): RtpParameters {
		return this.#producer.rtpParameters;
	}

	/** @internal What pullers on the same machine consume. */
	get producer(): Producer {
		return this.#producer;
	}

	/** @internal Its codec, as capabilities to look for the same one with. */
	get codecCapabilities(): RtpCapabilities {
		const codecs = this.#producer.rtpParameters.codecs.slice(0, 1);
		return {
			codecs: codecs.map(({ mimeType, clockRate, channels, payloadType, parameters }) => ({
				kind: this.kind,
				mimeType: mimeType as `${string}/${string}`,
				clockRate,
				...(channels !== undefined && { channels }),
				preferredPayloadType: payloadType,
				parameters: { ...(parameters as object) },
				rtcpFeedback: [],
			})),
			headerExtensions: [],
		};
	}

	/** @internal */
	override setDetails({ maxBitrate, ...details }: PushMediaOptions): void {
		this.#maxBitrate = maxBitrate ?? this.#maxBitrate;
		super.setDetails(details);
	}

	/**
	 * Asks the client for a keyframe of its video, at most once in `webRtc.keyframeRequestDelay`: what is asked for in
	 * between comes with the next one.
	 *
	 * @throws {@link SfuError} (rejects) `unsupported` for audio, `closed`, `unavailable`
	 */
	async requestKeyframe(): Promise<void> {
		await callWorker(this, 'the pusher', async () => {
			if (this.kind === 'audio') throw new SfuError('unsupported', 'audio has no keyframes');
			await this.#requestKeyframe(this.#producer, this.codecCapabilities);
		});
	}

	/**
	 * What is received of it at the moment.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async getStats(options: StatsOptions = {}): Promise<PusherStats> {
		const { frameRate = false } = checkStatsOptions(options);
		const [stats, frameRates] = await callWorker(this, 'the pusher', async () => {
			const rates = frameRate && this.kind === 'video' ? await this.#frameRates.measure() : undefined;
			return [await this.#producer.getStats(), rates] as const;
		});
		const { codec, clockRate } = this.media;
		const streams = streamStats(stats, 'inbound-rtp', clockRate, frameRates);
		return {
			timestamp: Date.now(),
			pusherId: this.pusherId,
			kind: this.kind,
			codec,
			...inAll(streams),
			streams,
		};
	}

	/** Stops it; its pullers close with it. */
	close(reason: PusherCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#producer.close();
		this.emit('closed', { reason });
	}
}

function pusherMedia({ kind, rtpParameters }: Producer): PusherMedia {
	const { codecs, encodings = [], headerExtensions = [] } = rtpParameters;
	const [codec, rtx] = codecs;
	const [encoding] = encodings;
	const extensionId = (uri: string) => headerExtensions.find((extension) => extension.uri === uri)?.id;
	return {
		kind,
		codec: codec?.mimeType.split('/')[1] ?? '',
		clockRate: codec?.clockRate ?? 0,
		channels: codec?.channels ?? 1,
		payloadType: codec?.payloadType ?? 0,
		fmtp: formatParameters(codec?.parameters),
		rtcpFeedback: (codec?.rtcpFeedback ?? []).map(formatFeedback),
		ssrc: encoding?.ssrc,
		rtxPayloadType: rtx?.payloadType,
		rtxSsrc: encoding?.rtx?.ssrc,
		encodings: encodings.map(({ rid, ssrc, rtx: repair, scalabilityMode }) => ({
			...(rid !== undefined && { rid }),
			...(ssrc !== undefined && { ssrc }),
			...(repair && { rtxSsrc: repair.ssrc }),
			...(scalabilityMode !== undefined && { scalabilityMode }),
		})),
		midExtensionId: extensionId(headerExtensionUris.mid),
		transportCcExtensionId: extensionId(headerExtensionUris.transportCc),
	};
}
