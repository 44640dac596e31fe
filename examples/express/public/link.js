import { RequestError } from './signaling.js';

/** Before browsers themselves give up, which is after 15 s in Chromium. */
const CONNECT_TIMEOUT_MS = 12_000;
const DISCONNECTED_GRACE_MS = 4_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

/**
 * Media in one direction, kept alive. Each RTCPeerConnection of it makes one offer and gets one answer; when it goes
 * down, another one takes its place.
 */
export class Link {
	/** The server's name for the connection, once it has answered. */
	connectionId = /** @type {string | undefined} */ (undefined);
	#prepare;
	#exchange;
	#onChange;
	/** @type {RTCPeerConnection | undefined} */
	#connection;
	/** @type {number | undefined} */
	#timer;
	#failures = 0;

	/**
	 * @param {object} parts
	 * @param {(connection: RTCPeerConnection) => void} parts.prepare adds what is to be sent or received
	 * @param {(offer: RTCSessionDescription) => Promise<{sdp: string, connectionId?: string}>} parts.exchange brings
	 *   the offer to the server, and its answer back
	 * @param {(error?: Error) => void} parts.onChange the state has changed; with an error for people to know of
	 */
	constructor({ prepare, exchange, onChange }) {
		this.#prepare = prepare;
		this.#exchange = exchange;
		this.#onChange = onChange;
	}

	/** @returns {'connected' | 'connecting' | 'down'} */
	get state() {
		if (!this.#connection) return 'down';
		return this.#connection.connectionState === 'connected' ? 'connected' : 'connecting';
	}

	/** Opens an RTCPeerConnection, in the place of the one that there is. */
	async open() {
		this.close();
		const connection = new RTCPeerConnection();
		this.#connection = connection;
		connection.onconnectionstatechange = () => this.#watch(connection);
		this.#openAfter(CONNECT_TIMEOUT_MS, () => {
			this.#onChange(new Error("nothing gets through to the server's media address."));
		});
		try {
			this.#prepare(connection);
			await connection.setLocalDescription();
			// The candidates need no waiting for: the server has a public address, and learns ours from our packets.
			const { sdp, connectionId } = await this.#exchange(connection.localDescription);
			if (connection !== this.#connection) return;
			this.connectionId = connectionId;
			await connection.setRemoteDescription({ type: 'answer', sdp });
		} catch (error) {
			if (connection === this.#connection) this.#fail(error);
		}
	}

	close() {
		clearTimeout(this.#timer);
		this.connectionId = undefined;
		const connection = this.#connection;
		if (!connection) return;
		this.#connection = undefined;
		connection.onconnectionstatechange = null;
		connection.close();
	}

	/** @returns {Promise<number>} from 0 to 1: how loud the link's audio is, sent or received */
	async audioLevel() {
		let loudest = 0;
		for (const report of (await this.#connection?.getStats())?.values() ?? []) {
			const isAudio = report.kind === 'audio' && (report.type === 'inbound-rtp' || report.type === 'media-source');
			if (isAudio) loudest = Math.max(loudest, report.audioLevel ?? 0);
		}
		return loudest;
	}

	/** @param {RTCPeerConnection} connection */
	#watch(connection) {
		switch (connection.connectionState) {
			case 'connected':
				clearTimeout(this.#timer);
				this.#failures = 0;
				break;
			case 'disconnected':
				// Often passes by itself.
				this.#openAfter(DISCONNECTED_GRACE_MS);
				break;
			case 'failed':
			case 'closed':
				void this.open();
				return;
		}
		this.#onChange();
	}

	/**
	 * Another RTCPeerConnection, unless something else happens within that time.
	 *
	 * @param {number} milliseconds
	 * @param {() => void} [before]
	 */
	#openAfter(milliseconds, before) {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			before?.();
			void this.open();
		}, milliseconds);
	}

	/** @param {unknown} error */
	#fail(error) {
		this.close();
		const code = error instanceof RequestError ? error.code : undefined;
		if (code === 429 || code >= 500) {
			this.#openAfter(Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS));
			this.#onChange();
		} else {
			// Without signalling (0) somebody will open it again after reconnecting. The rest will not get better.
			this.#onChange(code === 0 ? undefined : /** @type {Error} */ (error));
		}
	}
}
