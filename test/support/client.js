/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return --
   TypeScript's DOM library would hold for the whole program: `closed`, `name` and `origin` would be globals in src/. */

/** @typedef {'VP8' | 'VP9' | 'H264' | 'AV1'} VideoCodec */
/** @typedef {'audio' | 'video'} Kind */

/**
 * Of one inbound RTP stream. What a browser does not count is 0.
 *
 * @typedef {object} InboundStats
 * @property {string} mid
 * @property {string} codec The MIME type, '' before the first packet.
 * @property {number} packetsReceived
 * @property {number} packetsLost
 * @property {number} retransmittedPacketsReceived Firefox does not count these.
 * @property {number} nackCount
 * @property {number} pliCount
 * @property {number} framesDecoded
 * @property {number} framesPerSecond
 * @property {number} keyFramesDecoded
 * @property {number} totalAudioEnergy
 * @property {number} totalSamplesReceived
 * @property {number} concealedSamples
 * @property {number} frameWidth
 * @property {number} freezeCount Firefox does not count these.
 * @property {number} totalFreezesDuration In seconds.
 */

const { AudioContext, MediaStream, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, document, navigator, setInterval } =
	/** @type {any} */ (globalThis);

const smallCamera = { width: 320, height: 240, frameRate: 15 };

/** @type {Map<string, any>} */
const connections = new Map();

/** @param {any} codec */
const isRtx = ({ mimeType }) => mimeType === 'video/rtx';

/**
 * Of H264 only constrained baseline in packetization mode 1, of VP9 and AV1 only profile 0: what the SFU routes.
 *
 * @param {any} codec
 */
const isRouted = ({ mimeType, sdpFmtpLine = '' }) =>
	mimeType === 'video/H264'
		? /packetization-mode=1/.test(sdpFmtpLine) && /profile-level-id=42e0/.test(sdpFmtpLine)
		: ['video/VP8', 'video/VP9', 'video/AV1'].includes(mimeType) && !/profile(-id)?=[1-9]/.test(sdpFmtpLine);

/** The MIME types of the video codecs that this browser sends and receives. */
export function videoCodecs() {
	/**
	 * @param {any} side
	 * @returns {string[]}
	 */
	const names = (side) =>
		side
			.getCapabilities('video')
			.codecs.filter(isRouted)
			.map((/** @type {any} */ c) => c.mimeType);
	return { send: names(RTCRtpSender), receive: names(RTCRtpReceiver) };
}

/**
 * @param {any} connection
 * @param {(sdp: string) => string} [change]
 * @returns {Promise<{ id: string, offer: string }>}
 */
async function offer(connection, change = (sdp) => sdp) {
	const id = String(connections.size);
	connections.set(id, connection);
	const { type, sdp } = await connection.createOffer();
	await connection.setLocalDescription({ type, sdp: change(sdp) });
	return { id, offer: connection.localDescription.sdp };
}

/** @type {object | undefined} */
let configuration;

/** From now on RTCPeerConnections have this configuration. @param {object} given */
export function configure(given) {
	configuration = given;
}

/** The types of the candidates that are gathered, and the codes of the errors. @returns {Promise<{ types: string[], errors: number[] }>} */
export async function gather() {
	const connection = new RTCPeerConnection(configuration);
	const gathered = { types: /** @type {string[]} */ ([]), errors: /** @type {number[]} */ ([]) };
	connection.onicecandidateerror = (/** @type {any} */ { errorCode }) => gathered.errors.push(errorCode);
	connection.createDataChannel('any');
	await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
		connection.onicecandidate = (/** @type {any} */ { candidate }) => {
			if (!candidate) resolve();
			else if (candidate.type) gathered.types.push(candidate.type);
		};
		void connection.setLocalDescription();
	});
	connection.close();
	return gathered;
}

/** Plays what arrives, and keeps what comes on data channels. */
function createConnection() {
	const connection = new RTCPeerConnection(configuration);
	connection.ontrack = (/** @type {any} */ { track }) => {
		const element = document.createElement(track.kind);
		// Not muted: Chromium counts no energy of audio that is not played.
		element.autoplay = true;
		element.srcObject = new MediaStream([track]);
		document.body.append(element);
	};
	connection.ondatachannel = (/** @type {any} */ { channel }) => {
		followChannel(connection, channel);
	};
	return connection;
}

/**
 * @param {Kind} kind
 * @returns {Promise<any>}
 */
async function capture(kind) {
	const constraints = kind === 'audio' ? { audio: true } : { video: { width: 320, height: 240, frameRate: 15 } };
	return (await navigator.mediaDevices.getUserMedia(constraints)).getTracks()[0];
}

/**
 * One change of a connection; `index` counts its transceivers.
 *
 * @typedef {{ send: Kind } | { receive: Kind } | { stop: number } | { direct: [index: number, direction: string] }
 *   | { replace: number } | { restartIce: true } | { activate: boolean[] } | { only: [index: number, codec: VideoCodec] }} Change
 */

/**
 * @param {any} connection
 * @param {Change} change
 */
async function apply(connection, change) {
	const transceivers = connection.getTransceivers();
	if ('send' in change) {
		const track = await capture(change.send);
		connection.addTransceiver(track, { direction: 'sendonly', streams: [new MediaStream([track])] });
	} else if ('receive' in change) {
		connection.addTransceiver(change.receive, { direction: 'recvonly' });
	} else if ('stop' in change) {
		transceivers[change.stop].stop();
	} else if ('direct' in change) {
		const [index, direction] = change.direct;
		transceivers[index].direction = direction;
	} else if ('replace' in change) {
		const { sender } = transceivers[change.replace];
		await sender.replaceTrack(await capture(sender.track.kind));
	} else if ('activate' in change) {
		const { sender } = transceivers[0];
		const parameters = sender.getParameters();
		for (const [index, active] of change.activate.entries()) parameters.encodings[index].active = active;
		await sender.setParameters(parameters);
	} else if ('only' in change) {
		const [index, codec] = change.only;
		const { codecs } = RTCRtpSender.getCapabilities('video');
		transceivers[index].setCodecPreferences(codecs.filter((/** @type {any} */ c) => c.mimeType === `video/${codec}`));
	} else {
		connection.restartIce();
	}
}

/**
 * Changes a connection, and offers again.
 *
 * @param {string} id
 * @param {Change[]} changes
 * @returns {Promise<string>}
 */
export async function offerAgain(id, ...changes) {
	const connection = connections.get(id);
	for (const change of changes) await apply(connection, change);
	await connection.setLocalDescription(await connection.createOffer());
	return connection.localDescription.sdp;
}

/** Whether each simulcast stream of the first sender may be sent. @param {string} id @returns {boolean[]} */
export function active(id) {
	const [{ sender }] = connections.get(id).getTransceivers();
	return sender.getParameters().encodings.map((/** @type {any} */ encoding) => encoding.active);
}

/**
 * Sends only those streams of the first sender that are `active`.
 *
 * @param {string} id
 * @param {boolean[]} active
 * @returns {Promise<void>}
 */
export const activate = (id, active) => apply(connections.get(id), { activate: active });

/** Takes the last offer back. @param {string} id */
export async function rollBack(id) {
	await connections.get(id).setLocalDescription({ type: 'rollback' });
}

/**
 * A track that needs all the bitrate that an encoder may use; the fake camera needs next to none.
 *
 * @param {{ width: number, height: number, frameRate: number }} size
 * @returns {any}
 */
function drawNoise({ width, height, frameRate }) {
	const [large, small] = [document.createElement('canvas'), document.createElement('canvas')];
	Object.assign(large, { width, height });
	Object.assign(small, { width: width / 24, height: height / 24 });
	const [context, noise] = [large.getContext('2d'), small.getContext('2d')];
	const image = noise.createImageData(small.width, small.height);
	const draw = () => {
		for (let index = 0; index < image.data.length; index++) image.data[index] = 80 + Math.random() * 96;
		noise.putImageData(image, 0, 0);
		context.drawImage(small, 0, 0, width, height);
	};
	draw();
	setInterval(draw, 1000 / frameRate);
	return large.captureStream(frameRate).getVideoTracks()[0];
}

/**
 * The video as three streams that are known by their SSRCs, as clients had it before there were rids.
 *
 * @param {string} sdp
 * @returns {string}
 */
function withSourceGroup(sdp) {
	const [group, first, repair] = /a=ssrc-group:FID (\d+) (\d+)\r\n/.exec(sdp) ?? [];
	if (!group) return sdp;
	const pairs = [0, 1, 2].map((step) => [Number(first) + step, Number(repair) + step]);
	const lines = (sdp.match(/^a=ssrc:\d+ (cname|msid):.*$/gm) ?? []).filter((line) =>
		line.startsWith(`a=ssrc:${first} `),
	);
	const sources = pairs.flat().flatMap((ssrc) => lines.map((line) => line.replace(/\d+/, String(ssrc))));
	const groups = [
		`a=ssrc-group:SIM ${pairs.map(([ssrc]) => ssrc).join(' ')}`,
		...pairs.map((pair) => `a=ssrc-group:FID ${pair.join(' ')}`),
	];
	const others = sdp.replace(new RegExp(`^a=ssrc:(${first}|${repair}) .*\r\n`, 'gm'), '');
	return others.replace(group, [...groups, ...sources, ''].join('\r\n'));
}

/**
 * Offers the fake camera and microphone, the video in one codec alone.
 *
 * @param {object} [options]
 * @param {boolean} [options.audio]
 * @param {boolean} [options.video]
 * @param {VideoCodec} [options.codec]
 * @param {object[]} [options.encodings] of the video: the `sendEncodings` of WebRTC
 * @param {boolean} [options.sourceGroup] whether the three encodings have SSRCs in place of rids
 * @param {{ width: number, height: number, frameRate: number }} [options.noise] to be sent instead of the camera
 */
export async function createPusher({
	audio = true,
	video = true,
	codec = 'VP8',
	encodings,
	sourceGroup = false,
	noise,
} = {}) {
	const stream = await navigator.mediaDevices.getUserMedia({ audio, video: video && !noise && smallCamera });
	if (noise) stream.addTrack(drawNoise(noise));
	const connection = createConnection();
	for (const track of [...stream.getVideoTracks(), ...stream.getAudioTracks()]) {
		const sendEncodings = sourceGroup ? undefined : track.kind === 'video' ? encodings : undefined;
		const transceiver = connection.addTransceiver(track, {
			direction: 'sendonly',
			streams: [stream],
			...(sendEncodings && { sendEncodings }),
		});
		if (track.kind === 'audio') continue;
		if (noise) {
			// Fewer frames rather than fewer layers, on machines that are busy with other things.
			const { sender } = transceiver;
			await sender.setParameters({ ...sender.getParameters(), degradationPreference: 'maintain-resolution' });
		}
		const { codecs } = RTCRtpSender.getCapabilities('video');
		transceiver.setCodecPreferences([
			...codecs.filter((/** @type {any} */ c) => c.mimeType === `video/${codec}` && isRouted(c)),
			...codecs.filter(isRtx),
		]);
	}
	if (!sourceGroup) return offer(connection);
	const offered = await offer(connection, withSourceGroup);
	const [sender] = connection.getSenders();
	const parameters = sender.getParameters();
	for (const [index, encoding] of (encodings ?? []).entries()) {
		const { scaleResolutionDownBy, maxBitrate } = /** @type {any} */ (encoding);
		Object.assign(parameters.encodings[index], { scaleResolutionDownBy, maxBitrate });
	}
	await sender.setParameters(parameters);
	return offered;
}

/**
 * Offers to receive these kinds, in this order and in all codecs of the browser, and plays what arrives.
 *
 * @param {{ kinds: Kind[] }} options
 */
export async function createPuller({ kinds }) {
	const connection = createConnection();
	for (const kind of kinds) connection.addTransceiver(kind, { direction: 'recvonly' });
	return offer(connection);
}

/**
 * @param {string} id
 * @param {string} sdp
 * @returns {Promise<void>}
 */
export async function acceptAnswer(id, sdp) {
	await connections.get(id).setRemoteDescription({ type: 'answer', sdp });
}

/**
 * Answers an offer, on a new connection unless there is one already, and plays what arrives.
 *
 * @param {string} sdp
 * @param {string} [known]
 * @returns {Promise<{ id: string, answer: string }>}
 */
export async function answerOffer(sdp, known) {
	const id = known ?? String(connections.size);
	const connection = connections.get(id) ?? createConnection();
	connections.set(id, connection);
	await connection.setRemoteDescription({ type: 'offer', sdp });
	await connection.setLocalDescription();
	return { id, answer: connection.localDescription.sdp };
}

/** Closes a connection, and stops what it captured. @param {string} id */
export function close(id) {
	const connection = connections.get(id);
	for (const { track } of connection.getSenders()) track?.stop();
	connection.close();
}

/**
 * @param {string} id
 * @returns {Promise<{ connectionState: string, localPort: number, video: InboundStats[], audio: InboundStats[] }>}
 * localPort is the UDP port that the SFU sends to, 0 before ICE has connected.
 */
export async function stats(id) {
	const connection = connections.get(id);
	const reports = await connection.getStats();
	const all = [...reports.values()];
	// Not by its state: that is `in-progress` again whenever consent is checked. Firefox marks the pair itself.
	const transport = all.find(({ type }) => type === 'transport');
	const pair = reports.get(transport?.selectedCandidatePairId) ?? all.find(({ selected }) => selected);

	/** @param {Kind} kind */
	const inbound = (kind) =>
		all
			.filter((report) => report.type === 'inbound-rtp' && report.kind === kind)
			.map((report) => ({
				mid: report.mid ?? '',
				codec: reports.get(report.codecId)?.mimeType ?? '',
				packetsReceived: report.packetsReceived ?? 0,
				packetsLost: report.packetsLost ?? 0,
				retransmittedPacketsReceived: report.retransmittedPacketsReceived ?? 0,
				nackCount: report.nackCount ?? 0,
				pliCount: report.pliCount ?? 0,
				framesDecoded: report.framesDecoded ?? 0,
				framesPerSecond: report.framesPerSecond ?? 0,
				keyFramesDecoded: report.keyFramesDecoded ?? 0,
				totalAudioEnergy: report.totalAudioEnergy ?? 0,
				totalSamplesReceived: report.totalSamplesReceived ?? 0,
				concealedSamples: report.concealedSamples ?? 0,
				frameWidth: report.frameWidth ?? 0,
				freezeCount: report.freezeCount ?? 0,
				totalFreezesDuration: report.totalFreezesDuration ?? 0,
			}));
	return {
		connectionState: connection.connectionState,
		localPort: reports.get(pair?.localCandidateId)?.port ?? 0,
		video: inbound('video'),
		audio: inbound('audio'),
	};
}

/**
 * Offers a canvas of noise, which a video codec makes a great deal of: it takes all the bitrate that it may have.
 *
 * @param {{ width?: number, height?: number, frameRate?: number, maxBitrate?: number, codec?: VideoCodec }} [options]
 */
export async function createNoisePusher({ width = 640, height = 360, frameRate = 15, maxBitrate, codec = 'VP8' } = {}) {
	const canvas = document.createElement('canvas');
	Object.assign(canvas, { width, height });
	const context = canvas.getContext('2d');
	const frames = Array.from({ length: 8 }, () => {
		const frame = context.createImageData(width, height);
		// Opaque, else a frame is as good as empty.
		for (let at = 0; at < frame.data.length; at++) frame.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
		return frame;
	});
	let next = 0;
	const draw = () => context.putImageData(frames[next++ % frames.length], 0, 0);
	draw();
	setInterval(draw, 1000 / frameRate);
	const stream = canvas.captureStream(frameRate);
	const connection = createConnection();
	const transceiver = connection.addTransceiver(stream.getVideoTracks()[0], {
		direction: 'sendonly',
		streams: [stream],
		...(maxBitrate !== undefined && { sendEncodings: [{ maxBitrate }] }),
	});
	const { codecs } = RTCRtpSender.getCapabilities('video');
	transceiver.setCodecPreferences([
		...codecs.filter((/** @type {any} */ c) => c.mimeType === `video/${codec}` && isRouted(c)),
		...codecs.filter(isRtx),
	]);
	return offer(connection);
}

/**
 * What a connection has sent of video, and the bitrate that the browser thinks there is.
 *
 * @param {string} id
 * @returns {Promise<{ connected: boolean, bytesSent: number, targetBitrate: number, availableOutgoingBitrate: number }>}
 */
export async function sent(id) {
	const connection = connections.get(id);
	const all = [...(await connection.getStats()).values()];
	const streams = all.filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video');
	/**
	 * @param {string} key
	 * @returns {number}
	 */
	const sum = (key) => streams.map((stream) => Number(stream[key] ?? 0)).reduce((one, other) => one + other, 0);
	return {
		connected: connection.connectionState === 'connected',
		bytesSent: sum('bytesSent'),
		targetBitrate: sum('targetBitrate'),
		availableOutgoingBitrate: all.find((report) => report.availableOutgoingBitrate)?.availableOutgoingBitrate ?? 0,
	};
}

/**
 * Of one outbound RTP stream of video. What a browser does not count is 0.
 *
 * @typedef {object} OutboundStats
 * @property {string} rid '' without simulcast.
 * @property {string} codec The MIME type, '' before the first packet.
 * @property {string} scalabilityMode '' unless the browser tells it.
 * @property {number} framesEncoded
 * @property {number} frameWidth
 */

/**
 * The streams of video that a connection sends.
 *
 * @param {string} id
 * @returns {Promise<OutboundStats[]>}
 */
export async function outbound(id) {
	const reports = await connections.get(id).getStats();
	return [...reports.values()]
		.filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video')
		.map((report) => ({
			rid: report.rid ?? '',
			codec: reports.get(report.codecId)?.mimeType ?? '',
			scalabilityMode: report.scalabilityMode ?? '',
			framesEncoded: report.framesEncoded ?? 0,
			frameWidth: report.frameWidth ?? 0,
		}));
}

/**
 * The bitrate that the browser thinks there is when it begins to send.
 *
 * @param {string} id
 * @returns {Promise<number>}
 */
export async function firstEstimate(id) {
	for (;;) {
		const { availableOutgoingBitrate } = await sent(id);
		if (availableOutgoingBitrate > 0) return availableOutgoingBitrate;
	}
}

/**
 * A message of a data channel: a string, or so many bytes that count up from 0.
 *
 * @typedef {string | { bytes: number }} DataMessage
 */

/** @typedef {{ label: string, protocol: string, id: number, ordered: boolean, maxPacketLifeTime: number | null,
 *   maxRetransmits: number | null, negotiated: boolean, state: string, received: DataMessage[] }} ChannelReport */

/** @type {Map<any, { channel: any, received: DataMessage[] }[]>} The data channels of each connection. */
const channels = new Map();

/**
 * @param {any} connection
 * @param {any} channel
 */
function followChannel(connection, channel) {
	/** @type {DataMessage[]} */
	const received = [];
	channel.binaryType = 'arraybuffer';
	channel.onmessage = (/** @type {any} */ { data }) => {
		if (typeof data === 'string') received.push(data);
		else if (new Uint8Array(data).every((byte, index) => byte === index % 256))
			received.push({ bytes: data.byteLength });
		else received.push('bytes, but others');
	};
	channels.set(connection, [...(channels.get(connection) ?? []), { channel, received }]);
}

/**
 * Opens data channels on a connection that there is, or on a new one, and offers.
 *
 * @param {{ label: string, options?: object }[]} opened
 * @param {{ id?: string, audio?: boolean }} [on]
 * @returns {Promise<{ id: string, offer: string }>}
 */
export async function createChannels(opened, { id, audio = false } = {}) {
	const connection = id === undefined ? createConnection() : connections.get(id);
	if (audio) connection.addTransceiver(await capture('audio'), { direction: 'sendonly' });
	for (const { label, options } of opened) followChannel(connection, connection.createDataChannel(label, options));
	if (id === undefined) return offer(connection);
	await connection.setLocalDescription(await connection.createOffer());
	return { id, offer: connection.localDescription.sdp };
}

/**
 * Opens a data channel on a connection without offering again.
 *
 * @param {string} id
 * @param {string} label
 * @param {object} [options]
 */
export function openChannel(id, label, options) {
	const connection = connections.get(id);
	followChannel(connection, connection.createDataChannel(label, options));
}

/**
 * The latest channel of that label.
 *
 * @param {string} id
 * @param {string} label
 * @returns {any}
 */
const channelOf = (id, label) =>
	channels.get(connections.get(id))?.findLast((of) => of.channel.label === label)?.channel;

/**
 * @param {string} id
 * @param {string} label
 * @param {DataMessage[]} messages
 */
export async function sendOn(id, label, messages) {
	const channel = channelOf(id, label);
	// The server may know of it before the page knows that it does.
	if (channel.readyState === 'connecting') await new Promise((open) => channel.addEventListener('open', open));
	for (const message of messages) {
		const data =
			typeof message === 'string' ? message : Uint8Array.from({ length: message.bytes }, (_, index) => index % 256);
		channel.send(data);
	}
}

/**
 * @param {string} id
 * @param {string} label
 */
export function closeChannel(id, label) {
	channelOf(id, label).close();
}

/**
 * The data channels of a connection, in the order in which they came.
 *
 * @param {string} id
 * @returns {ChannelReport[]}
 */
export function channelReports(id) {
	return (channels.get(connections.get(id)) ?? []).map(({ channel, received }) => ({
		label: channel.label,
		protocol: channel.protocol,
		id: channel.id,
		ordered: channel.ordered,
		maxPacketLifeTime: channel.maxPacketLifeTime,
		maxRetransmits: channel.maxRetransmits,
		negotiated: channel.negotiated,
		state: channel.readyState,
		received,
	}));
}

/**
 * Makes what a connection sends of audio silent, or takes that back.
 *
 * @param {string} id
 * @param {boolean} muted
 */
export function mute(id, muted) {
	for (const { track } of connections.get(id).getSenders()) if (track?.kind === 'audio') track.enabled = !muted;
}

/** Offers a tone that goes on: the fake microphone beeps now and then, and is silent on the average. */
export async function createTonePusher() {
	const context = new AudioContext();
	const oscillator = context.createOscillator();
	const destination = context.createMediaStreamDestination();
	oscillator.connect(destination);
	oscillator.start();
	const connection = createConnection();
	const { stream } = destination;
	connection.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly', streams: [stream] });
	return offer(connection);
}
