/** What is told of an element. */
export type SizeListener = () => void;

interface Watched {
	readonly listeners: Set<SizeListener>;
	isVisible: boolean;
}

/** Watches how large elements are, and whether anybody can see them. */
export class Viewport {
	readonly #watched = new Map<HTMLVideoElement, Watched>();
	readonly #sizes = new ResizeObserver((entries) => {
		for (const { target } of entries) this.#tell(target);
	});
	readonly #places = new IntersectionObserver((entries) => {
		for (const { target, isIntersecting } of entries) {
			const watched = this.#watched.get(target as HTMLVideoElement);
			if (watched) watched.isVisible = isIntersecting;
			this.#tell(target);
		}
	});

	constructor() {
		document.addEventListener('visibilitychange', this.#tellAll);
	}

	/** @returns a function that ends it */
	watch(element: HTMLVideoElement, listener: SizeListener): () => void {
		const watched = this.#watched.get(element) ?? { listeners: new Set(), isVisible: true };
		this.#watched.set(element, watched);
		watched.listeners.add(listener);
		this.#sizes.observe(element);
		this.#places.observe(element);
		element.addEventListener('resize', listener);
		return () => {
			element.removeEventListener('resize', listener);
			watched.listeners.delete(listener);
			if (watched.listeners.size > 0) return;
			this.#watched.delete(element);
			this.#sizes.unobserve(element);
			this.#places.unobserve(element);
		};
	}

	/** @returns the longer side of what is shown, in pixels of the screen; 0 if nobody can see it */
	sizeOf(element: HTMLVideoElement): number {
		const isSeen = !document.hidden && this.#watched.get(element)?.isVisible;
		if (!isSeen && document.pictureInPictureElement !== element) return 0;
		return Math.max(element.clientWidth, element.clientHeight) * devicePixelRatio;
	}

	close(): void {
		document.removeEventListener('visibilitychange', this.#tellAll);
		this.#sizes.disconnect();
		this.#places.disconnect();
	}

	#tell(target: Element): void {
		for (const listener of this.#watched.get(target as HTMLVideoElement)?.listeners ?? []) listener();
	}

	readonly #tellAll = (): void => {
		for (const element of this.#watched.keys()) this.#tell(element);
	};
}
