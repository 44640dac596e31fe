const ADJECTIVES = [
	'amber',
	'bold',
	'calm',
	'clever',
	'coral',
	'gentle',
	'golden',
	'lucky',
	'quiet',
	'silver',
	'sunny',
	'swift',
];
const NOUNS = [
	'badger',
	'brook',
	'comet',
	'falcon',
	'harbor',
	'island',
	'lantern',
	'maple',
	'meadow',
	'otter',
	'pebble',
	'willow',
];

/** The first screen. It asks for a room and a name. */
export class JoinScreen {
	#element = document.getElementById('join');
	#room = /** @type {HTMLInputElement} */ (document.getElementById('join-room'));
	#name = /** @type {HTMLInputElement} */ (document.getElementById('join-name'));
	#submit = /** @type {HTMLButtonElement} */ (document.getElementById('join-submit'));
	#error = document.getElementById('join-error');

	/** @param {(choice: {roomId: string, userName: string}) => void} onJoin */
	constructor(onJoin) {
		this.#room.value = roomFromLocation() || randomRoom();
		this.#name.value = remembered('localStorage', 'userName') ?? '';
		(this.#name.value === '' ? this.#name : this.#submit).focus();
		window.addEventListener('hashchange', () => {
			this.#room.value = roomFromLocation() || this.#room.value;
		});
		document.getElementById('join-shuffle').addEventListener('click', () => {
			this.#room.value = randomRoom();
		});
		document.getElementById('join-form').addEventListener('submit', (event) => {
			event.preventDefault();
			const roomId = this.#room.value.trim();
			const userName = this.#name.value.trim();
			if (roomId === '' || userName === '') {
				this.#error.textContent = 'Both fields need some text.';
				return;
			}
			remember('localStorage', 'userName', userName);
			this.#setBusy(true);
			onJoin({ roomId, userName });
		});
	}

	/** @param {string} [error] why the call has ended */
	show(error = '') {
		this.#error.textContent = error;
		this.#setBusy(false);
		this.#element.hidden = false;
		this.#submit.focus();
	}

	hide() {
		this.#element.hidden = true;
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		if (busy) this.#error.textContent = '';
		this.#submit.disabled = busy;
		this.#submit.textContent = busy ? 'Joining…' : 'Join';
	}
}

/**
 * The link that leads into a room.
 *
 * @param {string} roomId
 */
export function linkTo(roomId) {
	return `${location.origin}${location.pathname}#${encodeURIComponent(roomId)}`;
}

/** @returns {string} the room that `#room` or `?room=room` names in the address, or an empty string */
export function roomFromLocation() {
	try {
		const room = decodeURIComponent(location.hash.slice(1)) || new URLSearchParams(location.search).get('room');
		return (room ?? '').trim().slice(0, 64);
	} catch {
		return '';
	}
}

/**
 * Finds the id that this tab keeps over reconnections and reloads. A duplicated tab gets a copy of the sessionStorage
 * of the first tab, and must have another id. A lock tells it that the id is taken.
 *
 * @returns {Promise<string>}
 */
export async function ownUserId() {
	const stored = remembered('sessionStorage', 'userId');
	if (stored !== null && (await claim(stored))) return stored;
	const userId = [...crypto.getRandomValues(new Uint8Array(8))]
		.map((byte) => byte.toString(16).padStart(2, '0'))
		.join('');
	await claim(userId);
	remember('sessionStorage', 'userId', userId);
	return userId;
}

/** @type {string | undefined} */
let claimed;

/**
 * @param {string} userId
 * @returns {Promise<boolean>} false when another tab has it
 */
function claim(userId) {
	// Browsers give pages on plain http no locks, except on localhost.
	if (claimed === userId || !navigator.locks) return Promise.resolve(true);
	return new Promise((resolve) => {
		void navigator.locks.request(`user ${userId}`, { ifAvailable: true }, (lock) => {
			if (lock) claimed = userId;
			resolve(lock !== null);
			// The tab holds the lock until it is closed.
			return lock ? new Promise(() => {}) : undefined;
		});
	});
}

function randomRoom() {
	const [first, second, third] = crypto.getRandomValues(new Uint32Array(3));
	return `${ADJECTIVES[first % ADJECTIVES.length]}-${NOUNS[second % NOUNS.length]}-${10 + (third % 90)}`;
}

/**
 * @param {'localStorage' | 'sessionStorage'} storage
 * @param {string} key
 */
function remembered(storage, key) {
	try {
		return window[storage].getItem(key);
	} catch {
		return null;
	}
}

/**
 * @param {'localStorage' | 'sessionStorage'} storage
 * @param {string} key
 * @param {string} value
 */
function remember(storage, key, value) {
	try {
		window[storage].setItem(key, value);
	} catch {
		// The user has switched storage off. The page works without it.
	}
}
