/** The server refused a request (`code` as in HTTP), or the connection ended before it answered (`code` 0). */
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
/** The server closes all sockets with this code when it stops. */
const CLOSE_CODE_GOING_AWAY = 1001;
/** The server closes a socket with this code when the same user has joined on another one. */
const CLOSE_CODE_REPLACED = 4000;
/** This page closes a dead socket with this code. It is not 1000, which tells the server that the user has left. */
const CLOSE_CODE_RECONNECTING = 4001;

/**
 * Sends and receives protoo messages on a WebSocket, and opens another WebSocket when that one is lost. It knows
 * nothing about rooms.
 *
 * Events:
 * - `open`: there is a connection.
 * - `lost`: there is no connection, and the next attempt is scheduled.
 * - `moved`: there is a connection to another server in place of the one before, whose socket stays open until a request
 *   on the new one has succeeded.
 * - `replaced`: the user has joined on another page, and this page must not connect again.
 * - `notification`, with `detail: {method, data}`.
 */
export class Signaling extends EventTarget {
	/**
	 * Answers the server's requests. An error that it throws is sent as the failure.
	 *
	 * @type {(method: string, data: any) => Promise<object>}
	 */
	onRequest = async (method) => {
		throw new RequestError(404, `There is no method ${method}.`);
	};
	#url;
	/** The hosts of the servers that share their rooms, the one of the socket among them. @type {string[]} */
	#nodes = [];
	/** @type {WebSocket | undefined} */
	#socket;
	/** To the server that the page moves to, until it is open. @type {WebSocket | undefined} */
	#next;
	/** To the server that the page has moved away from. @type {WebSocket | undefined} */
	#previous;
	/** @type {Map<number, {resolve: (data: any) => void, reject: (error: Error) => void, timer: number}>} */
	#requests = new Map();
	#failures = 0;
	/** @type {number | undefined} */
	#timer;
	/** @type {number | undefined} */
	#moveTimer;
	#closed = false;

	/** @param {string} url */
	constructor(url) {
		super();
		this.#url = new URL(url);
		window.addEventListener('online', this.#connectNow);
	}

	get isOpen() {
		return this.#socket?.readyState === WebSocket.OPEN;
	}

	/**
	 * Where to connect when a socket is lost: to the servers that share their rooms.
	 *
	 * @param {{node: string, nodes: string[]}} hosts `node`: the server of the socket
	 */
	setNodes({ node, nodes }) {
		this.#nodes = nodes;
		this.#url.host = node;
	}

	connect() {
		clearTimeout(this.#timer);
		if (this.#closed) return;
		const socket = new WebSocket(this.#url, 'protoo');
		this.#socket = socket;
		this.#timer = setTimeout(() => this.reconnect({ elsewhere: true }), OPEN_TIMEOUT_MS);
		// Where nobody listens any more, another server may.
		socket.onclose = () => this.reconnect({ elsewhere: true });
		socket.onopen = () => {
			clearTimeout(this.#timer);
			this.#use(socket);
			this.dispatchEvent(new Event('open'));
		};
	}

	/**
	 * Abandons the socket without waiting for its close event, which a dead network never delivers.
	 *
	 * @param {{atOnce?: boolean, elsewhere?: boolean}} [options] `atOnce`: to connect without a delay, unless that has
	 *   failed before; `elsewhere`: to another server, if there is one
	 */
	reconnect({ atOnce = false, elsewhere = false } = {}) {
		if (this.#closed) return;
		this.#drop(CLOSE_CODE_RECONNECTING);
		if (elsewhere) this.#url = this.#after(this.#url);
		const rounds = Math.floor(this.#failures / Math.max(this.#nodes.length, 1));
		const longest = atOnce && this.#failures === 0 ? 0 : Math.min(FIRST_RECONNECT_MS * 2 ** rounds, LAST_RECONNECT_MS);
		this.#failures++;
		// Half of the delay is random. Otherwise all clients of a restarted server would connect at the same moment.
		this.#timer = setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2));
		this.dispatchEvent(new Event('lost'));
	}

	/** Opens a socket to another server while this one goes on, and goes over to it. Without another server it stays. */
	move(from = this.#url) {
		clearTimeout(this.#moveTimer);
		let url = this.#after(from);
		if (url.host === this.#url.host) url = this.#after(url);
		if (this.#closed || this.#next || url.host === this.#url.host) return;
		const socket = new WebSocket(url, 'protoo');
		this.#next = socket;
		socket.onclose = () => {
			this.#next = undefined;
			this.#moveTimer = setTimeout(() => this.move(url), FIRST_RECONNECT_MS);
		};
		socket.onopen = () => {
			this.#next = undefined;
			this.#release(this.#previous, CLOSE_CODE_RECONNECTING);
			this.#previous = this.#socket;
			if (this.#previous) this.#previous.onmessage = this.#previous.onclose = null;
			this.#rejectRequests();
			this.#socket = socket;
			this.#url = url;
			this.#use(socket);
			this.dispatchEvent(new Event('moved'));
		};
	}

	close() {
		if (this.#closed) return;
		this.#closed = true;
		window.removeEventListener('online', this.#connectNow);
		this.#release(this.#previous, 1000);
		this.#drop(1000);
	}

	/**
	 * @param {string} method
	 * @param {object} data
	 * @param {number} [timeout] in milliseconds
	 * @returns {Promise<any>} the data of the response
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
	 * @throws {RequestError} when there is no connection
	 */
	notify(method, data) {
		if (!this.isOpen) throw new RequestError(0, 'There is no connection to the server.');
		this.#send({ notification: true, method, data });
	}

	/** @param {object} message */
	#send(message) {
		this.#socket?.send(JSON.stringify(message));
	}

	/** Takes the messages of a socket that is open. */
	#use(/** @type {WebSocket} */ socket) {
		socket.onmessage = ({ data }) => this.#receive(data);
		socket.onclose = ({ code }) => {
			// To connect again would take the user away from the other page, which would connect again too, and so on.
			if (code === CLOSE_CODE_REPLACED) this.dispatchEvent(new Event('replaced'));
			else this.reconnect({ elsewhere: code === CLOSE_CODE_GOING_AWAY });
		};
	}

	/** The address of the server whose turn is after this one. */
	#after(/** @type {URL} */ url) {
		const next = new URL(url);
		next.host = this.#nodes[(this.#nodes.indexOf(url.host) + 1) % this.#nodes.length] ?? url.host;
		return next;
	}

	/** @param {string} text */
	#receive(text) {
		let message;
		try {
			message = JSON.parse(text);
		} catch {
			return;
		}
		if (message?.response === true) this.#settle(message);
		else if (message?.request === true) void this.#answer(message);
		else if (message?.notification === true) {
			this.dispatchEvent(new CustomEvent('notification', { detail: message }));
		}
	}

	/** @param {{id: number, ok: boolean, data?: object, errorCode?: number, errorReason?: string}} response */
	#settle({ id, ok, data, errorCode, errorReason }) {
		const request = this.#requests.get(id);
		if (!request) return;
		this.#requests.delete(id);
		clearTimeout(request.timer);
		if (ok) {
			this.#failures = 0;
			this.#release(this.#previous, CLOSE_CODE_RECONNECTING);
			this.#previous = undefined;
			request.resolve(data);
		} else {
			request.reject(new RequestError(errorCode, errorReason));
		}
	}

	/** @param {{id: number, method: string, data: object}} request */
	async #answer({ id, method, data }) {
		const socket = this.#socket;
		const response = await this.onRequest(method, data).then(
			(result) => ({ ok: true, data: result }),
			(error) => ({ ok: false, errorCode: error.code > 0 ? error.code : 500, errorReason: error.message }),
		);
		// The server asks again on the next socket.
		if (socket === this.#socket) this.#send({ response: true, id, ...response });
	}

	/** @param {number} code */
	#drop(code) {
		clearTimeout(this.#timer);
		clearTimeout(this.#moveTimer);
		const sockets = [this.#socket, this.#next];
		this.#socket = this.#next = undefined;
		for (const socket of sockets) this.#release(socket, code);
		this.#rejectRequests();
	}

	/**
	 * @param {WebSocket | undefined} socket
	 * @param {number} code
	 */
	#release(socket, code) {
		if (!socket) return;
		socket.onopen = socket.onmessage = socket.onclose = null;
		socket.close(code);
	}

	#rejectRequests() {
		for (const { reject, timer } of this.#requests.values()) {
			clearTimeout(timer);
			reject(new RequestError(0, 'The connection to the server was lost.'));
		}
		this.#requests.clear();
	}

	#connectNow = () => {
		if (this.isOpen) return;
		// What began to connect before the network came back may wait for a long time.
		this.#drop(CLOSE_CODE_RECONNECTING);
		this.connect();
	};
}
