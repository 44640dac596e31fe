/** Plays tracks in elements. One element may play several. */
export class MediaElements {
	readonly #streams = new Map<HTMLMediaElement, MediaStream>();
	/** What each is to play, with videos of which nothing has come yet. */
	readonly #tracks = new WeakMap<MediaStream, Set<MediaStreamTrack>>();
	/** Elements whose sound the browser does not let play before a click. Their pictures play. */
	readonly #blocked = new Set<HTMLMediaElement>();
	readonly #onBlocked: (resume: () => Promise<void>) => void;

	constructor(onBlocked: (resume: () => Promise<void>) => void) {
		this.#onBlocked = onBlocked;
	}

	add(element: HTMLMediaElement, track: MediaStreamTrack): void {
		const stream = this.#streams.get(element) ?? new MediaStream();
		const tracks = this.#tracks.get(stream) ?? new Set();
		this.#streams.set(element, stream);
		this.#tracks.set(stream, tracks.add(track));
		const play = () => {
			if (!tracks.has(track)) return;
			stream.addTrack(track);
			if (element.srcObject !== stream) element.srcObject = stream;
			element.autoplay = true;
			// Safari on phones shows the video in full screen otherwise.
			(element as HTMLVideoElement).playsInline = true;
			void this.#play(element);
		};
		// An element plays no sound while it waits for the first picture, and a camera may be off.
		if (track.muted && track.kind === 'video') track.addEventListener('unmute', play, { once: true });
		else play();
	}

	remove(element: HTMLMediaElement, track: MediaStreamTrack, isLast = true): void {
		const stream = this.#streams.get(element);
		if (!stream) return;
		const tracks = this.#tracks.get(stream);
		tracks?.delete(track);
		stream.removeTrack(track);
		if (tracks?.size || !isLast) return;
		this.#streams.delete(element);
		if (this.#blocked.delete(element)) element.muted = false;
		if (element.srcObject === stream) element.srcObject = null;
	}

	exchange(element: HTMLMediaElement, before: MediaStreamTrack | undefined, track: MediaStreamTrack | undefined): void {
		// Over another connection it may have the same id, and a stream takes no two tracks with one.
		if (before) this.remove(element, before, !track);
		if (track) this.add(element, track);
	}

	/** Plays what the browser has not let play; to be called from a click. */
	readonly #resume = async (): Promise<void> => {
		const blocked = [...this.#blocked];
		this.#blocked.clear();
		await Promise.all(
			blocked.map((element) => {
				element.muted = false;
				return this.#play(element);
			}),
		);
	};

	async #play(element: HTMLMediaElement): Promise<void> {
		try {
			await element.play();
		} catch (error) {
			// Whatever else is wrong, another call of play() has taken over, or the element has gone.
			if ((error as Error).name !== 'NotAllowedError' || element.muted || !this.#streams.has(element)) return;
			this.#blocked.add(element);
			element.muted = true;
			void this.#play(element);
			if (this.#blocked.size === 1) this.#onBlocked(this.#resume);
		}
	}
}
