import { RequestError } from './signaling.js';

/** Browsers themselves give up later, Chromium after 15 s. It doubles with each failure, for machines that are slow. */
const CONNECT_TIMEOUT_MS = 12_000;
const LAST_CONNECT_TIMEOUT_MS = 60_000;
const LISTEN_MS = 500;
/** So many times in a row nothing has arrived on a connection that is silent. */
const SILENT_TIMES = 3;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

/** @typedef {(method: string, data?: object) => Promise<any>} Request sends a request on behalf of the user */

/**
 * Keeps an RTCPeerConnection alive. Uplink and Downlink extend it: they say how a connection begins and how its ICE
 * restarts.
 *
 * Events:
 *
 * - `changed`: the state, the quality or the media of the link has changed
 * - `silent`: nothing arrives any more; the network may be gone, or the others send nothing
 * - `disconnected`: the browser has noticed that the network is gone
 * - `problem`: the `detail` is a text to show
 */
export class Link extends EventTarget {
	/** The server's id of the connection, once the server has given it. */
	connectionId = /** @type {string | undefined} */ (undefined);
	/** The server measures it. */
	quality = /** @type {'excellent' | 'good' | 'poor' | 'lost'} */ ('excellent');
	request;
	/** @type {RTCPeerConnection | undefined} */
	#connection;
	/** What the next open() takes. @type {RTCPeerConnection | undefined} */
	#prepared;
	/** @type {number | undefined} */
	#timer;
	/** @type {number | undefined} */
	#listener;
	/** The bytes of media that have arrived so far, and how many times in a row there were no more of them. */
	#heard = { bytes: 0, silent: 0 };
	#failures = 0;
	/** Whether a restart of ICE is being negotiated. */
	#restarting = false;
	/** Whether ICE was restarted, and has not connected since. */
	#restarted = false;

	/** @param {Request} request */
	constructor(request) {
		super();
		this.request = request;
	}

	get connection() {
		return this.#connection;
	}

	/** @returns {'idle' | 'connecting' | 'connected' | 'down'} `idle` when there is nothing to connect for */
	get state() {
		if (!this.#connection) return 'down';
		const { connectionState } = this.#connection;
		if (connectionState === 'connected') return 'connected';
		return connectionState === 'new' ? 'idle' : 'connecting';
	}

	/** Whether nothing has arrived for a while on a connection that is open. */
	get isSilent() {
		return this.#heard.silent >= SILENT_TIMES;
	}

	/** Makes an RTCPeerConnection ready for the next open(), while the current one goes on. */
	async prepare() {
		this.discard();
		const connection = new RTCPeerConnection();
		this.#prepared = connection;
		// One that is discarded meanwhile fails.
		await this.ready(connection).catch(() => undefined);
	}

	/** Takes prepare() back. */
	discard() {
		this.#prepared?.close();
		this.#prepared = undefined;
	}

	/** Opens an RTCPeerConnection in place of the current one. */
	async open() {
		const connection = this.#prepared ?? new RTCPeerConnection();
		this.#prepared = undefined;
		this.close();
		this.#connection = connection;
		connection.onconnectionstatechange = () => this.#watch(connection);
		this.#listener = setInterval(() => void this.#listen(connection), LISTEN_MS);
		await this.attempt(connection, () => this.begin(connection));
	}

	close() {
		clearTimeout(this.#timer);
		clearInterval(this.#listener);
		this.discard();
		const connection = this.#connection;
		this.#connection = undefined;
		this.#heard = { bytes: 0, silent: 0 };
		this.#restarting = this.#restarted = false;
		this.connectionId = undefined;
		this.quality = 'excellent';
		if (!connection) return;
		connection.onconnectionstatechange = null;
		connection.close();
	}

	/**
	 * Repairs what broke while there was no socket to repair it by.
	 *
	 * @param {{restart?: boolean}} [options] `restart`: to restart ICE although the connection seems to work
	 */
	async check({ restart = false } = {}) {
		const state = this.#connection?.connectionState;
		if (state === undefined) await this.open();
		else if (restart || state === 'failed' || state === 'disconnected' || this.isSilent) await this.restart();
	}

	/** Restarts ICE, if there is a connection that ever began to connect, and its ICE is not being restarted. */
	async restart() {
		const connection = this.#connection;
		if (!connection || connection.connectionState === 'new' || this.#restarting) return;
		const again = this.#restarted && this.state !== 'connected';
		this.#restarting = this.#restarted = true;
		this.expectConnected();
		await this.attempt(connection, () => this.restartIce(connection, again));
		if (connection === this.#connection) this.#restarting = false;
	}

	/** @param {'excellent' | 'good' | 'poor' | 'lost'} quality */
	setQuality(quality) {
		this.quality = quality;
		this.changed();
	}

	/**
	 * Does what needs no server; a subclass does it.
	 *
	 * @param {RTCPeerConnection} _connection
	 * @returns {Promise<void>}
	 */
	async ready(_connection) {}

	/**
	 * Begins to send or receive; a subclass does it.
	 *
	 * @param {RTCPeerConnection} _connection
	 * @returns {Promise<void>}
	 */
	async begin(_connection) {}

	/**
	 * Restarts ICE; a subclass does it.
	 *
	 * @param {RTCPeerConnection} _connection
	 * @param {boolean} _again whether the last restart has not helped
	 * @returns {Promise<void>}
	 */
	async restartIce(_connection, _again) {}

	/** The connection did not connect in time; a subclass may react. */
	connectTimedOut() {}

	/**
	 * Runs a step of the negotiation. When it fails, another RTCPeerConnection follows, if that may help.
	 *
	 * @param {RTCPeerConnection} connection
	 * @param {() => Promise<void>} step
	 */
	async attempt(connection, step) {
		try {
			await step();
		} catch (error) {
			if (connection === this.#connection) this.#fail(error);
		}
	}

	/** Reports a problem unless the connection connects in time. */
	expectConnected() {
		this.#after(Math.min(CONNECT_TIMEOUT_MS * 2 ** this.#failures, LAST_CONNECT_TIMEOUT_MS), () => {
			if (this.state === 'connected') return;
			this.#failures++;
			this.problem("nothing gets through to the server's media address.");
			this.connectTimedOut();
		});
	}

	changed() {
		this.dispatchEvent(new Event('changed'));
	}

	/** @param {string} text */
	problem(text) {
		this.dispatchEvent(new CustomEvent('problem', { detail: `Media trouble: ${text}` }));
	}

	/** @param {RTCPeerConnection} connection */
	#watch(connection) {
		switch (connection.connectionState) {
			case 'connected':
				clearTimeout(this.#timer);
				this.#failures = 0;
				this.#restarted = false;
				break;
			case 'disconnected':
				if (!this.#restarted) this.dispatchEvent(new Event('disconnected'));
				break;
			case 'failed':
				void this.restart();
				break;
		}
		this.changed();
	}

	/**
	 * Chromium takes 6 s to notice that the network is gone. On a link that works something arrives all the time: media,
	 * or the server's reports about media.
	 *
	 * @param {RTCPeerConnection} connection
	 */
	async #listen(connection) {
		const reports = [...(await connection.getStats()).values()].filter(({ type }) => type === 'candidate-pair');
		if (connection !== this.#connection) return;
		const bytes = reports.reduce((sum, { bytesReceived = 0 }) => sum + bytesReceived, 0);
		const silent = bytes > this.#heard.bytes ? 0 : this.#heard.silent + 1;
		this.#heard = { bytes, silent };
		if (silent === 0 && this.state === 'connected' && !this.#restarting) this.#restarted = false;
		if (silent === SILENT_TIMES && this.state === 'connected') this.dispatchEvent(new Event('silent'));
	}

	/** @param {Error & {code?: number}} error */
	#fail(error) {
		// The page checks the link when the socket is back.
		if (error instanceof RequestError && error.code === 0) return;
		this.close();
		// The server has no room for it now, or this connection is over: another one can succeed.
		if (error.code === 429 || error.code === 409 || error.code === 404 || error.code >= 500) {
			const delay = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS);
			this.#after(delay, () => void this.open());
		} else {
			this.problem(error.message);
		}
		this.changed();
	}

	/**
	 * @param {number} milliseconds
	 * @param {() => void} action
	 */
	#after(milliseconds, action) {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(action, milliseconds);
	}
}
