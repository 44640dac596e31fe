import type { Consumer, MediaKind, RtpHeaderExtensionParameters, RtpParameters } from 'mediasoup/types';
import { randomUUID } from 'node:crypto';
import type { Logger } from '../Logger.js';
import { SfuError } from '../SfuError.js';
import { layer, strict, validator } from '../schemas.js';
import { highestLayers, isSameLayers, LayerSelection, type Layers } from '../layers/LayerSelection.js';
import { callWorker, toSfuError } from '../media/callWorker.js';
import { Pausable, type PausableEvents } from './Pausable.js';
import { FrameRates } from '../stats/FrameRates.js';
import { checkStatsOptions, inAll, streamStats, type PullerStats, type StatsOptions } from '../stats/stats.js';

/** Why a puller has closed. */
export type PullerCloseReason =
	/** {@link Puller.close} without a reason. */
	| 'closed'
	/** What it pulled is gone. */
	| 'pusherClosed'
	/** Its RTCPeerConnection is gone. */
	| 'connectionClosed'
	/** Its m-line was stopped, or used for something else. */
	| 'removed'
	/** The client has rejected its m-line, or the offer that it came with. */
	| 'rejected'
	/** Its user has left. */
	| 'userLeft'
	/** Its media worker died. */
	| 'workerDied'
	| (string & {});

export type PullerEvents = PausableEvents & {
	/** Other layers are sent than before; `undefined` for none. */
	layersChanged: (event: { layers: Layers | undefined }) => void;
	/** Emitted once, last. */
	closed: (event: { reason: PullerCloseReason }) => void;
};

const checkLayers = validator<{ spatialLayer: number; temporalLayer?: number }>(
	strict({ spatialLayer: layer, temporalLayer: layer }, ['spatialLayer']),
	'layers',
);

const checkPriority = validator<number>({ type: 'integer', minimum: 1, maximum: 255 }, 'priority');

/** One track that a user receives. */
export class Puller extends Pausable<PullerEvents> {
	/** Unique, and made by us. */
	readonly pullerId = randomUUID();
	/** The user that receives it. */
	readonly userId: string;
	/** The user that sends it. */
	readonly targetUserId: string;
	/** What it receives. */
	readonly pusherId: string;
	/** The id of the MediaStream that the client is told (`a=msid`): that of the pusher. */
	readonly streamId: string;
	/** The RTCPeerConnection that it goes through. */
	readonly connectionId: string;
	readonly kind: MediaKind;
	/** The mid of its m-line, `undefined` when the offer had none. */
	readonly mid: string | undefined;
	readonly #consumer: Consumer;
	readonly #rtpParameters: RtpParameters;
	readonly #frameRates: FrameRates;
	readonly #selection: LayerSelection | undefined;
	#currentLayers: Layers | undefined;
	#closed = false;

	/**
	 * @internal
	 * @param options - with the dependency descriptor, when it is sent and the client can be told so; and whether no more
	 *   than the lowest spatial layer is sent until the app allows more
	 */
	constructor(options: {
		userId: string;
		targetUserId: string;
		pusherId: string;
		streamId: string;
		connectionId: string;
		mid: string | undefined;
		consumer: Consumer;
		descriptor: RtpHeaderExtensionParameters | undefined;
		lowestOnly: boolean;
		logger: Logger;
	}) {
		super(options.consumer, options.logger);
		const { userId, targetUserId, pusherId, streamId, connectionId, mid, consumer, descriptor, lowestOnly } = options;
		this.userId = userId;
		this.targetUserId = targetUserId;
		this.pusherId = pusherId;
		this.streamId = streamId;
		this.connectionId = connectionId;
		this.kind = consumer.kind;
		this.mid = mid;
		this.#consumer = consumer;
		this.#frameRates = new FrameRates(consumer);
		const { headerExtensions = [] } = consumer.rtpParameters;
		this.#rtpParameters = {
			...consumer.rtpParameters,
			headerExtensions: [...headerExtensions, descriptor ?? []].flat(),
		};
		const highest = highestLayers(consumer);
		const allowed = highest && lowestOnly ? { ...highest, spatialLayer: 0 } : highest;
		this.#selection = highest && new LayerSelection(consumer, highest, allowed);
		if (highest) {
			consumer.on('layerschange', (layers) => {
				this.#setCurrentLayers(layers && { temporalLayer: 0, ...layers });
			});
		}
		consumer.once('producerclose', () => {
			this.close('pusherClosed');
		});
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** @internal What is sent. */
	get rtpParameters(): RtpParameters {
		return this.#rtpParameters;
	}

	/** @internal What sends it. */
	get consumer(): Consumer {
		return this.#consumer;
	}

	/** @internal */
	get layerSelection(): LayerSelection | undefined {
		return this.#selection;
	}

	/** The highest layers of what it pulls; `undefined` when that is neither simulcast nor SVC. */
	get highestLayers(): Layers | undefined {
		return this.#selection?.highest;
	}

	/** Those that the client wants at most; at first the highest. */
	get preferredLayers(): Layers | undefined {
		return this.#selection?.preferred;
	}

	/**
	 * Those that the app allows at most; at first the highest. Of AV1 they are the lowest spatial one at first, when the
	 * client cannot be told of the dependency descriptor, as in its own offer: Chromium 156 then decodes no other.
	 */
	get allowedLayers(): Layers | undefined {
		return this.#selection?.allowed;
	}

	/** Those that are sent at the moment, `undefined` for none. */
	get currentLayers(): Layers | undefined {
		return this.#currentLayers;
	}

	/** See {@link Puller.setPriority}. */
	get priority(): number {
		return this.#consumer.priority;
	}

	/**
	 * What the client wants: these layers or lower ones, as the link bears them.
	 *
	 * @param layers - counted from 0; higher ones than there are stand for the highest, as does no `temporalLayer`
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `conflict` when there are no layers, `closed`
	 */
	async setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void> {
		const selection = this.#assertLayered();
		const { spatialLayer, temporalLayer = Infinity } = checkLayers(layers);
		selection.preferred = { spatialLayer, temporalLayer };
		await selection.apply();
	}

	/**
	 * What the app allows: the client gets no higher layers, whatever it wants.
	 *
	 * @param layers - as for {@link Puller.setPreferredLayers}
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `conflict` when there are no layers, `closed`
	 */
	async setAllowedLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void> {
		const selection = this.#assertLayered();
		const { spatialLayer, temporalLayer = Infinity } = checkLayers(layers);
		selection.allowed = { spatialLayer, temporalLayer };
		await selection.apply();
	}

	/**
	 * How much it counts among what goes over the same link: where that bears less than all want, what has more keeps its
	 * layers longer.
	 *
	 * @param priority - 1, which is the default, to 255
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`
	 */
	async setPriority(priority: number): Promise<void> {
		this.assertOpen();
		const checked = checkPriority(priority);
		try {
			await this.#consumer.setPriority(checked);
		} catch (error) {
			this.assertOpen();
			throw toSfuError(error);
		}
	}

	/** @internal Stops it for a moment, of which nobody is told. */
	hold(held: boolean): Promise<void> {
		return this.suspend(held);
	}

	protected override assertOpen(): void {
		if (this.#closed) throw new SfuError('closed', 'the puller has been closed');
	}

	#assertLayered(): LayerSelection {
		this.assertOpen();
		if (!this.#selection)
			throw new SfuError('conflict', `the ${this.kind} has no layers: it is neither simulcast nor SVC`);
		return this.#selection;
	}

	#setCurrentLayers(layers: Layers | undefined): void {
		if (this.#closed || isSameLayers(layers, this.#currentLayers)) return;
		this.#currentLayers = layers;
		this.emit('layersChanged', { layers });
	}

	/**
	 * Asks the pusher for a keyframe, as {@link Pusher.requestKeyframe} does; it comes when this is not paused.
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
	 * What is sent at the moment.
	 *
	 * @throws {@link SfuError} (rejects) `invalid_argument`, `closed`, `unavailable`
	 */
	async getStats(options: StatsOptions = {}): Promise<PullerStats> {
		const { frameRate = false } = checkStatsOptions(options);
		const [stats, frameRates] = await callWorker(this, 'the puller', async () => {
			const rates = frameRate && this.kind === 'video' ? await this.#frameRates.measure() : undefined;
			return [await this.#consumer.getStats(), rates] as const;
		});
		const [codec] = this.#consumer.rtpParameters.codecs;
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

	/** Stops it. */
	close(reason: PullerCloseReason = 'closed'): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#consumer.close();
		this.emit('closed', { reason });
	}
}
