import { Link } from './link.js';
import { Loudness } from './loudness.js';

/** The camera is sent in three sizes from this width on. Browsers send fewer of a smaller picture. */
const SIMULCAST_WIDTH = 960;
/** From the lowest layer to the highest. */
const SIMULCAST = [
	{ rid: 'q', scaleResolutionDownBy: 4 },
	{ rid: 'h', scaleResolutionDownBy: 2 },
	{ rid: 'f', scaleResolutionDownBy: 1 },
];

/** For so long packets are counted, to find out whether a track is sent. */
const SENDING_MS = 500;

/** @typedef {{rid?: string, active: boolean}} WantedEncoding */

/** A track that the user pushes. */
class Upload {
	/** @type {RTCRtpTransceiver | undefined} */
	transceiver;
	/** @type {string | undefined} */
	pusherId;
	/** Whether none of it arrives at the server. */
	stalled = false;
	paused = false;
	/** Whether the server has it paused, `undefined` while that is unknown. */
	serverPaused = /** @type {boolean | undefined} */ (false);
	synchronizing = false;
	/** The encodings that anybody wants, from the lowest to the highest; the others need not be sent. @type {WantedEncoding[]} */
	wanted = [];
	/** Settles when the sender has them. */
	activation = Promise.resolve();

	/** @param {MediaStreamTrack} track */
	constructor(track) {
		this.track = track;
	}
}

/** Pushes tracks on one RTCPeerConnection, for which this page makes the offers. */
export class Uplink extends Link {
	/** By source: `camera`, `microphone`, `screen`, `screenAudio`. @type {Map<string, Upload>} */
	#uploads = new Map();
	#loudness = new Loudness();
	#negotiation = Promise.resolve();
	/** The server's id of the connection before this one, which the server may still have. @type {string | undefined} */
	#replaces;

	/**
	 * Pushes more tracks, at once or when the link opens.
	 *
	 * @param {Record<string, MediaStreamTrack | undefined>} tracks by source
	 */
	add(tracks) {
		for (const [source, track] of Object.entries(tracks)) {
			if (track) this.#uploads.set(source, new Upload(track));
		}
		this.discard();
		if (!this.connection) return;
		this.#addTransceivers(this.connection);
		void this.#negotiate(this.connection);
	}

	/** @param {string[]} sources */
	remove(sources) {
		for (const source of sources) {
			this.#uploads.get(source)?.transceiver?.stop();
			this.#uploads.delete(source);
		}
		this.discard();
		if (this.connection) void this.#negotiate(this.connection);
	}

	/**
	 * Pauses or resumes a track: the others are told, and nothing of it is sent.
	 *
	 * @param {string} source
	 * @param {boolean} paused
	 */
	setPaused(source, paused) {
		const upload = this.#uploads.get(source);
		if (!upload) return;
		upload.paused = paused;
		upload.track.enabled = !paused;
		void this.#synchronize(upload);
	}

	/** @returns {Promise<number>} how loud the microphone has been since the last time, from 0 to 1; 0 where the browser does not tell */
	async audioLevel() {
		const { track } = this.#uploads.get('microphone') ?? {};
		for (const report of (await this.connection?.getStats())?.values() ?? []) {
			if (report.type === 'media-source' && report.trackIdentifier === track?.id) return this.#loudness.next(report);
		}
		return 0;
	}

	/**
	 * None of these tracks arrives at the server. Either the network loses them, or there is nothing to send: a camera may
	 * give no pictures.
	 *
	 * @param {string[]} pusherIds
	 * @returns {Promise<boolean>} whether packets of one of them leave this page, and none arrives
	 */
	async sendsInVain(pusherIds) {
		const uploads = this.#uploadsOf(pusherIds);
		for (const upload of uploads) upload.stalled = true;
		const before = await packetsSent(uploads);
		await new Promise((resolve) => setTimeout(resolve, SENDING_MS));
		const stalled = uploads.every((upload) => upload.stalled && pusherIds.includes(upload.pusherId));
		return stalled && this.state === 'connected' && (await packetsSent(uploads)) > before;
	}

	/** @param {string[]} pusherIds */
	setRecovered(pusherIds) {
		for (const upload of this.#uploadsOf(pusherIds)) upload.stalled = false;
	}

	/**
	 * Sends only those layers of a simulcast that anybody wants.
	 *
	 * @param {{pusherId: string, encodings: WantedEncoding[]}} wanted
	 */
	setWanted({ pusherId, encodings }) {
		for (const upload of this.#uploadsOf([pusherId])) this.#activate(upload, encodings);
	}

	/**
	 * Does what `layersWanted` said while there was no socket.
	 *
	 * @param {{pushers: {pusherId: string, encodings?: WantedEncoding[]}[]}[]} [connections]
	 */
	resume(connections = []) {
		for (const { pusherId, encodings = [] } of connections.flatMap(({ pushers }) => pushers)) {
			this.setWanted({ pusherId, encodings });
		}
	}

	/** @override */
	async open() {
		this.#replaces = this.connectionId ?? this.#replaces;
		await super.open();
	}

	/** @override */
	async check(options = {}) {
		const { connection } = this;
		// The answer to this offer went to a socket that is lost.
		if (connection?.signalingState === 'have-local-offer') await this.#negotiate(connection);
		for (const upload of this.#uploads.values()) void this.#synchronize(upload);
		await super.check(options);
	}

	/** @override */
	async ready(/** @type {RTCPeerConnection} */ connection) {
		for (const [source, { track }] of this.#uploads) addTransceiver(connection, source, track);
		await connection.setLocalDescription();
	}

	/** @override */
	async begin(/** @type {RTCPeerConnection} */ connection) {
		for (const upload of this.#uploads.values()) {
			upload.transceiver = connection.getTransceivers().find(({ sender }) => sender.track === upload.track);
			upload.pusherId = undefined;
		}
		this.#addTransceivers(connection);
		this.expectConnected();
		await this.#negotiate(connection);
	}

	/** @override */
	async restartIce(/** @type {RTCPeerConnection} */ connection, /** @type {boolean} */ again) {
		if (again) {
			await this.open();
			return;
		}
		connection.restartIce();
		await this.#negotiate(connection);
	}

	/** @override */
	connectTimedOut() {
		void this.open();
	}

	#addTransceivers(/** @type {RTCPeerConnection} */ connection) {
		for (const [source, upload] of this.#uploads) {
			upload.transceiver ??= addTransceiver(connection, source, upload.track);
		}
	}

	/** Offers and takes the answer, after an earlier offer has its answer. */
	#negotiate(/** @type {RTCPeerConnection} */ connection) {
		this.#negotiation = this.#negotiation.then(() => this.attempt(connection, () => this.#offer(connection)));
		return this.#negotiation;
	}

	async #offer(/** @type {RTCPeerConnection} */ connection) {
		if (connection !== this.connection) return;
		await connection.setLocalDescription();
		const uploads = [...this.#uploads].filter(([, { transceiver }]) => transceiver?.mid);
		const media = uploads.map(([source, { transceiver }]) => ({ mid: transceiver.mid, source }));
		const replaces = this.connectionId ? undefined : this.#replaces;
		const { sdp, connectionId, pushers } = await this.request('push', {
			sdp: connection.localDescription,
			media,
			replaces,
		});
		if (connection !== this.connection) return;
		this.connectionId = connectionId;
		this.#replaces = undefined;
		await connection.setRemoteDescription({ type: 'answer', sdp });
		for (const { pusherId, mid, encodings = [] } of pushers) {
			const upload = uploads.find(([, { transceiver }]) => transceiver.mid === mid)?.[1];
			if (upload) this.#activate(upload, encodings);
			if (!upload || upload.pusherId === pusherId) continue;
			upload.pusherId = pusherId;
			upload.serverPaused = false;
			void this.#synchronize(upload);
		}
	}

	/** @param {string[]} pusherIds */
	#uploadsOf(pusherIds) {
		return [...this.#uploads.values()].filter(({ pusherId }) => pusherIds.includes(pusherId));
	}

	/**
	 * The next change waits for the last one: a sender takes only the parameters that it gave last.
	 *
	 * @param {Upload} upload
	 * @param {WantedEncoding[]} wanted none for all
	 */
	#activate(upload, wanted) {
		const { transceiver } = upload;
		upload.wanted = wanted;
		upload.activation = upload.activation.then(async () => {
			if (upload.transceiver !== transceiver || upload.wanted !== wanted) return;
			const parameters = transceiver.sender.getParameters();
			const isActive = (/** @type {RTCRtpEncodingParameters} */ { rid }) =>
				wanted.find((encoding) => encoding.rid === rid)?.active ?? true;
			if (parameters.encodings.every((encoding) => encoding.active === isActive(encoding))) return;
			for (const encoding of parameters.encodings) encoding.active = isActive(encoding);
			// The sender of a link that has closed fails. All layers are sent then, or none.
			await transceiver.sender.setParameters(parameters).catch(() => undefined);
		});
	}

	/** Tells the server what the user wants paused, until both agree. */
	async #synchronize(/** @type {Upload} */ upload) {
		if (upload.synchronizing) return;
		upload.synchronizing = true;
		while (upload.pusherId && upload.serverPaused !== upload.paused) {
			const { pusherId, paused } = upload;
			try {
				await this.request(paused ? 'pausePusher' : 'resumePusher', { pusherId });
				if (pusherId === upload.pusherId) upload.serverPaused = paused;
			} catch {
				// check() tries again when the socket is back.
				if (pusherId === upload.pusherId) upload.serverPaused = undefined;
				break;
			}
		}
		upload.synchronizing = false;
	}
}

/**
 * @param {RTCPeerConnection} connection
 * @param {string} source
 * @param {MediaStreamTrack} track
 */
function addTransceiver(connection, source, track) {
	const simulcast = source === 'camera' && track.getSettings().width >= SIMULCAST_WIDTH;
	return connection.addTransceiver(track, {
		direction: 'sendonly',
		streams: [new MediaStream([track])],
		...(simulcast && { sendEncodings: SIMULCAST }),
	});
}

/** @param {Upload[]} uploads */
async function packetsSent(uploads) {
	const stats = await Promise.all(uploads.map(({ transceiver }) => transceiver.sender.getStats()));
	const reports = stats.flatMap((report) => [...report.values()]).filter(({ type }) => type === 'outbound-rtp');
	return reports.reduce((sum, { packetsSent: sent = 0 }) => sum + sent, 0);
}
