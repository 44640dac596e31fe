import { Link } from './link.js';
import { Loudness } from './loudness.js';
import { RequestError } from './signaling.js';

/**
 * @typedef {object} Download
 * @property {string} pullerId
 * @property {string} mid
 * @property {RTCRtpReceiver} receiver
 * @property {Loudness} [loudness]
 * @property {number} [level] how loud it was when it was last measured, from 0 to 1
 * @property {{spatialLayer: number | null, temporalLayer: number | null}} [layers] of simulcast or SVC, as sent now
 */

/** Pulls all that the others push on one RTCPeerConnection, for which the server makes the offers. */
export class Downlink extends Link {
	/** By pusher id. @type {Map<string, Download>} */
	#downloads = new Map();
	/** @type {Promise<unknown>} */
	#answering = Promise.resolve();

	/**
	 * @param {string} pusherId
	 * @returns {Download | undefined}
	 */
	get(pusherId) {
		return this.#downloads.get(pusherId);
	}

	/**
	 * Answers the server's request `offer`, after an earlier one.
	 *
	 * @param {{connectionId: string, sdp: RTCSessionDescriptionInit, pullers: {pullerId: string, pusherId: string, mid: string}[]}} offer
	 * @returns {Promise<{sdp: RTCSessionDescription}>}
	 */
	answer(offer) {
		const answer = this.#answering.then(() => this.#answer(offer));
		this.#answering = answer.catch((error) => this.problem(error.message));
		return answer;
	}

	/** @param {{pullerId: string, pusherId: string, spatialLayer: number | null, temporalLayer: number | null}} change */
	setLayers({ pullerId, pusherId, spatialLayer, temporalLayer }) {
		const download = this.#downloads.get(pusherId);
		if (download?.pullerId !== pullerId) return;
		download.layers = { spatialLayer, temporalLayer };
		this.changed();
	}

	/** @param {string} pullerId */
	removePuller(pullerId) {
		for (const [pusherId, download] of this.#downloads) {
			if (download.pullerId === pullerId) this.#downloads.delete(pusherId);
		}
		this.changed();
	}

	/** Measures how loud all that is pulled has been since the last time. */
	async measureLevels() {
		const reports = [...((await this.connection?.getStats())?.values() ?? [])];
		const heard = reports.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
		for (const download of this.#downloads.values()) {
			const report = heard.find(({ trackIdentifier }) => trackIdentifier === download.receiver.track.id);
			download.loudness ??= new Loudness();
			download.level = report ? download.loudness.next(report) : 0;
		}
	}

	/**
	 * @param {string} pusherId
	 * @returns {number} how loud it was when it was last measured, from 0 to 1
	 */
	audioLevel(pusherId) {
		return this.#downloads.get(pusherId)?.level ?? 0;
	}

	/** @override */
	close() {
		super.close();
		this.#downloads.clear();
	}

	/** @override */
	async begin() {
		const { connectionId } = await this.request('pull', { autoPull: true });
		this.connectionId = connectionId;
	}

	/**
	 * An offer with new ICE credentials follows. When that does not help, the server closes the connection and says so.
	 *
	 * @override
	 */
	async restartIce() {
		await this.request('restartIce', { connectionId: this.connectionId });
	}

	/** @param {any} offer */
	async #answer({ connectionId, sdp, pullers }) {
		const { connection } = this;
		if (!connection || connectionId !== this.connectionId) {
			throw new RequestError(404, 'This page has no such connection.');
		}
		await connection.setRemoteDescription(sdp);
		await connection.setLocalDescription();
		if (connection.connectionState === 'new') this.expectConnected();
		const before = this.#downloads;
		const receivers = new Map(connection.getTransceivers().map(({ mid, receiver }) => [mid, receiver]));
		this.#downloads = new Map();
		for (const { pullerId, pusherId, mid } of pullers) {
			const known = before.get(pusherId);
			const layers = known?.pullerId === pullerId ? known.layers : undefined;
			this.#downloads.set(pusherId, { pullerId, mid, receiver: receivers.get(mid), layers });
		}
		this.changed();
		return { sdp: connection.localDescription };
	}
}
