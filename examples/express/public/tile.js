/** One person or one screen: a picture, or initials where there is none, and a caption. */
export class Tile {
	element;
	#video;
	#stream = new MediaStream();
	#onSilenced;
	/** @type {import('./view.js').TileView} */
	#view;

	/**
	 * @param {import('./view.js').TileView} view
	 * @param {() => void} onSilenced the browser plays no sound before a click
	 */
	constructor(view, onSilenced) {
		const template = /** @type {HTMLTemplateElement} */ (document.getElementById('tile-template'));
		const content = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.element = content.querySelector('figure');
		this.#video = content.querySelector('video');
		this.#onSilenced = onSilenced;
		this.#view = view;
		this.element.style.setProperty('--hue', String(hueOf(view.userId)));
		this.#video.muted = view.own;
		// Both fire when the first frame is there, `resize` also when a picture joins sound and when its size changes.
		this.#video.onloadeddata = this.#video.onresize = () => this.#showPicture();
		this.#video.srcObject = this.#stream;
		this.update(view);
	}

	get view() {
		return this.#view;
	}

	/** @param {import('./view.js').TileView} view */
	update(view) {
		this.#view = view;
		const { element } = this;
		for (const name of ['own', 'mirrored', 'screen', 'muted', 'speaking']) element.classList.toggle(name, view[name]);
		element.classList.toggle('offline', view.state !== '');
		this.#part('avatar').textContent = initialsOf(view.name);
		this.#part('tile-name').textContent = view.name;
		this.#part('tile-node').textContent = view.node ?? '';
		this.#video.setAttribute('aria-label', `Video: ${view.name}`);
		this.#part('tile-state').textContent = view.state;
		this.#part('tile-quality').textContent = view.quality.join(' · ');
		this.#setTracks([view.video, view.audio].filter((track) => track !== undefined));
		this.#showPicture();
		if (this.#video.paused && this.#stream.active) void this.#play();
	}

	/** @param {number} level how loud it is, from 0 to 1 */
	showLevel(level) {
		this.element.classList.toggle('heard', level > HEARD_LEVEL && !this.#view.muted);
	}

	/** Plays the sound that the browser has refused to play; to be called from a click. */
	hear() {
		this.#video.muted = this.#view.own;
		void this.#play();
	}

	remove() {
		this.#video.srcObject = null;
		this.element.remove();
	}

	/** @param {string} name */
	#part(name) {
		return this.element.querySelector(`.${name}`);
	}

	/** @param {MediaStreamTrack[]} tracks */
	#setTracks(tracks) {
		for (const track of this.#stream.getTracks()) if (!tracks.includes(track)) this.#stream.removeTrack(track);
		// A track that the stream has already is left alone.
		for (const track of tracks) this.#stream.addTrack(track);
	}

	#showPicture() {
		const hasPicture = this.#view.video !== undefined && this.#video.videoWidth > 0;
		this.element.classList.toggle('has-picture', hasPicture);
		this.#showLayers(hasPicture ? this.#view.layers : undefined);
	}

	/** @param {import('./view.js').TileView['layers']} layers */
	#showLayers(layers) {
		const chip = /** @type {HTMLElement} */ (this.#part('tile-layers'));
		chip.hidden = layers === undefined;
		if (!layers) return;
		chip.title = layers.text;
		chip.querySelector('.visually-hidden').textContent = layers.text;
		chip.querySelector('.tile-size').textContent = `${this.#video.videoHeight}p`;
		const bars = Array.from({ length: layers.count }, (_, index) => {
			const bar = document.createElement('i');
			bar.classList.toggle('on', index < layers.level);
			return bar;
		});
		chip.querySelector('.bars').replaceChildren(...bars);
	}

	async #play() {
		try {
			await this.#video.play();
		} catch (error) {
			if (error.name !== 'NotAllowedError' || this.#video.muted) return;
			// The picture plays without a click, if it is muted.
			this.#video.muted = true;
			this.#onSilenced();
			await this.#play();
		}
	}
}

const HEARD_LEVEL = 0.02;

/** @param {string} name */
function initialsOf(name) {
	const words = name
		.replace(/ \(you\)$/, '')
		.trim()
		.split(/\s+/);
	const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
	return letters
		.map((word) => [...word][0] ?? '')
		.join('')
		.toUpperCase();
}

/**
 * The same colour for the same user on every page.
 *
 * @param {string} userId
 */
function hueOf(userId) {
	let hash = 0;
	for (const character of userId) hash = (hash * 31 + character.codePointAt(0)) % 360;
	return hash;
}
