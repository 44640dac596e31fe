import type { PusherData } from '../protocol/index.js';
import type { Changes } from './Changes.js';
import { chooseLayer } from './chooseLayer.js';
import type { MediaElements } from './MediaElements.js';
import type { Pulled } from './Downlink.js';
import type { Publisher } from './Publisher.js';
import type { SendRequest } from './Signaling.js';
import { Synced } from './Synced.js';
import type { Viewport } from './Viewport.js';

/** What is received of a video with layers. Both count from 0. */
export interface Layers {
	/** The resolution. */
	spatial: number;
	/** The frame rate. */
	temporal: number;
}

/** What a remote track needs of the call. */
export interface RemoteTrackContext {
	request: SendRequest;
	/** Watches the elements, if layers follow their sizes. */
	viewport: Viewport | undefined;
	elements: MediaElements;
	/** Asks for it, or for it no more. */
	subscribe(track: RemoteTrack, wanted: boolean): Promise<void>;
	emit: (event: 'trackChanged' | 'trackReady', track: RemoteTrack) => void;
}

/** A size that lasts for so long is taken for one that stays, in ms. */
const SETTLE = 300;
/** What nobody sees is paused after so long, in ms. */
const HIDDEN = 2000;
/** SVC does not tell how many layers it has. */
const SVC_LAYERS = 3;
/** The value that stands for all layers. */
const ALL_LAYERS = '';

/** What a pusher may change. */
export function detailsOf({ source, metadata, paused, stalled }: PusherData): Changes<RemoteTrack> {
	return { source, metadata, muted: !!paused, stalled: !!stalled };
}

/** A track of another user. It is the same object for as long as it is published, also when it comes over another connection. */
export class RemoteTrack {
	/** Unique in the room: the `pusherId` of the protocol. */
	readonly id: string;
	/** The kind of the media. */
	readonly kind: 'audio' | 'video';
	/** Whose it is. */
	readonly user: Publisher;
	/** What it is, if its user has said so. */
	readonly source: string | undefined;
	/** Any JSON value of the app's own. */
	readonly metadata: unknown;
	/** Whether its user, or the app, has muted it for all. */
	readonly muted!: boolean;
	/** Whether nothing of it arrives at the server. The network of its user is gone, or its device gives nothing. */
	readonly stalled!: boolean;
	/** Why the server holds it back from this client: by the will of the app, or because the link does not bear it. */
	readonly pausedBy: 'app' | 'bandwidth' | null = null;
	/** What is received. `undefined` before the event `trackReady`, and while it is not subscribed to. */
	readonly track: MediaStreamTrack | undefined;
	/** The layers that are received, `null` for none or for a video without layers. */
	readonly layers: Layers | null = null;
	/** How many simulcast layers its user sends, 1 without simulcast. */
	readonly layerCount: number;
	/** @internal Whether it shall be received. */
	isWanted = true;
	readonly #context: RemoteTrackContext;
	readonly #elements = new Map<HTMLMediaElement, () => void>();
	#pulled: Pulled | undefined;
	#isPaused = false;
	#isHidden = false;
	#preferred: { spatial: number; temporal?: number } | 'auto' = 'auto';
	#chosen = ALL_LAYERS;
	#hasLayers = false;
	/** A page that never attaches it plays it in its own way. */
	#wasAttached = false;
	#pause: Synced<boolean> | undefined;
	#layers: Synced<string> | undefined;
	#settling: ReturnType<typeof setTimeout> | undefined;
	#hiding: ReturnType<typeof setTimeout> | undefined;

	/** @internal */
	constructor(user: Publisher, pusher: PusherData, context: RemoteTrackContext) {
		this.id = pusher.pusherId;
		this.user = user;
		this.kind = pusher.rtpParam.av_type;
		this.#context = context;
		this.layerCount = pusher.rtpParam.encodings?.length ?? 1;
		Object.assign(this, detailsOf(pusher));
	}

	/**
	 * Plays it in an element. One element may have a video and an audio track. With the option `adaptive`, the size of the elements
	 * chooses the layer of a video, and a video that nobody can see is paused. It needs no `this`, so React takes it for a `ref`.
	 *
	 * @param element - with `null`, it does nothing
	 * @returns a function that takes it away
	 */
	readonly attach = (element: HTMLMediaElement | null): (() => void) => {
		if (!element) return () => undefined;
		this.#elements.get(element)?.();
		this.#wasAttached = true;
		const { viewport, elements } = this.#context;
		if (this.track) elements.add(element, this.track);
		const unwatch = this.kind === 'video' && viewport?.watch(element as HTMLVideoElement, this.#sizeChanged);
		const detach = () => {
			if (this.#elements.get(element) !== detach) return;
			this.#elements.delete(element);
			if (unwatch) unwatch();
			if (this.track) elements.remove(element, this.track);
			this.#sizeChanged();
		};
		this.#elements.set(element, detach);
		this.#sizeChanged();
		return detach;
	};

	/**
	 * Receives it, if it does not come by itself.
	 *
	 * @throws {@link RoomError} `forbidden`, `limit_exceeded` and others; without a connection it comes with the next one
	 */
	subscribe(): Promise<void> {
		this.isWanted = true;
		return this.#context.subscribe(this, true);
	}

	/** Receives it no more, and takes it from its elements until `subscribe()`. */
	unsubscribe(): Promise<void> {
		this.isWanted = false;
		return this.#context.subscribe(this, false);
	}

	/** Receives nothing of it for a while. It is back at once after `resume()`. */
	async pause(): Promise<void> {
		this.#isPaused = true;
		await this.#pause?.sync();
	}

	/** Takes `pause()` back. */
	async resume(): Promise<void> {
		this.#isPaused = false;
		await this.#pause?.sync();
	}

	/** Chooses the most of a video with layers, counted from 0. `auto` (the default) follows the size of its elements. */
	prefer(layers: { spatial: number; temporal?: number } | 'auto'): void {
		this.#preferred = layers;
		this.#choose();
	}

	/** Asks for a whole picture. */
	requestKeyframe(): void {
		const { pullerId } = this.#pulled ?? {};
		if (pullerId) this.#context.request('requestKeyframe', { pullerId }).catch(() => undefined);
	}

	/** @internal It comes over this, or no more. */
	setPulled(pulled: Pulled | undefined): void {
		const isOther = pulled?.pullerId !== this.#pulled?.pullerId;
		this.#pulled = pulled;
		if (isOther) {
			Object.assign(this, { layers: null, pausedBy: null });
			this.#pause = pulled && this.#syncPause(pulled.pullerId);
			this.#layers = pulled && this.#syncLayers(pulled.pullerId);
			this.sync();
		}
		if (!pulled) this.#setTrack(undefined);
		else if (pulled.track !== this.track) this.#exchange(pulled);
	}

	/** @internal Tells the server what it may not know since the socket was lost. */
	sync(): void {
		void this.#pause?.sync();
		void this.#layers?.sync();
	}

	/** @internal The layers are other ones. */
	choose(): void {
		this.#hasLayers ||= this.layers !== null;
		this.#sizeChanged();
	}

	/** @internal It is not published any more. */
	end(): void {
		for (const detach of [...this.#elements.values()]) detach();
		this.#pulled = this.#pause = this.#layers = undefined;
		Object.assign(this, { track: undefined });
		clearTimeout(this.#settling);
		clearTimeout(this.#hiding);
	}

	/** What is shown stays until there is something of the new one, so that nobody sees a gap. */
	#exchange({ track }: Pulled): void {
		const before = this.track;
		if (!track.muted || !before || before.readyState === 'ended' || before.muted) {
			this.#setTrack(track);
			return;
		}
		track.addEventListener(
			'unmute',
			() => {
				if (this.#pulled?.track === track) this.#setTrack(track);
			},
			{ once: true },
		);
	}

	#setTrack(track: MediaStreamTrack | undefined): void {
		const before = this.track;
		if (before === track) return;
		Object.assign(this, { track });
		const { elements, emit } = this.#context;
		for (const element of this.#elements.keys()) elements.exchange(element, before, track);
		emit(track ? 'trackReady' : 'trackChanged', this);
	}

	#syncPause(pullerId: string): Synced<boolean> {
		const want = () => this.#isPaused || this.#isHidden;
		return new Synced(false, want, async (paused) => {
			await this.#context.request(paused ? 'pausePuller' : 'resumePuller', { pullerId });
		});
	}

	#syncLayers(pullerId: string): Synced<string> {
		return new Synced(
			ALL_LAYERS,
			() => this.#chosen,
			async (layers) => {
				const [spatialLayer = this.#layerCount - 1, temporalLayer] = layers ? layers.split(',').map(Number) : [];
				await this.#context.request('setPreferredLayers', { pullerId, spatialLayer, temporalLayer });
			},
		);
	}

	get #layerCount(): number {
		return this.layerCount < 2 && this.#hasLayers ? SVC_LAYERS : this.layerCount;
	}

	readonly #sizeChanged = (): void => {
		const { viewport } = this.#context;
		if (!viewport || this.kind === 'audio' || !this.#wasAttached) return;
		const videos = [...this.#elements.keys()] as HTMLVideoElement[];
		const isSeen = videos.some((video) => viewport.sizeOf(video));
		if (isSeen) {
			clearTimeout(this.#hiding);
			this.#hiding = undefined;
			this.#hide(false);
		} else if (!this.#isHidden) {
			this.#hiding ??= setTimeout(() => {
				this.#hiding = undefined;
				// A page may show an element only when it has a picture.
				if (document.hidden || videos.every((video) => video.videoWidth > 0)) this.#hide(true);
			}, HIDDEN);
		}
		clearTimeout(this.#settling);
		this.#settling = setTimeout(() => {
			this.#choose();
		}, SETTLE);
	};

	#hide(hidden: boolean): void {
		this.#isHidden = hidden;
		void this.#pause?.sync();
	}

	#choose(): void {
		const { viewport } = this.#context;
		const preferred = this.#preferred;
		if (preferred !== 'auto') {
			this.#chosen = [preferred.spatial, preferred.temporal ?? []].flat().join(',');
		} else if (!viewport || !this.#wasAttached || this.#layerCount < 2) {
			this.#chosen = ALL_LAYERS;
		} else {
			const videos = [...this.#elements.keys()] as HTMLVideoElement[];
			const layer = chooseLayer({
				shown: Math.max(0, ...videos.map((video) => viewport.sizeOf(video))),
				count: this.#layerCount,
				layer: this.layers?.spatial,
				side: Math.max(0, ...videos.map(({ videoWidth, videoHeight }) => Math.max(videoWidth, videoHeight))),
			});
			this.#chosen = layer === this.#layerCount - 1 ? ALL_LAYERS : String(layer);
		}
		void this.#layers?.sync();
	}
}
