import { RequestError } from './signaling.js';

/** Browsers themselves give up later, Chromium after 15 s. It doubles with each failure, for machines that are slow. */
const CONNECT_TIMEOUT_MS = 12_000;
const LAST_CONNECT_TIMEOUT_MS = 60_000;
const DISCONNECTED_GRACE_MS = 4_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

/** @typedef {(method: string, data?: object) => Promise<any>} Request sends a request on behalf of the user */

/**
 * Keeps an RTCPeerConnection alive. Uplink and Downlink extend it: they say how a connection begins and how its ICE
 * restarts.
 *
 * Events: `changed`, when the state, the quality or the media of the link has changed; `problem`, with a text as
 * `detail`.
 */
export class Link extends EventTarget {
	/** The server's id of the connection, once the server has given it. */
	connectionId = /** @type {string | undefined} */ (undefined);
	/** The server measures it. */
	quality = /** @type {'excellent' | 'good' | 'poor' | 'lost'} */ ('excellent');
	request;
	/** @type {RTCPeerConnection | undefined} */
	#connection;
	/** @type {number | undefined} */
	#timer;
	#failures = 0;
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

	/** Opens an RTCPeerConnection in place of the current one. */
	async open() {
		this.close();
		const connection = new RTCPeerConnection();
		this.#connection = connection;
		connection.onconnectionstatechange = () => this.#watch(connection);
		await this.attempt(connection, () => this.begin(connection));
	}

	close() {
		clearTimeout(this.#timer);
		const connection = this.#connection;
		this.#connection = undefined;
		this.#restarted = false;
		this.connectionId = undefined;
		this.quality = 'excellent';
		if (!connection) return;
		connection.onconnectionstatechange = null;
		connection.close();
	}

	/** Repairs what broke while there was no socket to repair it by. */
	async check() {
		const state = this.#connection?.connectionState;
		if (state === undefined) await this.open();
		else if (state === 'failed' || state === 'disconnected') await this.restart();
	}

	/** Restarts ICE, if there is a connection that ever began to connect. */
	async restart() {
		const connection = this.#connection;
		if (!connection || connection.connectionState === 'new') return;
		const again = this.#restarted;
		this.#restarted = true;
		this.expectConnected();
		await this.attempt(connection, () => this.restartIce(connection, again));
	}

	/** @param {'excellent' | 'good' | 'poor' | 'lost'} quality */
	setQuality(quality) {
		this.quality = quality;
		this.changed();
	}

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
				// It often passes.
				this.#after(DISCONNECTED_GRACE_MS, () => void this.restart());
				break;
			case 'failed':
				void this.restart();
				break;
		}
		this.changed();
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
