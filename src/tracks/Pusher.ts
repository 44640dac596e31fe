import type { MediaKind } from 'mediasoup/types';
import { callWorker } from '../media/callWorker.js';
import type { PushedSource, Source } from '../media/Source.js';
import type { Limits } from '../options.js';
import { formatFeedback, formatParameters, headerExtensionUris } from '../sdp/rtpParameters.js';
import { SfuError } from '../SfuError.js';
import { FrameRates } from '../stats/FrameRates.js';
import { checkStatsOptions, inAll, streamStats, type PusherStats, type StatsOptions } from '../stats/stats.js';
import type { EndpointOptions } from './Endpoint.js';
import { PusherEndpoint, type PusherCloseReason, type WantedEncoding } from './PusherEndpoint.js';
import type { PushMediaOptions } from './PushOptions.js';
import { WantedLayers } from './WantedLayers.js';

/** How long after its recovery a pusher is asked for a keyframe, in ms. */
const refreshDelay = 600;

/** The negotiated parameters of a pusher, in the numbers of the pusher's own SDP. It can be serialised as JSON. */
export interface PusherMedia {
	/** Audio or video. */
	kind: MediaKind;
	/** The encoding name in SDP, such as `opus`, `VP8` or `H264`. */
	codec: string;
	/** The clock rate of the RTP timestamps, in Hz. */
	clockRate: number;
	/** The number of audio channels. 1 for video. */
	channels: number;
	/** The RTP payload type of the codec. */
	payloadType: number;
	/** The value of the `a=fmtp` line. Empty if there is none. */
	fmtp: string;
	/** The RTCP feedback, each as SDP writes it, such as `nack pli`. */
	rtcpFeedback: string[];
	/** The SSRC of the first encoding. Undefined if the offer announced none. */
	ssrc: number | undefined;
	/** The payload type of RTX (RFC 4588). Undefined without RTX. */
	rtxPayloadType: number | undefined;
	/** The RTX SSRC of the first encoding. */
	rtxSsrc: number | undefined;
	/** The streams that it sends. Simulcast has several, from the lowest to the highest. */
	encodings: PusherEncoding[];
	/** The negotiated id of the MID header extension (RFC 9143, section 15). */
	midExtensionId: number | undefined;
	/** The negotiated id of the transport-wide congestion control header extension. */
	transportCcExtensionId: number | undefined;
	/** The negotiated id of the header extension for the absolute send time. */
	absSendTimeExtensionId: number | undefined;
}

/** One stream of a pusher. */
export interface PusherEncoding {
	/** The restriction identifier of a simulcast stream (RFC 8851). */
	rid?: string;
	/** The SSRC. Missing if the offer announced none, or a rid instead. */
	ssrc?: number;
	/** The SSRC of RTX. Missing if the offer announced none. */
	rtxSsrc?: number;
	/** The layers within the stream, such as `L3T3_KEY`. Missing if they are not known. */
	scalabilityMode?: string;
}

/** A track that a user sends. */
export class Pusher extends PusherEndpoint {
	readonly pusherId: string;
	readonly kind: MediaKind;
	/** The mid of its m-line. Undefined if the offer had none. */
	readonly mid: string | undefined;
	/** The id of the client's MediaStream that the track is in (`a=msid`, RFC 8830). */
	readonly streamId: string;
	/** @internal The id of the MediaStream that those who pull it see. It is unique in the room. */
	readonly toldStreamId: string;
	/** The negotiated parameters. */
	readonly media: PusherMedia;
	readonly #source: PushedSource;
	readonly #frameRates: FrameRates | undefined;
	readonly #wantedLayers: WantedLayers | undefined;
	#maxBitrate: number;
	/** Whether anything of it has ever arrived. */
	#begun = false;
	#arrives = true;
	#stalled = false;
	#refreshTimer: NodeJS.Timeout | undefined;

	/** @internal */
	constructor(
		options: EndpointOptions & {
			mid: string | undefined;
			streamId: string;
			toldStreamId: string;
			details: PushMediaOptions;
			source: PushedSource;
			limits: Limits;
			/** How long a layer that nobody wants goes on being sent, in ms. Undefined if its client is told by another server. */
			layersSettleTime: number | undefined;
		},
	) {
		const { mid, streamId, toldStreamId, details, source, layersSettleTime } = options;
		super(source, options);
		this.pusherId = source.pusherId;
		this.kind = source.kind;
		this.mid = mid;
		this.streamId = streamId;
		this.toldStreamId = toldStreamId;
		this.media = pusherMedia(source);
		this.#source = source;
		this.#frameRates = source.producer && new FrameRates(source.producer);
		this.#maxBitrate = details.maxBitrate ?? 0;
		for (const event of ['paused', 'resumed'] as const)
			this.on(event, () => {
				this.#followStall();
			});
		if (source.type === 'simulcast' && layersSettleTime !== undefined) {
			this.#wantedLayers = new WantedLayers({
				demand: source.demand,
				count: this.media.encodings.length,
				settleTime: layersSettleTime,
				changed: () => {
					this.emit('layersWanted', { encodings: this.wantedEncodings ?? [] });
				},
			});
		}
	}

	/** The most that the client is told to send, in bit/s. 0 stands for no limit. */
	get maxBitrate(): number {
		return this.#maxBitrate;
	}

	/**
	 * Whether nothing of it arrives, though nobody has paused it: the client's network is gone, or its device gives nothing. It
	 * is false before the first packet.
	 */
	get stalled(): boolean {
		return this.#stalled;
	}

	/**
	 * Which streams of a simulcast anybody wants, in the order of {@link PusherMedia.encodings}. The client may stop sending the
	 * others. Undefined without simulcast.
	 */
	get wantedEncodings(): readonly WantedEncoding[] | undefined {
		const active = this.#wantedLayers?.active;
		return active?.map((isActive, layer) => {
			const rid = this.media.encodings[layer]?.rid;
			return { ...(rid !== undefined && { rid }), active: isActive };
		});
	}

	/** @internal Tells whether anything of it has arrived lately. */
	arrives(arrives: boolean): void {
		this.#begun ||= arrives;
		this.#arrives = arrives;
		this.#followStall();
	}

	/** @internal What others pull. */
	get pullSource(): Source & Pick<PushedSource, 'producer'> {
		return this.#source;
	}

	override close(reason: PusherCloseReason = 'closed'): void {
		if (this.closed) return;
		super.close(reason);
		// The pullers close after everybody knows of the pusher.
		this.#source.close(reason);
	}

	/** @internal */
	override setDetails({ maxBitrate, ...details }: PushMediaOptions): void {
		this.#maxBitrate = maxBitrate ?? this.#maxBitrate;
		super.setDetails(details);
	}

	/**
	 * Asks the client for a keyframe of its video. The client is asked at most once in `webRtc.keyframeRequestDelay`;
	 * further requests wait for the next time.
	 *
	 * @throws {@link SfuError} (rejects) `unsupported` for audio, `closed`, `unavailable`
	 */
	async requestKeyframe(): Promise<void> {
		await callWorker(this, 'the pusher', async () => {
			if (this.kind === 'audio') throw new SfuError('unsupported', 'audio has no keyframes');
			await this.#source.requestKeyframe();
		});
	}

	/**
	 * Measures what is received of the track.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async getStats(options: StatsOptions = {}): Promise<PusherStats> {
		const { frameRate = false } = checkStatsOptions(options);
		const [stats, frameRates] = await callWorker(this, 'the pusher', async () => {
			const rates = frameRate && this.kind === 'video' ? await this.#frameRates?.measure() : undefined;
			return [await this.#source.getStats(), rates] as const;
		});
		const { codec, clockRate } = this.media;
		const streams = streamStats(stats, 'inbound-rtp', clockRate, frameRates);
		return { timestamp: Date.now(), pusherId: this.pusherId, kind: this.kind, codec, ...inAll(streams), streams };
	}

	#followStall(): void {
		this.setStalled(this.#begun && !this.#arrives && !this.paused);
	}

	/** Tells whether nothing of it arrives. */
	protected setStalled(stalled: boolean): void {
		if (this.closed || stalled === this.#stalled) return;
		this.#stalled = stalled;
		this.emit(stalled ? 'stalled' : 'recovered');
		if (!stalled && this.kind === 'video' && this.#arrives) this.#refresh();
	}

	/**
	 * Asks for a keyframe of each layer once more. When video arrives again, mediasoup asks for one of the layer that each puller
	 * had, and then of the one that it gets. Chromium answers no two requests within 300 ms, and mediasoup repeats a request
	 * after a second only.
	 */
	#refresh(): void {
		clearTimeout(this.#refreshTimer);
		this.#refreshTimer = setTimeout(() => {
			if (this.closed || this.#stalled || this.paused) return;
			// This fails only if it closes meanwhile, or its worker has died.
			this.requestKeyframe().catch(() => undefined);
		}, refreshDelay);
	}

	protected override free(): void {
		clearTimeout(this.#refreshTimer);
		this.#wantedLayers?.close();
		this.#source.producer?.close();
	}
}

function pusherMedia({ kind, rtpParameters }: Source): PusherMedia {
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
		absSendTimeExtensionId: extensionId(headerExtensionUris.absSendTime),
	};
}
