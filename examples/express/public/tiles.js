const GAP = 12;
/** How far a tile may be from the picture's own 16:9; the video is cropped to it. */
const NARROWEST = 6 / 5;
const WIDEST = 16 / 9;
const SPEAKING_LEVEL = 0.02;
/** Of 255. A camera never is as dark as this everywhere, a track that is switched off always is. */
const BLACK = 6;

/**
 * @typedef {object} Person
 * @property {string} userId
 * @property {string} userName
 * @property {MediaStream} stream
 * @property {boolean} [own] not to be heard
 * @property {boolean} [mirrored] as in a mirror, for one's own camera
 */

/** The grid of people. Every text that comes from others goes through textContent. */
export class Tiles {
	#grid;
	#hearButton;
	/** @type {Map<string, Tile>} */
	#tiles = new Map();

	/**
	 * @param {HTMLElement} grid
	 * @param {HTMLButtonElement} hearButton shown when the browser wants a click before it plays sound
	 */
	constructor(grid, hearButton) {
		this.#grid = grid;
		this.#hearButton = hearButton;
		hearButton.addEventListener('click', () => this.#hear());
		new ResizeObserver(() => this.#arrange()).observe(grid);
	}

	/**
	 * @param {Person} user
	 * @returns {Tile}
	 */
	add(user) {
		const tile = new Tile(user, () => (this.#hearButton.hidden = false));
		this.#tiles.set(user.userId, tile);
		this.#grid.append(tile.element);
		this.#arrange();
		return tile;
	}

	/** @param {string} userId */
	get(userId) {
		return this.#tiles.get(userId);
	}

	/** @param {string} userId */
	remove(userId) {
		this.#tiles.get(userId)?.remove();
		this.#tiles.delete(userId);
		this.#arrange();
	}

	clear() {
		for (const userId of [...this.#tiles.keys()]) this.remove(userId);
		this.#hearButton.hidden = true;
	}

	/**
	 * To be called a few times a second, for what no event tells.
	 *
	 * @param {Map<string, number>} levels how loud each user is
	 */
	refresh(levels) {
		for (const [userId, tile] of this.#tiles) {
			tile.showPicture();
			tile.showSpeaking((levels.get(userId) ?? 0) > SPEAKING_LEVEL);
		}
	}

	#hear() {
		this.#hearButton.hidden = true;
		for (const tile of this.#tiles.values()) tile.hear();
	}

	/** As many columns as make the tiles largest. */
	#arrange() {
		const { clientWidth, clientHeight } = this.#grid;
		const count = this.#tiles.size;
		let best = { width: 0, height: 0 };
		for (let columns = 1; columns <= count; columns++) {
			const rows = Math.ceil(count / columns);
			let width = (clientWidth - GAP * (columns - 1)) / columns;
			let height = (clientHeight - GAP * (rows - 1)) / rows;
			if (width / height > WIDEST) width = height * WIDEST;
			if (width / height < NARROWEST) height = width / NARROWEST;
			if (width * height > best.width * best.height) best = { width, height };
		}
		this.#grid.style.setProperty('--tile-width', `${Math.floor(best.width)}px`);
		this.#grid.style.setProperty('--tile-height', `${Math.floor(best.height)}px`);
	}
}

/** One person: the picture, or initials where there is none, and a name. */
class Tile {
	element;
	#video;
	#state;
	#onSilenced;
	#own;

	/**
	 * @param {Person} user
	 * @param {() => void} onSilenced the browser plays no sound before a click
	 */
	constructor({ userId, userName, stream, own = false, mirrored = false }, onSilenced) {
		const template = /** @type {HTMLTemplateElement} */ (document.getElementById('tile-template'));
		const content = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.element = content.querySelector('figure');
		this.#video = content.querySelector('video');
		this.#state = content.querySelector('.tile-state');
		this.#onSilenced = onSilenced;
		this.#own = own;
		this.element.dataset.userId = userId;
		this.element.classList.toggle('mirrored', mirrored);
		this.element.style.setProperty('--hue', String(hueOf(userId)));
		content.querySelector('.avatar').textContent = initialsOf(userName);
		content.querySelector('.tile-name').textContent = own ? `${userName} (you)` : userName;
		this.#video.setAttribute('aria-label', own ? 'Your video' : `Video of ${userName}`);
		this.#video.muted = own;
		// Both fire when the first frame is there, `resize` also when a picture replaces sound alone.
		this.#video.onloadeddata = this.#video.onresize = () => this.showPicture();
		this.#video.srcObject = stream;
		void this.#play();
	}

	/**
	 * @param {object} state
	 * @param {boolean} [state.online] false while the user's socket is gone
	 * @param {boolean} [state.muted] cannot be heard; known of oneself only
	 */
	update({ online = true, muted = false }) {
		this.#state.textContent = online ? '' : 'Reconnecting…';
		this.element.classList.toggle('offline', !online);
		this.element.classList.toggle('muted', muted);
		this.showPicture();
		if (this.#video.paused) void this.#play();
	}

	/** @param {boolean} speaking */
	showSpeaking(speaking) {
		this.element.classList.toggle('speaking', speaking);
	}

	/** The picture where there is one, and the initials where there is none, or a black one. */
	showPicture() {
		const stream = /** @type {MediaStream | null} */ (this.#video.srcObject);
		const hasPicture = this.#video.videoWidth > 0 && (stream?.getVideoTracks().length ?? 0) > 0;
		this.element.classList.toggle('has-picture', hasPicture && !isBlack(this.#video));
	}

	/** To be called from a click. */
	hear() {
		this.#video.muted = this.#own;
		void this.#play();
	}

	remove() {
		this.#video.srcObject = null;
		this.element.remove();
	}

	async #play() {
		try {
			await this.#video.play();
		} catch (error) {
			if (error.name !== 'NotAllowedError' || this.#video.muted) return;
			// At least the picture, until there is a click.
			this.#video.muted = true;
			this.#onSilenced();
			await this.#play();
		}
	}
}

const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
probe.canvas.width = probe.canvas.height = 8;

/**
 * No message tells that somebody has switched the camera off: what comes is a black picture.
 *
 * @param {HTMLVideoElement} video
 */
function isBlack(video) {
	probe.drawImage(video, 0, 0, 8, 8);
	// Alpha is always 255.
	return probe.getImageData(0, 0, 8, 8).data.every((value, index) => index % 4 === 3 || value < BLACK);
}

/** @param {string} name */
function initialsOf(name) {
	const words = name.trim().split(/\s+/);
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
