import { backOff } from './client.js';

/** A server closes all sockets with this code when it stops. */
const GOING_AWAY = 1001;

/**
 * Chooses the server, where several share their rooms. They tell the page which ones there are, by the message `nodes` of the
 * app when it has joined. `url`, `webSocket` and `retry` are options of the call.
 */
export class Nodes {
	/** The server that the page has joined, if there are several. @type {string | undefined} */
	#current;
	/** @type {string[]} */
	#hosts = [];
	/** The one that was tried last. */
	#host = location.host;
	/** Whether that one is tried again. */
	#stays = true;

	url = () => {
		if (!this.#stays) this.#host = this.#next();
		this.#stays = false;
		return `${location.protocol.replace('http', 'ws')}//${this.#host}/webrtc`;
	};

	/** @param {string} url */
	webSocket = (url) => {
		const socket = new WebSocket(url, 'protoo');
		socket.addEventListener('message', ({ data }) => {
			const { method, data: message } = JSON.parse(data);
			if (method !== 'appMessage' || message.name !== 'nodes') return;
			this.#hosts = message.data.nodes;
			this.#host = this.#current = message.data.node;
		});
		return socket;
	};

	/**
	 * @param {number} attempt
	 * @param {import('sfu-rooms/client').LostSocket} lost
	 */
	retry = (attempt, { code }) => {
		this.#current = undefined;
		// Only the network may be gone.
		this.#stays = attempt === 0 && code !== GOING_AWAY;
		return backOff(Math.floor(attempt / Math.max(this.#hosts.length, 1)));
	};

	/** The one whose turn it is. Who leaves a server does not go there again. */
	#next() {
		const hosts = this.#hosts.filter((host) => host === this.#host || host !== this.#current);
		return hosts[(hosts.indexOf(this.#host) + 1) % hosts.length] ?? this.#host;
	}
}
