/** One person or one screen: a picture, or initials where there is none, and a caption. */
export class Tile {
	element;
	#video;
	/** What ends the showing of each track. @type {Map<import('sfu-rooms/client').RemoteTrack, () => void>} */
	#received = new Map();
	/** @type {import('./view.js').TileView} */
	#view;

	/** @param {import('./view.js').TileView} view */
	constructor(view) {
		const template = /** @type {HTMLTemplateElement} */ (document.getElementById('tile-template'));
		const content = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.element = content.querySelector('figure');
		this.#video = content.querySelector('video');
		this.#view = view;
		this.element.style.setProperty('--hue', String(hueOf(view.userId)));
		this.#video.muted = view.own;
		// Both fire when the first frame is there, `resize` also when a picture joins sound and when its size changes.
		this.#video.onloadeddata = this.#video.onresize = () => this.#showPicture();
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
		if (view.own) this.#showOwn(view.picture);
		else this.#receive(view.received);
		this.#showPicture();
		// A browser pauses what moves to another place of the page.
		if (this.#video.paused && this.#video.srcObject) this.#video.play().catch(() => undefined);
	}

	/** @param {number} level how loud it is, from 0 to 1 */
	showLevel(level) {
		this.element.classList.toggle('heard', level > HEARD_LEVEL && !this.#view.muted);
	}

	remove() {
		this.#receive([]);
		this.#video.srcObject = null;
		this.element.remove();
	}

	/** @param {string} name */
	#part(name) {
		return this.element.querySelector(`.${name}`);
	}

	/** @param {MediaStreamTrack | undefined} track */
	#showOwn(track) {
		const [shown] = /** @type {MediaStream | null} */ (this.#video.srcObject)?.getTracks() ?? [];
		if (shown !== track) this.#video.srcObject = track ? new MediaStream([track]) : null;
	}

	/**
	 * The size of the element chooses which layer of a video comes, and what nobody sees does not come at all.
	 *
	 * @param {import('sfu-rooms/client').RemoteTrack[]} tracks
	 */
	#receive(tracks) {
		for (const [track, detach] of this.#received) {
			if (tracks.includes(track)) continue;
			this.#received.delete(track);
			detach();
		}
		for (const track of tracks) {
			if (!this.#received.has(track)) this.#received.set(track, track.attach(this.#video));
		}
	}

	#showPicture() {
		const hasPicture = this.#view.hasPicture && this.#video.videoWidth > 0;
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
