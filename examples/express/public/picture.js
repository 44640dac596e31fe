const WIDTH = 640;
const HEIGHT = 360;
const FRAME_RATE = 20;

/**
 * Makes a video track for users without a camera: waves, the user's name and the time.
 *
 * @param {string} userName
 * @returns {{track: MediaStreamTrack, stop: () => void}}
 */
export function generatePicture(userName) {
	const canvas = document.createElement('canvas');
	canvas.width = WIDTH;
	canvas.height = HEIGHT;
	const context = canvas.getContext('2d');
	const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
	const hue = Math.floor(Math.random() * 360);
	const draw = () => drawPicture(context, userName, hue, calm.matches ? 0 : performance.now() / 1000);
	draw();
	// requestAnimationFrame() stops in a hidden tab, and the others would see a frozen picture.
	const timer = setInterval(draw, 1000 / FRAME_RATE);
	const [track] = canvas.captureStream(FRAME_RATE).getVideoTracks();
	return { track, stop: () => clearInterval(timer) };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} userName
 * @param {number} hue
 * @param {number} seconds
 */
function drawPicture(context, userName, hue, seconds) {
	const sky = context.createLinearGradient(0, 0, 0, HEIGHT);
	sky.addColorStop(0, `hsl(${hue} 45% 16%)`);
	sky.addColorStop(1, `hsl(${hue + 50} 55% 34%)`);
	context.fillStyle = sky;
	context.fillRect(0, 0, WIDTH, HEIGHT);
	for (let wave = 0; wave < 4; wave++) {
		const base = HEIGHT * (0.62 + wave * 0.1);
		context.beginPath();
		context.moveTo(0, HEIGHT);
		for (let x = 0; x <= WIDTH; x += 16) {
			const phase = x / (90 + wave * 25) + seconds * (0.5 + wave * 0.17) + wave * 2;
			context.lineTo(x, base + Math.sin(phase) * (16 - wave * 2));
		}
		context.lineTo(WIDTH, HEIGHT);
		context.fillStyle = `hsl(${hue + wave * 22} 55% ${46 - wave * 8}% / 0.55)`;
		context.fill();
	}
	context.textAlign = 'center';
	context.fillStyle = 'rgb(255 255 255 / 0.92)';
	context.font = '600 44px system-ui, sans-serif';
	context.fillText(userName, WIDTH / 2, 138, WIDTH - 80);
	context.fillStyle = 'rgb(255 255 255 / 0.65)';
	context.font = '22px system-ui, sans-serif';
	context.fillText(new Date().toLocaleTimeString(), WIDTH / 2, 180);
}
