import type { Consumer, MediaKind, RtpHeaderExtensionParameters, RtpParameters } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import { highestLayers, isSameLayers, LayerSelection, type Layers } from '../layers/LayerSelection.js';
import { callWorker } from '../media/callWorker.js';
import { layer, strict, validator } from '../schemas.js';
import { SfuError } from '../SfuError.js';
import { FrameRates } from '../stats/FrameRates.js';
import { checkStatsOptions, inAll, streamStats, type PullerStats, type StatsOptions } from '../stats/stats.js';
import { Endpoint, type EndpointEvents, type EndpointOptions } from './Endpoint.js';
import type { Pusher } from './Pusher.js';

/** Why a puller has closed. */
export type PullerCloseReason =
	/** {@link Endpoint.close} was called without a reason. */
	| 'closed'
	/** Its pusher has closed. */
	| 'pusherClosed'
	/** Its connection has closed. */
	| 'connectionClosed'
	/** The client has closed the data channel. */
	| 'channelClosed'
	/** The client reads so slowly that a message of a reliable data channel was lost. */
	| 'tooSlow'
	/** The client has stopped its m-line, or used it for something else. */
	| 'removed'
	/** The client has rejected its m-line, or the offer that it came with. */
	| 'rejected'
	/** The client did not answer the offer that it came with in time. */
	| 'answerTimeout'
	/** The permissions of its user no longer allow it. */
	| 'notPermitted'
	/** Other videos are chosen: `videos` of `autoPull`. */
	| 'notChosen'
	/** Its user has left. */
	| 'userLeft'
	/** Its media worker died. */
	| 'workerDied'
	/** The way from its pusher has ended, and the pusher has not. It may be pulled again, and `autoPull` does so. */
	| 'interrupted'
	| (string & {});

/** The events of a puller: a track or a data channel. */
export type PullerEvents = EndpointEvents<PullerCloseReason> & {
	/** For simulcast and SVC: other layers are sent than before. `layers` is undefined if none is sent. */
	changed: (event: { layers: Layers | undefined }) => void;
};

/** Layers to ask for. */
export interface LayersOptions {
	/** The layer of resolution, counted from 0, the lowest. A number above the highest layer stands for the highest. */
	spatialLayer: number;
	/** The layer of frame rate, counted from 0, the lowest. Default: the highest. */
	temporalLayer?: number;
}

const checkLayers = validator<LayersOptions>(
	strict({ spatialLayer: layer, temporalLayer: layer }, ['spatialLayer']),
	'layers',
);

const checkPriority = validator<number>({ type: 'integer', minimum: 1, maximum: 255 }, 'priority');

/** A track that a user receives. */
export class Puller extends Endpoint<PullerEvents, PullerCloseReason> {
	/** Its id. It is unique. */
	readonly pullerId = randomUUID();
	/** The user that sends the track. */
	readonly targetUserId: string;
	/** The pusher that it receives. */
	readonly pusherId: string;
	/** The id of the MediaStream that the client is told (`a=msid`). It is unique in the room. */
	readonly streamId: string;
	readonly kind: MediaKind;
	/** The mid of its m-line. Undefined if the offer had none. */
	readonly mid: string | undefined;
	readonly #pusher: Pusher;
	readonly #consumer: Consumer;
	readonly #rtpParameters: RtpParameters;
	readonly #frameRates: FrameRates;
	readonly #selection: LayerSelection | undefined;
	#currentLayers: Layers | undefined;

	/**
	 * @internal
	 * @param options - `descriptor` is the dependency descriptor, if it is sent and the client can be told; with
	 *   `lowestOnly` only the lowest spatial layer is sent until the app allows more
	 */
	constructor(
		options: EndpointOptions & {
			pusher: Pusher;
			mid: string | undefined;
			consumer: Consumer;
			descriptor: RtpHeaderExtensionParameters | undefined;
			lowestOnly: boolean;
		},
	) {
		const { pusher, mid, consumer, descriptor, lowestOnly } = options;
		super(consumer, options);
		this.targetUserId = pusher.userId;
		this.pusherId = pusher.pusherId;
		this.streamId = pusher.toldStreamId;
		this.kind = consumer.kind;
		this.mid = mid;
		this.#pusher = pusher;
		this.#consumer = consumer;
		this.#frameRates = new FrameRates(consumer);
		// The consumer clones them each time.
		const { headerExtensions = [], ...rtpParameters } = consumer.rtpParameters;
		this.#rtpParameters = { ...rtpParameters, headerExtensions: [...headerExtensions, descriptor ?? []].flat() };
		if (consumer.kind === 'video') {
			const highest = highestLayers(this.#rtpParameters);
			const allowed = lowestOnly ? { ...highest, spatialLayer: 0 } : highest;
			this.#selection = new LayerSelection(consumer, highest, allowed);
		}
		if (this.#selection?.isLayered) {
			consumer.on('layerschange', (layers) => {
				this.#setCurrentLayers(layers && { temporalLayer: 0, ...layers });
			});
		}
		consumer.once('producerclose', () => {
			this.close(pusher.closed ? 'pusherClosed' : 'interrupted');
		});
	}

	/** The source of its pusher. */
	get source(): string | undefined {
		return this.#pusher.source;
	}

	/** The metadata of its pusher. */
	get metadata(): unknown {
		return this.#pusher.metadata;
	}

	/** @internal The parameters that it is sent with. */
	get rtpParameters(): RtpParameters {
		return this.#rtpParameters;
	}

	/** @internal Sends it. */
	get consumer(): Consumer {
		return this.#consumer;
	}

	/** @internal What of it is sent. Undefined for audio. */
	get layerSelection(): LayerSelection | undefined {
		return this.#selection;
	}

	get #layered(): LayerSelection | undefined {
		return this.#selection?.isLayered ? this.#selection : undefined;
	}

	/** The highest layers of the pusher. Undefined without simulcast and SVC. */
	get highestLayers(): Layers | undefined {
		return this.#layered?.highest;
	}

	/** The highest layers that the client wants. At first they are the highest there are. */
	get preferredLayers(): Layers | undefined {
		return this.#layered?.preferred;
	}

	/**
	 * The highest layers that the app allows. At first they are the highest there are. One case is different: AV1 in a
	 * connection for which the client offers begins with the lowest spatial layer, because the client cannot be told of the
	 * dependency descriptor there, and Chromium 156 then decodes no other layer.
	 */
	get allowedLayers(): Layers | undefined {
		return this.#layered?.allowed;
	}

	/** The layers that are sent at the moment. Undefined if none is sent. */
	get currentLayers(): Layers | undefined {
		return this.#currentLayers;
	}

	/** Its priority, 1 to 255. See {@link Puller.setPriority}. */
	get priority(): number {
		return this.#consumer.priority;
	}

	/**
	 * Sets the layers that the client wants. It gets these or lower ones, as its link allows.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `conflict` without simulcast and SVC, `closed`
	 */
	async setPreferredLayers(layers: LayersOptions): Promise<void> {
		const selection = this.#assertLayered();
		selection.preferred = readLayers(layers);
		await selection.apply();
	}

	/**
	 * Sets the layers that the app allows. The client gets no higher ones, whatever it wants.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `conflict` without simulcast and SVC, `closed`
	 */
	async setAllowedLayers(layers: LayersOptions): Promise<void> {
		const selection = this.#assertLayered();
		selection.allowed = readLayers(layers);
		await selection.apply();
	}

	/**
	 * Sets how much it counts among the pullers of the same connection. Where the link cannot carry all of them, those with
	 * a higher priority keep their layers longer.
	 *
	 * @param priority - 1, the default, to 255
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`
	 */
	async setPriority(priority: number): Promise<void> {
		this.assertOpen();
		const checked = checkPriority(priority);
		await callWorker(this, 'the puller', () => this.#consumer.setPriority(checked));
	}

	/**
	 * Asks the pusher for a keyframe, as {@link Pusher.requestKeyframe} does. It arrives unless the puller is paused.
	 *
	 * @throws {@link SfuError} (rejects) `unsupported` for audio, `closed`, `unavailable`
	 */
	async requestKeyframe(): Promise<void> {
		await callWorker(this, 'the puller', async () => {
			if (this.kind === 'audio') throw new SfuError('unsupported', 'audio has no keyframes');
			await this.#consumer.requestKeyFrame();
		});
	}

	/**
	 * Measures what is sent of the track.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async getStats(options: StatsOptions = {}): Promise<PullerStats> {
		const { frameRate = false } = checkStatsOptions(options);
		const [stats, frameRates] = await callWorker(this, 'the puller', async () => {
			const rates = frameRate && this.kind === 'video' ? await this.#frameRates.measure() : undefined;
			return [await this.#consumer.getStats(), rates] as const;
		});
		const [codec] = this.#rtpParameters.codecs;
		const streams = streamStats(stats, 'outbound-rtp', codec?.clockRate ?? 0, frameRates);
		const layers = this.#consumer.currentLayers;
		return {
			timestamp: Date.now(),
			pullerId: this.pullerId,
			pusherId: this.pusherId,
			kind: this.kind,
			codec: codec?.mimeType.split('/')[1] ?? '',
			...inAll(streams),
			layers: layers && { spatialLayer: layers.spatialLayer, temporalLayer: layers.temporalLayer },
			streams,
		};
	}

	/** @internal Stops it for a moment. Nobody is told. */
	override suspend(suspended: boolean): Promise<void> {
		return super.suspend(suspended);
	}

	protected override free(): void {
		this.#consumer.close();
	}

	#assertLayered(): LayerSelection {
		this.assertOpen();
		if (!this.#layered) {
			throw new SfuError('conflict', `the ${this.kind} has no layers: it is neither simulcast nor SVC`);
		}
		return this.#layered;
	}

	#setCurrentLayers(layers: Layers | undefined): void {
		if (this.closed || isSameLayers(layers, this.#currentLayers)) return;
		this.#currentLayers = layers;
		this.emit('changed', { layers });
	}
}

function readLayers(layers: LayersOptions): Layers {
	const { spatialLayer, temporalLayer = Infinity } = checkLayers(layers);
	return { spatialLayer, temporalLayer };
}
