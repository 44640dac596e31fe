/** Plays tracks in elements. One element may play several. */
export class MediaElements {
	readonly #streams = new Map<HTMLMediaElement, MediaStream>();
	/** Elements whose sound the browser does not let play before a click. Their pictures play. */
	readonly #blocked = new Set<HTMLMediaElement>();
	readonly #onBlocked: () => void;

	constructor(onBlocked: () => void) {
		this.#onBlocked = onBlocked;
	}

	add(element: HTMLMediaElement, track: MediaStreamTrack): void {
		const stream = this.#streams.get(element) ?? new MediaStream();
		this.#streams.set(element, stream);
		stream.addTrack(track);
		if (element.srcObject !== stream) element.srcObject = stream;
		element.autoplay = true;
		// Safari on phones shows the video in full screen otherwise.
		(element as HTMLVideoElement).playsInline = true;
		void this.#play(element);
	}

	remove(element: HTMLMediaElement, track: MediaStreamTrack): void {
		const stream = this.#streams.get(element);
		stream?.removeTrack(track);
		if (!stream || stream.getTracks().length > 0) return;
		this.#streams.delete(element);
		if (this.#blocked.delete(element)) element.muted = false;
		if (element.srcObject === stream) element.srcObject = null;
	}

	exchange(element: HTMLMediaElement, before: MediaStreamTrack | undefined, track: MediaStreamTrack | undefined): void {
		if (track) {
			// Over another connection it may have the same id, and a stream takes no two tracks with one.
			if (before) this.#streams.get(element)?.removeTrack(before);
			this.add(element, track);
		} else if (before) {
			this.remove(element, before);
		}
	}

	/** Plays what the browser has not let play; to be called from a click. */
	async resume(): Promise<void> {
		const blocked = [...this.#blocked];
		this.#blocked.clear();
		await Promise.all(
			blocked.map((element) => {
				element.muted = false;
				return this.#play(element);
			}),
		);
	}

	async #play(element: HTMLMediaElement): Promise<void> {
		try {
			await element.play();
		} catch (error) {
			// Whatever else is wrong, another call of play() has taken over, or the element has gone.
			if ((error as Error).name !== 'NotAllowedError' || element.muted || !this.#streams.has(element)) return;
			this.#blocked.add(element);
			element.muted = true;
			void this.#play(element);
			if (this.#blocked.size === 1) this.#onBlocked();
		}
	}
}
