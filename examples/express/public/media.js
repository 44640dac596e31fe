// What this page sends: the camera and the microphone, or a generated picture and silence in their place.

const VIDEO = { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 30 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE_WIDTH = 640;
const PICTURE_HEIGHT = 360;
const PICTURE_RATE = 20;

/**
 * @typedef {object} LocalMedia
 * @property {MediaStream} stream one video and one audio track, always
 * @property {boolean} hasCamera false when the picture is generated
 * @property {boolean} hasMicrophone false when the sound is silence
 * @property {() => void} stop
 */

/**
 * Never fails: what cannot be had is generated.
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
	const stream = new MediaStream([video ?? picture.track, audio ?? silence.track]);
	return {
		stream,
		hasCamera: video !== undefined,
		hasMicrophone: audio !== undefined,
		stop() {
			for (const track of stream.getTracks()) track.stop();
			picture?.stop();
			silence?.stop();
		},
	};
}

/** @returns {Promise<MediaStreamTrack[]>} none, one or both of camera and microphone */
async function capture() {
	// Browsers have no mediaDevices on plain http, localhost excepted.
	if (!navigator.mediaDevices) return [];
	try {
		return await tracksOf({ video: VIDEO, audio: AUDIO });
	} catch {
		// One of the two is missing, in use or forbidden, and took the other one along.
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
		// Who has just said no to both is not asked twice more.
		const { state } = await navigator.permissions.query({ name: /** @type {any} */ (permission) });
		if (state === 'denied') return [];
	} catch {
		// A browser that cannot say: ask.
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

/** @param {string} userName */
function generatePicture(userName) {
	const canvas = document.createElement('canvas');
	canvas.width = PICTURE_WIDTH;
	canvas.height = PICTURE_HEIGHT;
	const context = canvas.getContext('2d');
	const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
	const hue = Math.floor(Math.random() * 360);
	const draw = () => drawPicture(context, userName, hue, calm.matches ? 0 : performance.now() / 1000);
	draw();
	// Not requestAnimationFrame: it stops in a hidden tab, and the others would see a frozen picture.
	const timer = setInterval(draw, 1000 / PICTURE_RATE);
	const [track] = canvas.captureStream(PICTURE_RATE).getVideoTracks();
	return { track, stop: () => clearInterval(timer) };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} userName
 * @param {number} hue
 * @param {number} seconds
 */
function drawPicture(context, userName, hue, seconds) {
	const sky = context.createLinearGradient(0, 0, 0, PICTURE_HEIGHT);
	sky.addColorStop(0, `hsl(${hue} 45% 16%)`);
	sky.addColorStop(1, `hsl(${hue + 50} 55% 34%)`);
	context.fillStyle = sky;
	context.fillRect(0, 0, PICTURE_WIDTH, PICTURE_HEIGHT);
	for (let wave = 0; wave < 4; wave++) {
		const base = PICTURE_HEIGHT * (0.62 + wave * 0.1);
		context.beginPath();
		context.moveTo(0, PICTURE_HEIGHT);
		for (let x = 0; x <= PICTURE_WIDTH; x += 16) {
			const phase = x / (90 + wave * 25) + seconds * (0.5 + wave * 0.17) + wave * 2;
			context.lineTo(x, base + Math.sin(phase) * (16 - wave * 2));
		}
		context.lineTo(PICTURE_WIDTH, PICTURE_HEIGHT);
		context.fillStyle = `hsl(${hue + wave * 22} 55% ${46 - wave * 8}% / 0.55)`;
		context.fill();
	}
	context.textAlign = 'center';
	context.fillStyle = 'rgb(255 255 255 / 0.92)';
	context.font = '600 44px system-ui, sans-serif';
	context.fillText(userName, PICTURE_WIDTH / 2, 138, PICTURE_WIDTH - 80);
	context.fillStyle = 'rgb(255 255 255 / 0.65)';
	context.font = '22px system-ui, sans-serif';
	context.fillText(new Date().toLocaleTimeString(), PICTURE_WIDTH / 2, 180);
}

function generateSilence() {
	const context = new AudioContext();
	const [track] = context.createMediaStreamDestination().stream.getAudioTracks();
	return { track, stop: () => void context.close() };
}
