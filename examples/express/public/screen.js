const VIDEO = { frameRate: { ideal: 15, max: 30 } };

/** Whether the browser can share a screen. Browsers of phones cannot, and no browser can on plain http. */
export const canShareScreen = () => navigator.mediaDevices?.getDisplayMedia !== undefined;

/**
 * Asks the user for a screen, a window or a tab.
 *
 * @param {() => void} onEnded the user has stopped sharing by the browser's own button
 * @returns {Promise<{video: MediaStreamTrack, audio: MediaStreamTrack | undefined, stop: () => void} | undefined>}
 *   undefined when the user has chosen nothing; audio is missing when the browser captures none
 * @throws {Error} when the screen cannot be captured
 */
export async function captureScreen(onEnded) {
	let stream;
	try {
		stream = await navigator.mediaDevices.getDisplayMedia({ video: VIDEO, audio: true });
	} catch (error) {
		if (error.name === 'NotAllowedError') return undefined;
		throw error;
	}
	const [video] = stream.getVideoTracks();
	const [audio] = stream.getAudioTracks();
	// Text has to be sharp; a few frames less do not matter.
	video.contentHint = 'detail';
	video.onended = onEnded;
	return {
		video,
		audio,
		stop() {
			for (const track of stream.getTracks()) track.stop();
		},
	};
}
