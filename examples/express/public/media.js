import { generatePicture } from './picture.js';

const VIDEO = { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 30 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/**
 * @typedef {object} LocalMedia
 * @property {MediaStreamTrack} video
 * @property {MediaStreamTrack} audio
 * @property {boolean} hasCamera false when the picture is generated
 * @property {boolean} hasMicrophone false when the sound is silence
 * @property {() => void} stop
 */

/**
 * Captures the camera and the microphone. It never fails: a generated picture and silence replace a missing device.
 *
 * @param {string} userName drawn into the generated picture
 * @returns {Promise<LocalMedia>}
 */
export async function getLocalMedia(userName) {
	const captured = await capture();
	const video = captured.find(({ kind }) => kind === 'video');
	const audio = captured.find(({ kind }) => kind === 'audio');
	const picture = video ? undefined : generatePicture(userName);
	const silence = audio ? undefined : generateSilence();
	const tracks = { video: video ?? picture.track, audio: audio ?? silence.track };
	return {
		...tracks,
		hasCamera: video !== undefined,
		hasMicrophone: audio !== undefined,
		stop() {
			for (const track of Object.values(tracks)) track.stop();
			picture?.stop();
			silence?.stop();
		},
	};
}

/** @returns {Promise<MediaStreamTrack[]>} none, one or both of camera and microphone */
async function capture() {
	// Browsers give pages on plain http no mediaDevices, except on localhost.
	if (!navigator.mediaDevices) return [];
	try {
		return await tracksOf({ video: VIDEO, audio: AUDIO });
	} catch {
		// One device is missing, in use or forbidden, and the browser gives neither.
		const camera = await captureAlone('camera', { video: VIDEO });
		const microphone = await captureAlone('microphone', { audio: AUDIO });
		return [...camera, ...microphone];
	}
}

/**
 * @param {string} permission
 * @param {MediaStreamConstraints} constraints
 */
async function captureAlone(permission, constraints) {
	try {
		// A user who has just refused both is not asked again.
		const { state } = await navigator.permissions.query({ name: /** @type {any} */ (permission) });
		if (state === 'denied') return [];
	} catch {
		// This browser does not tell. Ask the user.
	}
	try {
		return await tracksOf(constraints);
	} catch {
		return [];
	}
}

/** @param {MediaStreamConstraints} constraints */
async function tracksOf(constraints) {
	return (await navigator.mediaDevices.getUserMedia(constraints)).getTracks();
}

function generateSilence() {
	const context = new AudioContext();
	const [track] = context.createMediaStreamDestination().stream.getAudioTracks();
	return { track, stop: () => void context.close() };
}
