/** A request that was refused (`code` as in HTTP), or that got no answer because the connection went away (0). */
export class RequestError extends Error {
	/**
	 * @param {number} code
	 * @param {string} reason
	 */
	constructor(code, reason) {
		super(reason);
		this.name = 'RequestError';
		this.code = code;
	}
}

const FIRST_RECONNECT_MS = 500;
const LAST_RECONNECT_MS = 10_000;
const OPEN_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** The server closes a socket with this when the same user has joined on another one. */
const CLOSE_CODE_REPLACED = 4000;
/** Ours, when we give a socket up: not 1000, which tells the server that the user has left. */
const CLOSE_CODE_RECONNECTING = 4001;

/**
 * protoo 4 on a WebSocket that comes back by itself. It knows requests and notifications, and nothing of rooms.
 *
 * Events: `open`, each time there is a connection; `lost`, each time there is none any more or still; `replaced`, when
 * the user has joined elsewhere and the connection must not come back; `notification`, with `detail: {method, data}`.
 */
export class Signaling extends EventTarget {
	#url;
	/** @type {WebSocket | undefined} */
	#socket;
	/** @type {Map<number, {resolve: (data: any) => void, reject: (error: Error) => void, timer: number}>} */
	#requests = new Map();
	#failures = 0;
	/** @type {number | undefined} */
	#timer;
	#closed = false;

	/** @param {string} url */
	constructor(url) {
		super();
		this.#url = url;
		window.addEventListener('online', this.#hurry);
	}

	get isOpen() {
		return this.#socket?.readyState === WebSocket.OPEN;
	}

	connect() {
		clearTimeout(this.#timer);
		if (this.#closed) return;
		const socket = new WebSocket(this.#url, 'protoo');
		this.#socket = socket;
		this.#timer = setTimeout(() => this.reconnect(), OPEN_TIMEOUT_MS);
		socket.onopen = () => {
			clearTimeout(this.#timer);
			this.dispatchEvent(new Event('open'));
		};
		socket.onmessage = ({ data }) => this.#receive(data);
		socket.onclose = ({ code }) => {
			// Coming back would take the user away from the other page, which would come back too, and so on.
			if (code === CLOSE_CODE_REPLACED) this.dispatchEvent(new Event('replaced'));
			else this.reconnect();
		};
	}

	/** Gives the socket up without waiting for its close (which a dead network never delivers), and opens another. */
	reconnect() {
		if (this.#closed) return;
		this.#drop(CLOSE_CODE_RECONNECTING);
		const longest = Math.min(FIRST_RECONNECT_MS * 2 ** this.#failures++, LAST_RECONNECT_MS);
		// Half of it is random, or all the clients of a server that restarts would come back at the same moment.
		this.#timer = setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2));
		this.dispatchEvent(new Event('lost'));
	}

	close() {
		if (this.#closed) return;
		this.#closed = true;
		window.removeEventListener('online', this.#hurry);
		this.#drop(1000);
	}

	/**
	 * @param {string} method
	 * @param {object} data
	 * @param {number} [timeout] in milliseconds
	 * @returns {Promise<any>} the response's data
	 */
	request(method, data, timeout = REQUEST_TIMEOUT_MS) {
		return new Promise((resolve, reject) => {
			if (!this.isOpen) {
				reject(new RequestError(0, 'There is no connection to the server.'));
				return;
			}
			const id = crypto.getRandomValues(new Uint32Array(1))[0];
			const timer = setTimeout(() => {
				this.#requests.delete(id);
				reject(new RequestError(0, 'The server does not answer.'));
			}, timeout);
			this.#requests.set(id, { resolve, reject, timer });
			this.#send({ request: true, id, method, data });
		});
	}

	/**
	 * @param {string} method
	 * @param {object} data
	 */
	notify(method, data) {
		if (!this.isOpen) throw new RequestError(0, 'There is no connection to the server.');
		this.#send({ notification: true, method, data });
	}

	/** @param {object} message */
	#send(message) {
		this.#socket?.send(JSON.stringify(message));
	}

	/** @param {string} text */
	#receive(text) {
		let message;
		try {
			message = JSON.parse(text);
		} catch {
			return;
		}
		if (message?.response === true) {
			const request = this.#requests.get(message.id);
			if (!request) return;
			this.#requests.delete(message.id);
			clearTimeout(request.timer);
			if (message.ok === true) {
				this.#failures = 0;
				request.resolve(message.data);
			} else {
				request.reject(new RequestError(message.errorCode, message.errorReason));
			}
		} else if (message?.request === true) {
			// This page asks for nothing that would make the server request something of it.
			this.#send({ response: true, id: message.id, ok: false, errorCode: 404, errorReason: 'unknown method' });
		} else if (message?.notification === true) {
			this.dispatchEvent(new CustomEvent('notification', { detail: message }));
		}
	}

	/** @param {number} code */
	#drop(code) {
		clearTimeout(this.#timer);
		const socket = this.#socket;
		this.#socket = undefined;
		if (socket) {
			socket.onopen = socket.onmessage = socket.onclose = null;
			socket.close(code);
		}
		for (const { reject, timer } of this.#requests.values()) {
			clearTimeout(timer);
			reject(new RequestError(0, 'The connection to the server was lost.'));
		}
		this.#requests.clear();
	}

	#hurry = () => {
		if (!this.#socket) this.connect();
	};
}
