import { Chat } from './chat.js';
import { linkTo } from './join.js';
import { Levels } from './levels.js';
import { showNotice } from './notices.js';
import { Tiles } from './tiles.js';
import { viewOf } from './view.js';

const LEVELS_MS = 200;
/** Media that does not connect in this time may never do so. */
const CONNECT_MS = 12_000;

/** @param {string} id */
const byId = (id) => document.getElementById(id);

/** The page during a call. It draws the state of the call whenever the call says that it has changed. */
export class CallPage {
	#tiles = new Tiles(byId('tiles'));
	#chat = new Chat((message) => this.#sendText(message));
	#levels = new Levels();
	/** @type {import('sfu-rooms/client').Call | undefined} */
	#call;
	/** @type {import('./media.js').LocalMedia | undefined} */
	#media;
	/** How well each direction works. @type {Record<'send' | 'receive', string>} */
	#quality = { send: 'excellent', receive: 'excellent' };
	/** Plays what the browser has not let play. @type {(() => Promise<void>) | undefined} */
	#hear;
	/** @type {number | undefined} */
	#measuring;
	/** @type {number | undefined} */
	#connecting;

	constructor() {
		byId('leave').addEventListener('click', () => this.#call?.leave());
		byId('toggle-audio').addEventListener('click', () => this.#toggle('microphone'));
		byId('toggle-video').addEventListener('click', () => this.#toggle('camera'));
		byId('toggle-screen').addEventListener('click', () => void this.#toggleScreen());
		// Browsers of phones cannot share a screen, and no browser can on plain http.
		byId('toggle-screen').hidden = navigator.mediaDevices?.getDisplayMedia === undefined;
		byId('hear').addEventListener('click', () => {
			byId('hear').hidden = true;
			void this.#hear?.();
		});
		byId('copy-link').addEventListener('click', () => void this.#copyLink());
	}

	/**
	 * @param {import('sfu-rooms/client').Call} call
	 * @param {import('./media.js').LocalMedia} media
	 */
	show(call, media) {
		const { roomId } = call;
		this.#call = call;
		this.#media = media;
		this.#quality = { send: 'excellent', receive: 'excellent' };
		call.on('change', () => this.#draw());
		call.on('userLeft', ({ userName }) => showNotice(`${userName} has left.`));
		call.on('message', (message) => this.#chat.add(message));
		call.on('quality', ({ direction, quality }) => (this.#quality[direction] = quality));
		call.on('audioBlocked', ({ resume }) => {
			this.#hear = resume;
			byId('hear').hidden = false;
		});
		this.#measuring = setInterval(() => void this.#showLevels(call), LEVELS_MS);
		history.replaceState(null, '', linkTo(roomId));
		document.title = `${roomId} · sfu-rooms`;
		byId('room-name').textContent = roomId;
		byId('call').hidden = false;
		byId('toggle-audio').focus();
		this.#draw();
	}

	hide() {
		clearInterval(this.#measuring);
		clearTimeout(this.#connecting);
		this.#call = this.#media = this.#connecting = this.#hear = undefined;
		byId('call').hidden = byId('hear').hidden = true;
		this.#tiles.clear();
		this.#chat.clear();
		document.title = 'sfu-rooms';
	}

	#draw() {
		if (!this.#call) return;
		const { users, local, media } = this.#call;
		const count = users.size + 1;
		const status = statusOf(this.#call);
		byId('status').textContent = status;
		byId('status').dataset.level = status === 'Connected' ? 'good' : 'busy';
		this.#watchConnecting(status === CONNECTING);
		byId('people').textContent = count === 1 ? '1 person' : `${count} people`;
		byId('alone').hidden = count > 1;
		const audio = local.get('microphone')?.muted ?? false;
		const video = local.get('camera')?.muted ?? false;
		showControl('toggle-audio', audio ? 'icon-mic-off' : 'icon-mic', audio ? 'Unmute' : 'Mute', { off: audio });
		showControl('toggle-video', video ? 'icon-camera-off' : 'icon-camera', video ? 'Start video' : 'Stop video', {
			off: video,
		});
		const shares = local.has('screen');
		showControl('toggle-screen', shares ? 'icon-screen-off' : 'icon-screen', shares ? 'Stop sharing' : 'Share screen', {
			on: shares,
		});
		// What comes next begins well.
		for (const direction of ['send', 'receive']) {
			if (media[direction] !== 'connected') this.#quality[direction] = 'excellent';
		}
		const { send, receive } = this.#quality;
		const quality = [
			send === 'excellent' ? '' : `Sending: ${send}`,
			receive === 'excellent' ? '' : `Receiving: ${receive}`,
		];
		this.#tiles.show(viewOf(this.#call, this.#media, quality.filter(Boolean)));
	}

	/** A server with a wrong address for media, or a firewall: the call tries on, and the user should know. */
	#watchConnecting(/** @type {boolean} */ isConnecting) {
		if (!isConnecting) {
			clearTimeout(this.#connecting);
			this.#connecting = undefined;
		} else {
			this.#connecting ??= setTimeout(() => {
				showNotice("Media trouble: nothing gets through to the server's media address.", { problem: true });
			}, CONNECT_MS);
		}
	}

	/** No event tells how loud somebody is. */
	async #showLevels(/** @type {import('sfu-rooms/client').Call} */ call) {
		if (document.hidden) return;
		await this.#levels.measure(call);
		if (call === this.#call) this.#tiles.showLevels(({ sound }) => this.#levels.of(sound));
	}

	/** @param {string} source */
	#toggle(source) {
		const local = this.#call?.local.get(source);
		void (local?.muted ? local.unmute() : local?.mute());
	}

	async #toggleScreen() {
		const { local } = this.#call;
		try {
			if (local.has('screen')) await Promise.all([local.get('screen').stop(), local.get('screenAudio')?.stop()]);
			else await this.#call.shareScreen();
		} catch (error) {
			// The user has chosen nothing.
			if (error.name === 'NotAllowedError') return;
			showNotice(`The screen cannot be shared: ${error.message}`, { problem: true });
		}
	}

	/** @param {string} message */
	async #sendText(message) {
		const call = this.#call;
		try {
			await call.send(message);
		} catch (error) {
			showNotice(`Not sent: ${error.message}`, { problem: true });
			return false;
		}
		if (call === this.#call) this.#chat.add({ userName: call.userName, message, time: Date.now(), own: true });
		return true;
	}

	async #copyLink() {
		const link = linkTo(this.#call.roomId);
		try {
			await navigator.clipboard.writeText(link);
			showNotice('Link copied. Everybody who opens it can join.');
		} catch {
			// Browsers give pages on plain http no clipboard, except on localhost.
			showNotice(`The link of this room: ${link}`);
		}
	}
}

const CONNECTING = 'Connecting media…';

/** @param {import('sfu-rooms/client').Call} call */
function statusOf({ state, local, media: { send, receive } }) {
	if (state !== 'connected') return 'Reconnecting…';
	if (local.size === 0) return 'Not sending';
	return send === 'connected' && receive !== 'connecting' ? 'Connected' : CONNECTING;
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
