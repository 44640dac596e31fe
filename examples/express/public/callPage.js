import { Chat } from './chat.js';
import { linkTo } from './join.js';
import { showNotice } from './notices.js';
import { canShareScreen, captureScreen } from './screen.js';
import { Tiles } from './tiles.js';
import { viewOf } from './view.js';

const LEVELS_MS = 200;

/** @param {string} id */
const byId = (id) => document.getElementById(id);

/** The page during a call. It draws the state of the call whenever the call says that it has changed. */
export class CallPage {
	#tiles = new Tiles(byId('tiles'), /** @type {HTMLButtonElement} */ (byId('hear')));
	#chat = new Chat((message) => this.#sendText(message));
	/** @type {import('./call.js').Call | undefined} */
	#call;
	/** @type {import('./media.js').LocalMedia | undefined} */
	#media;
	/** @type {Awaited<ReturnType<typeof captureScreen>>} */
	#screen;
	#muted = { audio: false, video: false };
	#drawing = false;
	/** @type {number | undefined} */
	#levels;

	constructor() {
		byId('leave').addEventListener('click', () => this.#call?.leave());
		byId('toggle-audio').addEventListener('click', () => this.#toggle('audio', 'microphone'));
		byId('toggle-video').addEventListener('click', () => this.#toggle('video', 'camera'));
		byId('toggle-screen').addEventListener(
			'click',
			() => void (this.#screen ? this.#stopScreen() : this.#startScreen()),
		);
		byId('toggle-screen').hidden = !canShareScreen();
		byId('copy-link').addEventListener('click', () => void this.#copyLink());
	}

	/**
	 * @param {import('./call.js').Call} call
	 * @param {import('./media.js').LocalMedia} media
	 */
	show(call, media) {
		const { roomId } = call.identity;
		this.#call = call;
		this.#media = media;
		this.#muted = { audio: false, video: false };
		call.addEventListener('changed', () => this.#drawSoon());
		call.addEventListener('left', (event) => {
			showNotice(`${/** @type {CustomEvent} */ (event).detail.userName} has left.`);
		});
		call.addEventListener('textMessage', (event) => this.#receiveText(/** @type {CustomEvent} */ (event).detail));
		this.#levels = setInterval(() => void this.#showLevels(call), LEVELS_MS);
		history.replaceState(null, '', linkTo(roomId));
		document.title = `${roomId} · sfu-rooms`;
		byId('room-name').textContent = roomId;
		byId('call').hidden = false;
		byId('toggle-audio').focus();
		this.#draw();
	}

	hide() {
		clearInterval(this.#levels);
		this.#screen?.stop();
		this.#call = this.#media = this.#screen = undefined;
		byId('call').hidden = true;
		this.#tiles.clear();
		this.#chat.clear();
		document.title = 'sfu-rooms';
	}

	/** Draws once for all changes of the moment. */
	#drawSoon() {
		if (this.#drawing) return;
		this.#drawing = true;
		queueMicrotask(() => {
			this.#drawing = false;
			this.#draw();
		});
	}

	#draw() {
		if (!this.#call) return;
		const { status, people } = this.#call;
		const count = people.size + 1;
		byId('status').textContent = status.text;
		byId('status').dataset.level = status.level;
		byId('people').textContent = count === 1 ? '1 person' : `${count} people`;
		byId('alone').hidden = count > 1;
		const { audio, video } = this.#muted;
		showControl('toggle-audio', audio ? 'icon-mic-off' : 'icon-mic', audio ? 'Unmute' : 'Mute', { off: audio });
		showControl('toggle-video', video ? 'icon-camera-off' : 'icon-camera', video ? 'Start video' : 'Stop video', {
			off: video,
		});
		const shares = this.#screen !== undefined;
		showControl('toggle-screen', shares ? 'icon-screen-off' : 'icon-screen', shares ? 'Stop sharing' : 'Share screen', {
			on: shares,
		});
		this.#tiles.show(viewOf(this.#call, { ...this.#media, screen: this.#screen, muted: this.#muted }));
	}

	/** No event tells how loud somebody is. */
	async #showLevels(/** @type {import('./call.js').Call} */ call) {
		if (document.hidden) return;
		const [own] = await Promise.all([call.uplink.audioLevel(), call.downlink.measureLevels()]);
		if (call !== this.#call) return;
		this.#tiles.showLevels(({ key, own: isOwn, audioPusherId }) => {
			if (isOwn) return key === call.identity.userId ? own : 0;
			return audioPusherId ? call.downlink.audioLevel(audioPusherId) : 0;
		});
	}

	/**
	 * @param {'audio' | 'video'} kind
	 * @param {string} source
	 */
	#toggle(kind, source) {
		if (!this.#call) return;
		this.#muted[kind] = !this.#muted[kind];
		this.#call.uplink.setPaused(source, this.#muted[kind]);
		this.#draw();
	}

	async #startScreen() {
		const call = this.#call;
		try {
			const screen = await captureScreen(() => this.#stopScreen());
			if (!screen) return;
			if (!call || call !== this.#call || this.#screen) {
				screen.stop();
				return;
			}
			this.#screen = screen;
			call.uplink.add({ screen: screen.video, screenAudio: screen.audio });
			this.#draw();
		} catch (error) {
			showNotice(`The screen cannot be shared: ${error.message}`, { problem: true });
		}
	}

	#stopScreen() {
		this.#screen?.stop();
		this.#screen = undefined;
		this.#call?.uplink.remove(['screen', 'screenAudio']);
		this.#draw();
	}

	/** @param {{userId: string, userName: string, message: string, time: number}} message */
	#receiveText({ userId, userName, message, time }) {
		const name = this.#call.people.get(userId)?.userName ?? String(userName);
		this.#chat.add({ userName: name, message: String(message), time });
	}

	/** @param {string} message */
	#sendText(message) {
		if (!this.#call) return false;
		try {
			this.#call.sendText(message);
		} catch (error) {
			showNotice(`Not sent: ${error.message}`, { problem: true });
			return false;
		}
		this.#chat.add({ userName: this.#call.identity.userName, message, time: Date.now(), own: true });
		return true;
	}

	async #copyLink() {
		const link = linkTo(this.#call.identity.roomId);
		try {
			await navigator.clipboard.writeText(link);
			showNotice('Link copied. Everybody who opens it can join.');
		} catch {
			// Browsers give pages on plain http no clipboard, except on localhost.
			showNotice(`The link of this room: ${link}`);
		}
	}
}

/**
 * @param {string} id
 * @param {string} icon
 * @param {string} text
 * @param {{off?: boolean, on?: boolean}} state
 */
function showControl(id, icon, text, { off = false, on = false }) {
	const button = byId(id);
	button.querySelector('use').setAttribute('href', `#${icon}`);
	button.querySelector('span').textContent = text;
	button.classList.toggle('off', off);
	button.classList.toggle('on', on);
}
