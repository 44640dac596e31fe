import type { OwnPusherData, PushMediaData, WantedEncodingData } from '../protocol/index.js';
import type { Changes } from './Changes.js';
import { chooseEncodings } from './encodings.js';
import type { RoomError } from './RoomError.js';
import type { SendRequest } from './Signaling.js';
import { Synced } from './Synced.js';
import type { AsJson } from './Wire.js';

/** What a track is. A word of the app's own will do, too. */
export type Source = 'camera' | 'microphone' | 'screen' | 'screenAudio' | (string & {});

/** How a track is published. */
export interface PublishOptions {
	/** What it is. Default `camera` for video and `microphone` for audio. Only one track at a time has a source. */
	source?: Source;
	/** Any JSON value of the app's own, which the others see. */
	metadata?: unknown;
	/** Whether to send the video in several sizes, or in which. Default: for a camera, as its size asks for. */
	simulcast?: boolean | RTCRtpEncodingParameters[];
	/** The names of the codecs to use, the preferred one first. Default: the codecs of the room, in its order. */
	codecs?: readonly string[];
	/** The highest bitrate of the track, in bit/s. Default: for video, as its size asks for. */
	maxBitrate?: number;
	/** The layers of VP9 or AV1. Default `L3T3_KEY` for a camera, if `codecs` prefers one of the two. */
	scalabilityMode?: string;
}

/** What a local track needs of the call. */
export interface LocalTrackContext {
	request: SendRequest;
	changed(local: LocalTrack): void;
	/** Takes it off the RTCPeerConnection, on which it was known by that id. */
	remove(local: LocalTrack, pusherId: string | undefined): Promise<void>;
	/** Whether the client has captured it itself, and stops it. */
	isCaptured: boolean;
	/** Gets another track when the device of this one is gone. */
	recapture?: (() => Promise<MediaStreamTrack>) | undefined;
}

/**
 * A track that this user publishes. It outlives reconnections, restarts of the server and of its media, with its mute: while it is
 * muted, nothing that the device gives leaves the browser.
 */
export class LocalTrack {
	/** What it is. */
	readonly source: Source;
	/** The kind of the media. */
	readonly kind: 'audio' | 'video';
	/** What is sent, or would be. It is another one after `replace()`, and when another device takes over. */
	readonly track: MediaStreamTrack;
	/** The server's id of it. `undefined` before the server has it, and while it is published anew. */
	readonly pusherId: string | undefined;
	/** What the app has given with it. */
	readonly metadata: unknown;
	/** Whether `mute()` holds. */
	readonly muted: boolean;
	/** Whether the server forwards nothing of it, by the will of the app. `unmute()` does not change that. */
	readonly mutedByServer: boolean = false;
	/** @internal */
	readonly options: PublishOptions;
	/** @internal On the current RTCPeerConnection. */
	transceiver: RTCRtpTransceiver | undefined;
	/** @internal Whether the server gets nothing of it. */
	isStalled = false;
	/** @internal Whether the server has ever had it. */
	wasPublished = false;
	/** @internal Settles the call that publishes it. */
	settle: { resolve: () => void; reject: (error: RoomError) => void } | undefined;
	readonly #context: LocalTrackContext;
	#isStopped = false;
	#pause: Synced<boolean> | undefined;
	/** The encodings that anybody wants. The others need not be sent. */
	#wanted: readonly WantedEncodingData[] = [];
	#activation = Promise.resolve();

	/** @internal */
	constructor(track: MediaStreamTrack, options: PublishOptions, context: LocalTrackContext) {
		this.kind = track.kind as 'audio' | 'video';
		this.source = options.source ?? (this.kind === 'video' ? 'camera' : 'microphone');
		this.options = options;
		this.metadata = options.metadata;
		this.#context = context;
		this.track = track;
		this.muted = !track.enabled;
		track.addEventListener('ended', this.#ended);
	}

	/** Whether it has no device: it was unplugged, or another program has taken it. `replace()` gives it another one. */
	get ended(): boolean {
		return this.track.readyState === 'ended';
	}

	/** Sends another track of the same kind in its place, without a new offer. It is muted if this one is. */
	async replace(track: MediaStreamTrack): Promise<void> {
		const before = this.track;
		// Before it is sent: a muted microphone stays so.
		track.enabled = !this.muted;
		before.removeEventListener('ended', this.#ended);
		if (!this.#isStopped) track.addEventListener('ended', this.#ended);
		if (this.#context.isCaptured && before !== track) before.stop();
		this.#set({ track });
		await this.transceiver?.sender.replaceTrack(track);
		void this.#pause?.sync();
	}

	/** Sends silence or no pictures at once, and has the server forward nothing. Resolves when the server has been told. */
	mute(): Promise<void> {
		return this.#setMuted(true);
	}

	/** Takes `mute()` back. */
	unmute(): Promise<void> {
		return this.#setMuted(false);
	}

	/**
	 * Changes the metadata, which the others see. `null` removes it.
	 *
	 * @throws {@link RoomError} `forbidden`, or `closed` while there is no connection; then it is told with the next one
	 */
	async update({ metadata }: { metadata: unknown }): Promise<void> {
		const { pusherId } = this;
		this.#set({ metadata });
		if (pusherId) await this.#context.request('updatePusher', { pusherId, metadata });
	}

	/** Publishes it no more, and stops the track if the client has captured it. */
	async stop(): Promise<void> {
		if (this.#isStopped) return;
		const { pusherId } = this;
		this.end();
		await this.#context.remove(this, pusherId);
	}

	/** @internal Lets go of the track. */
	end(): void {
		this.#isStopped = true;
		this.#forget();
		this.track.removeEventListener('ended', this.#ended);
		if (this.#context.isCaptured) this.track.stop();
	}

	/** @internal Begins to send on an RTCPeerConnection. */
	addTo(pc: RTCPeerConnection): void {
		this.detach();
		const { width, height } = this.track.getSettings();
		const { options, source } = this;
		const { maxBitrate } = options;
		const encodings =
			this.kind === 'video'
				? chooseEncodings({ ...options, source, width, height })
				: maxBitrate
					? [{ maxBitrate }]
					: [];
		this.transceiver = pc.addTransceiver(this.track, {
			direction: 'sendonly',
			// Firefox has no track ids in its offer without a stream.
			streams: [new MediaStream([this.track])],
			...(encodings.length > 0 && { sendEncodings: encodings }),
		});
	}

	/** @internal The RTCPeerConnection is gone, or the server has it no more. */
	detach(): void {
		this.transceiver = undefined;
		this.#wanted = [];
		this.isStalled = false;
		this.#forget();
	}

	/** @internal What the offer says of it. */
	describe(): AsJson<PushMediaData> | undefined {
		const mid = this.transceiver?.mid;
		if (!mid) return undefined;
		const { codecs, maxBitrate } = this.options;
		// A browser that does not know it sends one layer.
		const [encoding] = this.transceiver?.sender.getParameters().encodings ?? [];
		const scalabilityMode = (encoding as { scalabilityMode?: string } | undefined)?.scalabilityMode;
		return {
			mid,
			source: this.source,
			metadata: this.metadata,
			codecs,
			maxBitrate,
			scalabilityMode: codecs && scalabilityMode,
		};
	}

	/** @internal The server has it. */
	setPushed({ pusherId, encodings = [] }: Pick<OwnPusherData, 'pusherId' | 'encodings'>): void {
		this.setWanted(encodings);
		if (pusherId === this.pusherId) return;
		this.#pause = new Synced(
			false,
			() => this.muted || this.ended,
			async (paused) => {
				const success = await this.#context.request(paused ? 'pausePusher' : 'resumePusher', { pusherId });
				if (!paused) this.setMutedByServer(success.paused);
			},
		);
		this.wasPublished = true;
		this.settle?.resolve();
		this.settle = undefined;
		this.#set({ pusherId, mutedByServer: false });
		void this.#pause.sync();
	}

	/** @internal */
	setMutedByServer(muted: boolean): void {
		if (muted !== this.mutedByServer) this.#set({ mutedByServer: muted });
	}

	/** @internal Tells the server what it may not know since the socket was lost. */
	resume(): void {
		void this.#pause?.sync();
	}

	/** @internal Sends only those layers of a simulcast that anybody wants; none for all. */
	setWanted(wanted: readonly WantedEncodingData[]): void {
		const { transceiver } = this;
		this.#wanted = wanted;
		// The next change waits for the last one: a sender takes only the parameters that it gave last.
		this.#activation = this.#activation.then(async () => {
			if (!transceiver || this.transceiver !== transceiver || this.#wanted !== wanted) return;
			const parameters = transceiver.sender.getParameters();
			const changed = parameters.encodings.filter((encoding, index) => {
				const { active } = encoding;
				const found = encoding.rid ? wanted.find(({ rid }) => rid === encoding.rid) : wanted[index];
				return active !== (encoding.active = found?.active ?? true);
			});
			// The sender of a link that has closed fails. All layers are sent then, or none.
			if (changed.length > 0) await transceiver.sender.setParameters(parameters).catch(() => undefined);
		});
	}

	#set(changes: Changes<LocalTrack>): void {
		this.#context.changed(Object.assign(this, changes));
	}

	/** The server has it no more. */
	#forget(): void {
		this.#pause = undefined;
		Object.assign(this, { pusherId: undefined, mutedByServer: false });
	}

	async #setMuted(muted: boolean): Promise<void> {
		this.track.enabled = !muted;
		this.#set({ muted });
		await this.#pause?.sync();
	}

	readonly #ended = (): void => {
		void this.recover();
	};

	/** @internal Tells that the device is gone, and takes another one in its place. */
	async recover(): Promise<void> {
		if (!this.#needsDevice()) return;
		void this.#pause?.sync();
		this.#context.changed(this);
		let track: MediaStreamTrack | undefined;
		try {
			track = await this.#context.recapture?.();
		} catch {
			// There is none. It is tried again when the devices change.
		}
		if (!track) return;
		if (this.#needsDevice()) await this.replace(track);
		else track.stop();
	}

	#needsDevice(): boolean {
		return this.ended && !this.#isStopped;
	}
}
